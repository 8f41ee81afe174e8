"""The MicroPython that the host board runs: the same one carries the rivals."""

from host_tools.release import micropython


def command():
    """Its command line; it is fetched at the first call."""
    return [str(micropython.build())]
