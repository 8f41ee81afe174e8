"""Runs attempts. Each draws from its own seed, so that one that fails can be made again alone."""

import random
import time

from tests.fuzz import heads, journals, signins, sockets

TARGETS = {"heads": heads, "journals": journals, "signins": signins, "sockets": sockets}


class Found(AssertionError):
    """Something that must not come out did; the text says how to make it again."""


def run_one(name, seed, number):
    try:
        TARGETS[name].attempt(number, random.Random(f"{name} {seed} {number}"))
    except Exception as error:
        again = f"python -m tests.fuzz --only {name} --seed {seed} --first {number}"
        raise Found(f"{type(error).__name__}: {error}\nagain: {again}") from error


def run_many(name, seed, count):
    for number in range(count):
        run_one(name, seed, number)


def run_for(name, seed, seconds, first=0):
    """How many attempts there were time for; at least one."""
    number, ended = first, time.monotonic() + seconds
    while number == first or time.monotonic() < ended:
        run_one(name, seed, number)
        number += 1
    return number - first
