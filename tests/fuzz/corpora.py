"""The kept samples: valid ones, and those that were read in two ways once."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "corpus"


def samples(name):
    """The bytes of each, in the order of their names."""
    found = [path.read_bytes() for path in sorted((FOLDER / name).iterdir())]
    assert found, f"there is no corpus {name}"
    return found
