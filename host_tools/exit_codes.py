"""What each exit status of `gatelodge` means. Scripts depend on them: a number is never reused."""

OK = 0
FAILED = 1  # something without a number of its own
USAGE = 2  # argparse's own

MISSING_TOOL = 10
PORT_TAKEN = 11
NO_ROOT = 12
DISK_FULL = 13
IMAGE_BUILD = 14
ROUTER_DID_NOT_BOOT = 15
CLOUD_DID_NOT_START = 16
RUN_DIRECTORY_BUSY = 17
BUNDLE_BUILD = 18
PART_DIED = 19  # something that `gatelodge run` had started ended by itself

SERIAL_PORT = 20
HANDSHAKE = 21
REFUSED_BY_BOARD = 22
PROVISIONING = 23
LOCK_NOT_PROVEN = 24
TRANSFER = 25  # the line carried nothing whole, again and again
VERIFICATION = 26  # a bundle with a wrong signature, or a board whose file is not the one it was sent
SELF_TEST = 27  # a router measured something that is beyond its limit
LEDGER = 28  # the factory's ledger is damaged, busy or not to be written
PRINTER = 29  # a router is finished and has no label: run the bench again, it prints only
CONFLICT = 30  # a unit that is to be imported contradicts one that is there

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
