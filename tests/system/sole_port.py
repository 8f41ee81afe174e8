"""mpremote, unmodified, on a computer that has one USB serial adapter.

    python tests/system/sole_port.py PORT ARGUMENTS

It connects by itself to the first USB adapter that pyserial lists. A pty is none, so the list is made here.
"""

import sys

from mpremote import main
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo


def listed(port):
    adapter = ListPortInfo(port)
    adapter.vid, adapter.pid = 0x0403, 0x6001
    return [adapter]


if __name__ == "__main__":
    port = sys.argv.pop(1)
    list_ports.comports = lambda: listed(port)
    sys.exit(main.main())
