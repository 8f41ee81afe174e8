"""A router made of numbers: the same seam as router/linux.py, with values that live and repeat exactly.

For tests, for screenshots, and for working on the pages without a router:

    router = SimulatedRouter(monotonic_ms=clock.monotonic_ms)
    router.cut_wire()        # the internet goes away ...
    router.join_wire()       # ... and comes back
    router.fail = "facts"    # that question raises OSError from now on
    router.be_alone()        # nobody else is in the network, or was
    router.fill_house()      # as many devices as the list takes, with long names
"""

import math

from gatelodge import compat
from gatelodge.router.devices import MOST, Devices
from gatelodge.router.recent import Recent
from gatelodge.router.traffic import SAMPLES, STEP_S, Traffic

_NEIGHBOURS = (
    ("192.168.1.23", "3c:22:fb:10:4e:91", "reachable"),
    ("192.168.1.31", "f0:18:98:5d:22:0a", "reachable"),
    ("192.168.1.40", "b8:27:eb:7a:c1:03", "reachable"),
    ("192.168.1.52", "00:00:00:00:00:00", "incomplete"),
)
_LEASES = {
    "3c:22:fb:10:4e:91": ("Adas-MacBook-Pro", ["192.168.1.23", "fd00:1::17"]),
    "b8:27:eb:7a:c1:03": ("hallway", ["192.168.1.40"]),
    "00:0e:58:31:77:0a": ("Sonos-kitchen", ["192.168.1.52"]),
    "da:a1:19:06:2b:44": ("", ["192.168.1.77"]),
}
_VENDORS = {"3c:22:fb": "Apple", "f0:18:98": "Apple", "b8:27:eb": "Raspberry Pi", "00:0e:58": "Sonos"}


class SimulatedRouter:
    def __init__(self, model="Gatelodge QEMU virt (aarch64)", monotonic_ms=compat.monotonic_ms):
        self._model = model
        self._monotonic_ms = monotonic_ms
        self._started_ms = monotonic_ms()
        self._wire = True
        self.fail = None
        self.tells_ipv6 = True
        self.recent = Recent(monotonic_ms, 0)  # each question is one, so that a test sees what it has changed
        self.done = []  # what was asked for: "reboot", "power_off"
        self.people = list(_NEIGHBOURS)
        self.leases = dict(_LEASES)
        self.devices = self._new_devices()
        self.traffic = Traffic(self._wan_counters, monotonic_ms)

    def cut_wire(self):
        self._wire = False

    def join_wire(self):
        self._wire = True

    def be_alone(self):
        self.people, self.leases = [], {}
        self.devices = self._new_devices()

    def fill_house(self):
        for number in range(MOST):
            mac, address = f"3c:22:fb:00:00:{number:02x}", f"192.168.1.{100 + number}"
            self.people.append((address, mac, "reachable"))
            self.leases[mac] = (f"Телевизор-в-гостиной-{number:02d}", [address, f"fd00:1::1:{number:x}"])

    def call_laptop(self, name):
        mac = _NEIGHBOURS[0][1]
        self.leases[mac] = (name, self.leases[mac][1])

    def with_history(self):
        """Fill the ring as if ten minutes had passed. Returns the router."""
        past = [SAMPLES * STEP_S]
        traffic = Traffic(lambda: self._counted(-past[0]), lambda: -past[0] * 1000)
        for step in range(SAMPLES, -1, -1):
            past[0] = step * STEP_S
            traffic.sample()
        traffic._last = (self._started_ms,) + self._counted(0)
        for name in ("_received", "_sent", "_last", "count"):
            setattr(self.traffic, name, getattr(traffic, name))
        return self

    def facts(self):
        self._may_fail("facts")
        seconds = self._seconds()
        return {
            "model": self._model,
            "kernel": "6.12.0-arm64",
            "uptime_s": 187654 + int(seconds),
            "load": [round(0.2 + 0.1 * math.sin(seconds / 20), 2), 0.17, 0.11],
            "memory": {"total_kb": 124928, "free_kb": 48000, "available_kb": 73216 - int(seconds) % 600},
            "storage": {"total_kb": 129024, "free_kb": 118320},
        }

    def interfaces(self):
        self._may_fail("interfaces")
        received, sent = self._counted(self._seconds())
        return [
            _interface("eth0", "wan", "52:54:00:12:34:56", "10.0.2.15", self._wire, received, sent),
            _interface("eth1", "lan", "52:54:00:12:34:57", "192.168.1.1", True, sent, received),
        ]

    def neighbours(self):
        self._may_fail("neighbours")
        return [
            {"address": address, "mac": mac, "interface": "eth1", "state": state}
            for address, mac, state in self.people
        ]

    def internet(self):
        self._may_fail("internet")
        return {"route": self._wire, "interface": "eth0", "up": self._wire}

    def line(self):
        self._may_fail("line")
        return {
            "interface": "eth0",
            "mac": "52:54:00:12:34:56",
            "up": self._wire,
            "speed_mbit": 1000 if self._wire else None,
            "addresses": ["10.0.2.15", "2001:db8:4:1::15"] if self._wire else [],
            "gateways": ["10.0.2.2", "fe80::2"] if self._wire else [],
            "name_servers": ["10.0.2.3", "2001:db8:4::53"],
        }

    def reboot(self):
        self.done.append("reboot")

    def power_off(self):
        self.done.append("power_off")

    def _may_fail(self, question):
        if self.fail == question:
            raise OSError(5, "simulated")

    def _new_devices(self):
        def vendors_of(macs):
            return {mac: _VENDORS.get(mac[:8], "") for mac in macs}

        return Devices(self._home, vendors_of, self._monotonic_ms)

    def _home(self):
        leases = {mac: {"name": name, "addresses": found} for mac, (name, found) in self.leases.items()}
        return self.neighbours(), leases

    def _seconds(self):
        return (self._monotonic_ms() - self._started_ms) / 1000

    def _wan_counters(self):
        return self._counted(self._seconds()) if self._wire else None

    def _counted(self, seconds):
        """Bytes since long ago: a steady murmur, a film that swells every five minutes, and somebody's
        call."""
        film = 38_000_000 * (1 - math.cos(seconds * 2 * math.pi / 300))
        call = 3_600_000 * math.sin(seconds / 31) + 1_400_000 * math.sin(seconds / 7)
        received = 9_400_000_000 + 1_500_000 * seconds + film + call
        sent = 1_200_000_000 + 160_000 * seconds + call / 10
        return int(received), int(sent)


def _interface(name, role, mac, address, up, received, sent):
    return {
        "name": name,
        "role": role,
        "mac": mac,
        "address": address,
        "up": up,
        "rx_bytes": received,
        "tx_bytes": sent,
    }
