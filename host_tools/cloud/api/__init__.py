"""The API for people's own programs: personal tokens, the operations as one table, and their description."""
