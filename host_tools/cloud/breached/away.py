"""What both drivers raise."""


class AwayError(Exception):
    """The driver cannot answer now. Its text holds nothing of the password."""
