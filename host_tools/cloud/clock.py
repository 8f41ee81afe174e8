"""The cloud's time: Unix seconds, given to every part as a callable, so that a test can move it."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
system_clock: Clock = time.time
