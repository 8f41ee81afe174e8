"""How long a router is under warranty."""
