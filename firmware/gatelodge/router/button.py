"""The router's button, as the kernel tells of it: one press is one call.

Format: struct input_event of linux/input.h, one after the other (Documentation/input/input.rst).
"""

import struct

from gatelodge import compat, log

EVENT = "@llHHi"  # the time, in two numbers; type; code; value. 24 bytes on 64 bits, 16 on 32
EVENT_BYTES = struct.calcsize(EVENT)
AT_ONCE = 16  # events in one read

_EV_KEY = 1
_PRESSED = 1  # 0 is its release, 2 that it is still held


class Button:
    """device: "/dev/input/event0". key: its code of linux/input-event-codes.h. pressed(): called for each
    press."""

    def __init__(self, device, key, pressed):
        self._device = device
        self._key = key
        self._pressed = pressed

    async def run(self):
        """Listen until cancelled, or until the device is not there (any more): the serial console is."""
        try:
            with open(self._device, "rb", 0) as file:
                await self._listen(file)
        except OSError as error:
            log.warning("router", "the button cannot be heard (%s): check button.device of the board", error)

    async def _listen(self, file):
        while True:
            await compat.wait_readable(file)
            data = file.read(EVENT_BYTES * AT_ONCE)
            if not data:
                raise OSError("the device has gone")
            for _ in range(presses(data, self._key)):
                self._pressed()


def presses(data, key):
    """How often the key was pressed in these bytes. The kernel gives whole events; a part of one is none."""
    found = 0
    for start in range(0, len(data) - EVENT_BYTES + 1, EVENT_BYTES):
        kind, code, value = struct.unpack(EVENT, data[start : start + EVENT_BYTES])[2:]
        found += kind == _EV_KEY and code == key and value == _PRESSED
    return found
