"""Who made a device, by its hardware address, as far as vendors.txt knows.

The file is read line by line when new devices appear: its 14 KB need not stay in memory.
"""

import binascii

LONGEST_LINE = 8192  # bytes; the longest, of a maker with a thousand prefixes, has 4 KB
_CODE = 4  # characters: the base-64 of the three bytes of a prefix
_LOCAL = 2  # IEEE 802, section 8.2: the bit of the first byte that says "given by whoever uses it"


def is_private(mac):
    """Whether a device made the address up, as phones do for each network so that nobody can follow them."""
    return bool(int(mac[:2], 16) & _LOCAL)


def vendors(macs, path):
    """{mac: maker, or "" where the table at `path` does not say}. It is read once for all of them."""
    by_code = {_code(mac): "" for mac in macs if not is_private(mac)}
    try:
        with open(path, "rb") as file:
            _look_up(file, by_code)
    except OSError:
        pass  # nobody misses a maker so much as a list
    return {mac: by_code.get(_code(mac), "") for mac in macs}


def _code(mac):
    return binascii.b2a_base64(bytes.fromhex(mac[:8].replace(":", ""))).strip()


def _look_up(file, by_code):
    while True:
        line = file.readline(LONGEST_LINE)
        if not line:
            return
        name, _tab, codes = line.strip().partition(b"\t")
        for code in by_code:
            if _has(codes, code):
                by_code[code] = name.decode()


def _has(codes, code):
    at = codes.find(code)
    while at >= 0 and at % _CODE:  # it may begin inside another one
        at = codes.find(code, at + 1)
    return at >= 0
