"""What was read a moment ago: the kernel is asked once a second, however many ask the router.

    recent = Recent(monotonic_ms)
    recent.told("facts", read)    read(), or what it gave earlier within the same moment
    recent.forget()               so that nothing lies in the heap once nobody asks any more

A moment begins with the first question after the last one was over. Everything told within it was read within
it, and so is what was made of it: nothing is older than the moment is long. It is for what changes by itself
and has no event; what somebody sets is never asked for here.
"""

LASTS_MS = 1000  # as long as the units that people read: uptimes, rates


class Recent:
    """lasts_ms: of a moment; 0 for none at all. What is told is told to others too: nobody changes it."""

    def __init__(self, monotonic_ms, lasts_ms=LASTS_MS):
        self._monotonic_ms = monotonic_ms
        self._lasts_ms = lasts_ms
        self._began_ms = None
        self._told = {}

    def told(self, name, read):
        """Raises what read() raises; then the next who asks tries again."""
        now_ms = self._monotonic_ms()
        if self._began_ms is None or now_ms - self._began_ms >= self._lasts_ms:
            self.forget()
            self._began_ms = now_ms
        told = self._told.get(name)
        if told is None:
            told = self._told[name] = read()
        return told

    def forget(self):
        self._told.clear()
        self._began_ms = None
