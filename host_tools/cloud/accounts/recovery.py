"""Recovery codes: ten, shown once, each works once. 50 random bits in Crockford's alphabet, in two groups."""

from __future__ import annotations

import secrets

from gatelodge.contract.service_code import ALPHABET

COUNT = 10
CHARACTERS = 10
_ALIASES = str.maketrans("ILO", "110", " -")


def new_codes() -> list[str]:
    return ["".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS)) for _ in range(COUNT)]


def grouped(code: str) -> str:
    return code[:5] + "-" + code[5:]


def canonical(text: str) -> str:
    """What a person typed, as it was generated: any case, spaces, hyphens; I and L are 1, O is 0."""
    return text[:40].upper().translate(_ALIASES)


def looks_like_one(text: str) -> bool:
    return len(canonical(text)) == CHARACTERS
