"""The country that an address is probably in, from a table on this computer: nobody is asked.

The table is that of Debian's package geoip-database ("This product includes GeoLite data created by MaxMind,
available from http://maxmind.com/"). Addresses move, and proxies hide: pages say that the place may be wrong,
and nothing is decided by it.

The file (GeoIP legacy, country edition): a binary trie over the address's bits, the highest first. A node is
two numbers of three bytes, little-endian: where to go on 0 and on 1. From COUNTRY_BEGIN on, a number is no
node but a country's.
"""

from __future__ import annotations

import ipaddress
from functools import cache
from pathlib import Path

from host_tools.cloud.accounts.countries import COUNTRIES
from host_tools.cloud.languages.countries import country
from host_tools.cloud.languages.text import N_, _

FOLDER = Path("/usr/share/GeoIP")
FILES = {4: "GeoIP.dat", 6: "GeoIPv6.dat"}
COUNTRY_BEGIN = 0xFFFF00
NODE_BYTES, NUMBER_BYTES = 6, 3
UNKNOWN = N_("an unknown place")
HERE = N_("the same local network")

# The format's numbers for countries, from 0. Those that are no country are never in COUNTRIES.
_NUMBERED = """
-- AP EU AD AE AF AG AI AL AM CW AO AQ AR AS AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BV
BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI
FJ FK FM FO FR SX GA GB GD GE GF GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IN IO
IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD MG MH MK
ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL
PM PN PR PS PT PW PY QA RE RO RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR ST SV SY SZ TC TD TF TG
TH TJ TK TM TN TO TL TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT RS ZA ZM ME ZW A1
A2 O1 AX GG IM JE BL MF BQ SS"""
_CODES = _NUMBERED.split()


class Places:
    """`places.of("193.0.6.139")` -> "Netherlands", in the reader's language. Without the files every place is
    unknown.
    """

    def __init__(self, folder: Path = FOLDER):
        self._tables = {version: _read(folder / name) for version, name in FILES.items()}

    def of(self, address: str) -> str:
        try:
            parsed = ipaddress.ip_address(address.split("%")[0])
        except ValueError:
            return _(UNKNOWN)
        if parsed.version == 6 and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        if parsed.is_private or parsed.is_loopback or parsed.is_link_local:
            return _(HERE)
        code = country_code(self._tables[parsed.version], parsed)
        return country(code) if code in COUNTRIES else _(UNKNOWN)


def country_code(table: bytes, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Two letters, or "--". A table that is cut short knows nothing."""
    bits, node = int(address), 0
    for depth in range(address.max_prefixlen - 1, -1, -1):
        at = node * NODE_BYTES + (bits >> depth & 1) * NUMBER_BYTES
        node = int.from_bytes(table[at : at + NUMBER_BYTES], "little")
        if node >= COUNTRY_BEGIN:
            number = node - COUNTRY_BEGIN
            return _CODES[number] if number < len(_CODES) else _CODES[0]
        if node == 0:
            break  # no node leads back to the root: the file ended
    return _CODES[0]


@cache
def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
