"""Runs attempts. Each draws from its own seed, so that one that fails can be made again alone.

A target has SAMPLES, its corpus; drawn(random), a new sample; judge(sample, random), which raises what must
not come out; and READ_BY, the modules that read it. judge may return a set of what the sample shows.
"""

import random
import time

from tests.fuzz import corpora, heads, journals, signins, sockets, ways

TARGETS = {"heads": heads, "journals": journals, "signins": signins, "sockets": sockets}


class Found(AssertionError):
    """Something that must not come out did; the text says how to make it again."""


def sample_of(name, seed, number):
    """(sample, the random.Random it is judged with): first the whole corpus, then what is drawn."""
    target, drawing = TARGETS[name], random.Random(f"{name} {seed} {number}")
    kept = target.SAMPLES
    return kept[number] if number < len(kept) else target.drawn(drawing), drawing


def run_one(name, seed, number):
    try:
        sample, drawing = sample_of(name, seed, number)
        TARGETS[name].judge(sample, drawing)
        return sample
    except Exception as error:
        again = f"python -m tests.fuzz --only {name} --seed {seed} --first {number}"
        raise Found(f"{type(error).__name__}: {error}\nagain: {again}") from error


def run_many(name, seed, count):
    for number in range(count):
        run_one(name, seed, number)


def replay(name):
    """Judge the corpus alone, whole."""
    run_many(name, 0, len(TARGETS[name].SAMPLES))


def run_for(name, seed, seconds, first=0, keeper=None):
    """How many attempts there were time for; at least one. The keeper sees each sample that was judged."""
    number, ended = first, time.monotonic() + seconds
    while number == first or time.monotonic() < ended:
        sample = run_one(name, seed, number)
        if keeper is not None:
            keeper.see(name, sample)
        number += 1
    return number - first


class Keeper:
    """Keeps each sample that goes a way which none of its corpus has gone, as short as it can be for that."""

    def __init__(self, folder=corpora.FOLDER):
        self._folder = folder
        self._gone = {}  # name of the target -> the ways of its corpus
        self.kept = []  # paths

    def see(self, name, sample):
        target = TARGETS[name]
        if name not in self._gone:
            self._gone[name] = set().union(*(ways.gone(target, kept) for kept in target.SAMPLES))
        new = ways.gone(target, sample) - self._gone[name]
        if new:
            short = ways.shortened(target, sample, new)
            self._gone[name] |= ways.gone(target, short)
            self.kept.append(corpora.keep(name, short, self._folder))
