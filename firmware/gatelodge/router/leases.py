"""What the DHCP servers of a router have written down: which device has which name and addresses.

dnsmasq (lease-init.c):       EXPIRY MAC ADDRESS NAME CLIENT-ID, and after a line "duid ..." for IPv6
                              EXPIRY IAID ADDRESS NAME DUID. "*" where it knows no name.
odhcpd (its state file):      # INTERFACE DUID IAID NAME EXPIRY ASSIGNED LENGTH ADDRESS/BITS ..., for IPv4
                              with a MAC without colons for a DUID. "-" where it knows no name.

Names come from the devices themselves: they are text from strangers.
"""

MAX_LEASES = 256  # of one file; a home has a dozen
MAX_ADDRESSES = 4  # of one device
LONGEST_NAME = 63  # RFC 1035 section 2.3.4
_NAMELESS = ("*", "-", "")
# What turns the direction of writing, and would have the rest of a row read backwards (UAX 9, section 2).
_TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# RFC 8415 section 11: a DUID holds a hardware address when it was made of one. Type and Ethernet -> where it
# begins, in hexadecimal digits.
_DUID_ADDRESS = {"00010001": 16, "00030001": 8}


def parse(data, found):
    """Add what one lease file says to `found`: {mac: {"name": text or "", "addresses": [text]}}.

    A line that is no text is left out, and takes no other along."""
    for line in data.split(b"\n")[:MAX_LEASES]:
        words = _words(line)
        if len(words) >= 9 and words[0] == "#":
            mac, name = mac_of(words[2]) or _mac_in(words[2]), words[4]
            addresses = [word.split("/")[0] for word in words[8 : 8 + MAX_ADDRESSES]]
        elif len(words) >= 4 and words[0].isdigit():
            mac, name = mac_of(words[1]) or _mac_in(words[-1]), words[3]
            addresses = [words[2]]
        else:
            continue
        if mac:
            _add(found, mac, _clean(name), addresses)
    return found


def _words(line):
    try:
        return str(line, "utf-8").split()
    except UnicodeError:
        return ()


def _add(found, mac, name, addresses):
    lease = found.setdefault(mac, {"name": "", "addresses": []})
    lease["name"] = name or lease["name"]
    new = [address for address in addresses if address not in lease["addresses"]]
    lease["addresses"] = (lease["addresses"] + new)[:MAX_ADDRESSES]


def mac_of(text):
    """ "aa:bb:cc:dd:ee:ff" of a hardware address with or without colons, or ""."""
    digits = text.replace(":", "").lower()
    if len(digits) != 12 or not all(digit in "0123456789abcdef" for digit in digits):
        return ""
    return ":".join([digits[at : at + 2] for at in range(0, 12, 2)])


def _mac_in(duid):
    """The hardware address that a DUID was made of, or ""."""
    digits = duid.replace(":", "")
    begins = _DUID_ADDRESS.get(digits[:8])
    return mac_of(digits[begins:]) if begins else ""


def _clean(name):
    if name in _NAMELESS:
        return ""
    seen = [each for each in name if " " < each != "\x7f" and each not in _TURNING]
    return "".join(seen)[:LONGEST_NAME]
