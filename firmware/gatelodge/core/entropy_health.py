"""Whether random bytes look as if their source still works: NIST SP 800-90B section 4.4.

Two tests that a source of at least H = 4 bits of entropy in each byte fails once in 2^20 samples. The bytes
that a kernel gives have 8: a good router never fails, and a source that is stuck or lame does at once.
"""

MIN_ENTROPY = 4  # bits of each byte that the cutoffs assume
RUN_CUTOFF = 6  # section 4.4.1: 1 + 20 / H
WINDOW = 512  # samples, for a source that is not binary
PROPORTION_CUTOFF = 62  # section 4.4.2: 1 + critbinom(WINDOW, 2^-H, 1 - 2^-20)


def longest_run(samples):
    """Repetition count test: how often the same byte came one after the other. RUN_CUTOFF is a failure."""
    longest, run, last = 0, 0, None
    for sample in samples:
        run = run + 1 if sample == last else 1
        last = sample
        longest = max(longest, run)
    return longest


def commonest_of_a_window(samples):
    """Adaptive proportion test: how often a window's first byte is in it, the most of all whole windows.

    PROPORTION_CUTOFF is a failure.
    """
    most = 0
    for start in range(0, len(samples) - WINDOW + 1, WINDOW):
        window = bytes(samples[start : start + WINDOW])
        most = max(most, window.count(window[:1]))
    return most
