"""The devices of the home network: who is there, and since when.

    devices = Devices(read, vendors_of, monotonic_ms)   # LinuxRouter.devices is one
    devices.now()    [{mac, name, addresses, vendor, is_private, interface, state: "here"|"away",
                       first_seen_s, last_seen_s}], those that are here first, then by address
    await devices.run()    # looks twice a minute, also while no page is open

first_seen_s, last_seen_s: seconds ago, or None for a device that a lease names and nobody has met. They are
in memory only: who was at home when is nobody's business after a restart, and no wear of the flash.

"here" is what the kernel says of its neighbours: one with an address that has been resolved, and that was
heard within minutes. A device has one hardware address and is one row, whatever addresses it has.
"""

import asyncio

from gatelodge.router import leases, vendors
from gatelodge.router.recent import Recent

PERIOD_S = 30
MOST_ADDRESSES = 6  # of one device: by IPv6 a phone has three or four, and makes new ones each day
MOST = 64  # rows on a page; a home has a dozen
FORGOTTEN_S = 24 * 3600  # a guest's phone comes with a new address each time
NOBODY = "00:00:00:00:00:00"  # of an address that nobody answers for


class Devices:
    """read() -> (neighbours as kernel.neighbours gives them, of the home's side only; leases as leases.parse
    gives them), or OSError. vendors_of(macs) -> {mac: text}. monotonic_ms() -> ms. recent: Recent, by which
    `now` is told once a second."""

    def __init__(self, read, vendors_of, monotonic_ms, recent=None):
        self._read = read
        self._vendors_of = vendors_of
        self._monotonic_ms = monotonic_ms
        self._recent = recent or Recent(monotonic_ms, 0)
        self._met = {}  # mac -> (first seen in ms, last seen in ms, its rows of neighbours then)
        self._vendors = {}  # mac -> text, of those in the last list

    async def run(self):
        """Look for ever. Cancel it to stop."""
        while True:
            try:
                self._look(self._read()[0])
            except OSError:
                pass  # the page that asks is told; there is nobody to tell here
            self._recent.forget()
            await asyncio.sleep(PERIOD_S)

    def now(self):
        return self._recent.told("devices", self._now)

    def _now(self):
        neighbours, named = self._read()
        here = self._look(neighbours)
        known = set(self._met)
        known.update(named)
        rows = [self._row(mac, mac in here, named.get(mac)) for mac in known]
        rows.sort(key=_place)
        rows = rows[:MOST]
        self._name_vendors(rows)
        return rows

    def _look(self, neighbours):
        """Note who is here. Returns their hardware addresses."""
        now_ms = self._monotonic_ms()
        here = {}
        for each in neighbours:
            mac = leases.mac_of(each["mac"])  # what is no Ethernet, a tunnel say, has another kind
            if each["state"] == "reachable" and mac not in ("", NOBODY):
                here.setdefault(mac, []).append(each)
        for mac in here:
            first_ms = self._met[mac][0] if mac in self._met else now_ms
            self._met[mac] = (first_ms, now_ms, here[mac])
        self._forget(now_ms)
        return here

    def _forget(self, now_ms):
        for mac in list(self._met):
            if now_ms - self._met[mac][1] > FORGOTTEN_S * 1000:
                del self._met[mac]
        while len(self._met) > MOST:
            del self._met[min(self._met, key=lambda mac: self._met[mac][1])]

    def _row(self, mac, is_here, lease):
        first_ms, last_ms, seen = self._met.get(mac, (None, None, ()))
        addresses = {each["address"] for each in seen}
        addresses.update(lease["addresses"] if lease else ())
        return {
            "mac": mac,
            "name": lease["name"] if lease else "",
            "addresses": sorted(addresses, key=_use)[:MOST_ADDRESSES],
            "interface": seen[0]["interface"] if seen else "",
            "state": "here" if is_here else "away",
            "first_seen_s": self._ago(first_ms),
            "last_seen_s": self._ago(last_ms),
        }

    def _ago(self, at_ms):
        return None if at_ms is None else (self._monotonic_ms() - at_ms) // 1000

    def _name_vendors(self, rows):
        """The table is read once for each device, not with each look."""
        new = [row["mac"] for row in rows if row["mac"] not in self._vendors]
        found = self._vendors_of(new) if new else {}
        self._vendors = {row["mac"]: self._vendors.get(row["mac"], found.get(row["mac"], "")) for row in rows}
        for row in rows:
            row["is_private"] = vendors.is_private(row["mac"])
            row["vendor"] = self._vendors[row["mac"]]


def _use(address):
    """Sorts the addresses of a device: IPv4, then what leads further than this network, then the rest."""
    return (":" in address, address.startswith("fe80:"), address)


def _place(row):
    """Those that are here first, then by IPv4 address as a number, then the rest."""
    first = row["addresses"][0] if row["addresses"] else ""
    parts = first.split(".")
    numbers = [int(part) for part in parts] if len(parts) == 4 else [256]
    return (row["state"] != "here", numbers, row["mac"])
