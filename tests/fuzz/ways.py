"""Which ways a sample goes through the code that reads it, and the sample cut down to what these ways need.

A way is two lines of one function that ran one after the other, the first being 0 where the function begins.
"""

import random
import sys

SEED = 1  # a sample goes the same ways each time


def gone(target, sample):
    """The ways of a sample, in the modules that its target names in READ_BY, and what it tells of itself."""
    files = {module.__file__ for module in target.READ_BY}
    ways = set()

    def enter(frame, _event, _argument):
        if frame.f_code.co_filename not in files:
            return None
        before = 0

        def step(frame, event, _argument):
            nonlocal before
            if event == "line":
                ways.add((frame.f_code.co_filename, before, frame.f_lineno))
                before = frame.f_lineno
            return step

        return step

    tracing = sys.gettrace()
    sys.settrace(enter)
    try:
        told = target.judge(sample, random.Random(SEED))
    finally:
        sys.settrace(tracing)
    return ways | set(told or ())


def shortened(target, sample, wanted):
    """The sample with every part cut out that it does not need to go the wanted ways."""
    size = len(sample) // 2
    while size:
        at = 0
        while at < len(sample):
            shorter = sample[:at] + sample[at + size :]
            if wanted <= gone(target, shorter):
                sample = shorter
            else:
                at += size
        size //= 2
    return sample
