"""The help centre: people write to support, and support answers."""
