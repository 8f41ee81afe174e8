"""What a board is: the fields of `boards/<name>/board.json`, one row each.

Host tools check the file when they build an image, the daemon checks it again when it starts:
both read the rows below. A board holds facts about a kind of router, never a unit's secrets.
"""

from gatelodge.contract.errors import BoardError

REQUIRED = object()  # a row without a default

# Those of dnsmasq and odhcpd as OpenWrt runs them, and of Debian's dnsmasq. What is not there is left out.
LEASE_FILES = [
    "/tmp/dhcp.leases",
    "/var/lib/misc/dnsmasq.leases",
    "/tmp/odhcpd.leases",
    "/tmp/hosts/odhcpd",
]
# OpenWrt's resolv.conf names its own dnsmasq, and the other file whom that one asks.
RESOLV_FILES = ["/tmp/resolv.conf.d/resolv.conf.auto", "/etc/resolv.conf"]

LEAST_HEAP_KB = 1536  # what core/heap.py counts up, and what MicroPython keeps for its own accounts

# (field, type, range, default, what it is). A dot goes one level down. The range of an int is
# (lowest, highest), of a str its choices or (), of a list the type of its items.
ROWS = (
    ("name", str, (), REQUIRED, "the directory under boards/"),
    ("model", str, (), REQUIRED, "what the label and the admin page call it"),
    ("arch", str, ("aarch64", "mipsel", "x86_64", "armv7l"), REQUIRED, "the processor"),
    ("state_dir", str, (), "/flash", "the writable directory of slots/, state/ and boot.json"),
    ("console.kind", str, ("tty", "stdin"), REQUIRED, "a device to open, or the daemon's own stdin"),
    ("console.device", str, (), "", "the serial device of a tty console"),
    ("console.baud", int, (300, 4000000), 115200, "bits per second"),
    ("button.device", str, (), "", "the input device of the button that proves presence; empty: it has none"),
    ("button.key", int, (1, 767), 529, "the button's key code, as Linux counts; 529 is the WPS button"),
    ("interfaces.lan", str, (), "", "the network interface that faces the home"),
    ("interfaces.wan", str, (), "", "the network interface that faces the internet"),
    ("lease_files", list, str, LEASE_FILES, "where DHCP servers of the home write their leases"),
    ("resolv_files", list, str, RESOLV_FILES, "where name servers stand; the first with any counts"),
    ("web.bind", str, (), "0.0.0.0", "the address that the admin page listens on"),
    ("web.lan_only", bool, (), False, "whether only interfaces.lan reaches the admin page"),
    ("web.https_port", int, (1, 65535), 443, "where the admin page listens"),
    ("web.http_port", int, (1, 65535), 80, "where plain HTTP is redirected"),
    ("web.public_https_port", int, (0, 65535), 0, "the HTTPS port that browsers see; 0: the same"),
    ("web.names", list, str, REQUIRED, "DNS names and addresses in the admin page's certificate"),
    ("release_key", str, (), "", "the P-256 key (65 bytes in hex) that signs its firmware; empty: none"),
    ("router", str, ("linux", "host"), REQUIRED, "which kind of router/ module reads the facts"),
    ("sets_wall_time", bool, (), False, "whether the daemon may set the system's clock"),
    ("has_rtc", bool, (), False, "whether a battery keeps the clock through a power cut"),
    ("log_path", str, (), "", "the file or device that takes the log; empty: stderr"),
    ("heap_kb", int, (LEAST_HEAP_KB, 262144), 8192, "MicroPython's heap, in KB"),
    ("flash_mb", int, (1, 65536), REQUIRED, "size of the writable flash, in MB"),
)

_KINDS = {str: "text", int: "a whole number", bool: "true or false", list: "a list of text"}


def check(fields):
    """Return the board as a nested dict with every field of ROWS, defaults filled in.

    Raises BoardError, whose text names the field and the remedy, on a missing, unknown or
    wrong field. The argument is not changed.
    """
    if not isinstance(fields, dict):
        raise BoardError("a board is not a JSON object: write board.json as one {...}")
    _refuse_unknown(fields, "")
    board = {}  # type: dict
    for path, kind, bounds, default, _ in ROWS:
        value = _get(fields, path, default)
        if value is REQUIRED:
            raise BoardError("the board has no %s: add it to board.json" % path)
        _check_value(path, kind, bounds, value)
        _set(board, path, value)
    if board["console"]["kind"] == "tty" and not board["console"]["device"]:
        raise BoardError("console.device is empty: name the serial device, or set console.kind to stdin")
    return board


def _check_value(path, kind, bounds, value):
    # bool is a subclass of int, and true is no port number.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BoardError("%s is %r: write %s" % (path, value, _KINDS[kind]))
    if kind is int and not bounds[0] <= value <= bounds[1]:
        raise BoardError("%s is %d: choose one from %d to %d" % (path, value, bounds[0], bounds[1]))
    if kind is str and bounds and value not in bounds:
        raise BoardError("%s is %r: choose one of %s" % (path, value, ", ".join(bounds)))
    if kind is list and not (value and all(isinstance(item, bounds) for item in value)):
        raise BoardError("%s is %r: write %s, with at least one" % (path, value, _KINDS[list]))


def _refuse_unknown(fields, prefix):
    known = [row[0] for row in ROWS]
    for name in fields:
        path = prefix + name
        if path in known:
            continue
        inside = isinstance(fields[name], dict) and not prefix
        if not (inside and any(other.startswith(path + ".") for other in known)):
            raise BoardError("a board has no field %s: remove it or correct its name" % path)
        _refuse_unknown(fields[name], path + ".")


def _get(fields, path, default):
    for name in path.split("."):
        if not isinstance(fields, dict) or name not in fields:
            return default
        fields = fields[name]
    return fields


def _set(board, path, value):
    names = path.split(".")
    for name in names[:-1]:
        board = board.setdefault(name, {})
    board[names[-1]] = value
