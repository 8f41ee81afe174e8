"""The kept samples: valid ones, those that were read wrongly once, the first of each way
through the code.
"""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "corpus"


def samples(name):
    """The bytes of each, in the order of their names."""
    found = [path.read_bytes() for path in sorted((FOLDER / name).iterdir())]
    assert found, f"there is no corpus {name}"
    return found


def keep(name, sample, folder=FOLDER):
    """Write a sample beside the others, named after its content until somebody knows a better name."""
    path = folder / name / hashlib.sha256(sample).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sample)
    return path
