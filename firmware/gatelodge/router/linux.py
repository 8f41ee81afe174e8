"""A router whose kernel is Linux and whose facts are in /proc and /sys.

router = LinuxRouter(board)
router.facts()        {model, kernel, uptime_s, load: [1, 5, 15 min], storage: {total_kb, free_kb} or None,
                       memory: {total_kb, free_kb, available_kb}}
router.interfaces()   [{name, role: "lan"|"wan"|"other", mac, address, up, rx_bytes, tx_bytes}]
router.neighbours()   [{address, mac, interface, state: "reachable"|"silent"|"incomplete"}]
router.tells_ipv6     whether the last list of neighbours had those of IPv6 in it
router.devices        Devices: the home's side of the neighbours, with names; the daemon owns its run()
router.internet()     {route: bool, interface, up: bool}: whether there is a way out, not where it leads
router.line()         {interface, mac, up, speed_mbit: int or None, addresses, gateways, name_servers: [text]}
router.traffic        Traffic; the daemon owns its run()
router.recent         Recent: facts, interfaces, internet, line and devices are read once a second at most, so
                       whoever adds to one of these answers makes a copy of it
router.reboot(), router.power_off()   give no answer: the machine goes down
"""

import os

from gatelodge import compat, log
from gatelodge.router import kernel, leases, netlink, vendors
from gatelodge.router.devices import Devices
from gatelodge.router.recent import Recent
from gatelodge.router.traffic import Traffic

MAX_NEIGHBOURS = 256  # addresses; a home has a dozen devices, with three or four each
MAX_INTERFACES = 16
MAX_ADDRESSES = 4  # of one interface, and of each kind
_VENDORS = __file__.rsplit("/", 1)[0] + "/vendors.txt"
_LOOPBACK = "lo"
UNTIL_DOWN = "; sleep 30"  # init takes a second or two, and nothing must start meanwhile


class LinuxRouter:
    """board: as contract.board gives it. run(command): as os.system. Paths, and netlink, are parameters for
    tests."""

    def __init__(
        self,
        board,
        proc="/proc",
        sys="/sys",
        run=os.system,
        monotonic_ms=compat.monotonic_ms,
        dump=netlink.dump,
    ):
        self._board = board
        self._proc = proc
        self._sys = sys
        self._run = run
        self._dump = dump
        self.tells_ipv6 = True
        self.traffic = Traffic(self._wan_counters, monotonic_ms)
        self.recent = Recent(monotonic_ms)
        self.devices = Devices(
            self._home, lambda macs: vendors.vendors(macs, _VENDORS), monotonic_ms, self.recent
        )

    def facts(self):
        return self.recent.told("facts", self._read_facts)

    def interfaces(self):
        return self.recent.told("interfaces", self._read_interfaces)

    def internet(self):
        return self.recent.told("internet", self._read_internet)

    def line(self):
        return self.recent.told("line", self._read_line)

    def _read_facts(self):
        return {
            "model": self._board["model"],
            "kernel": self._read("sys/kernel/osrelease").strip(),
            "uptime_s": kernel.uptime_s(self._read("uptime")),
            "load": kernel.load(self._read("loadavg")),
            "memory": kernel.memory(self._read("meminfo")),
            "storage": self._storage(),
        }

    def _read_interfaces(self):
        routes = self._routes()
        addresses = kernel.local_addresses(self._read("net/fib_trie"))
        counters = kernel.counters(self._read("net/dev"))
        names = [name for name in sorted(counters, key=self._place) if self._is_shown(name)]
        return [self._interface(name, counters[name], routes, addresses) for name in names[:MAX_INTERFACES]]

    def neighbours(self):
        try:
            parts = self._dump()
        except OSError:  # no netlink here, or it is kept from this process
            self.tells_ipv6 = False
            return kernel.neighbours(self._read("net/arp"), MAX_NEIGHBOURS)
        self.tells_ipv6 = True
        return netlink.parse(parts, self._names(), MAX_NEIGHBOURS)

    def _read_internet(self):
        routes = self._routes()
        interface = self._wan_name(routes)
        return {
            "route": bool(kernel.default_interface(routes) or self._gateway6(interface)),
            "interface": interface,
            "up": self._is_up(interface),
        }

    def _read_line(self):
        routes = self._routes()
        name = self._wan_name(routes)
        address = kernel.address_of(name, routes, kernel.local_addresses(self._read("net/fib_trie")))
        addresses = [address] + kernel.addresses6_of(name, self._read("net/if_inet6"), MAX_ADDRESSES)
        gateways = (kernel.gateway_of(name, routes), self._gateway6(name))
        return {
            "interface": name,
            "mac": self._read_class(name, "address") if name else "",
            "up": self._is_up(name),
            "speed_mbit": kernel.speed_mbit(self._read_class(name, "speed")) if name else None,
            "addresses": [text for text in addresses if text],
            "gateways": [text for text in gateways if text],
            "name_servers": self._name_servers(),
        }

    def reboot(self):
        log.warning("router", "restarting")
        self._run("sync; reboot" + UNTIL_DOWN)

    def power_off(self):
        log.warning("router", "switching off")
        self._run("sync; poweroff" + UNTIL_DOWN)

    def _read(self, name):
        return kernel.read(self._proc + "/" + name)

    def _read_class(self, interface, name):
        return kernel.read(self._sys + "/class/net/" + interface + "/" + name).strip()

    def _names(self):
        """{number: name} of the interfaces."""
        names = kernel.counters(self._read("net/dev"))
        return kernel.numbered({name: self._read_class(name, "ifindex") for name in names})

    def _routes(self):
        return kernel.routes(self._read("net/route"))

    def _gateway6(self, interface):
        return kernel.gateway6_of(interface, self._read("net/ipv6_route"))

    def _name_servers(self):
        """Of the first file that names any: behind a resolver of our own stands the provider's list."""
        for path in self._board["resolv_files"]:
            found = kernel.name_servers(kernel.read(path), MAX_ADDRESSES)
            if found:
                return found
        return []

    def _home(self):
        """What Devices reads: neighbours on the home's side (the modem is none of them), and all leases."""
        wan = self._wan_name(self._routes())
        found = [each for each in self.neighbours() if each["interface"] != wan]
        named = {}
        for path in self._board["lease_files"]:
            leases.parse(kernel.read_bytes(path), named)
        return found, named

    def _storage(self):
        """The writable flash, or None before it is there. Fields as statvfs(3) names them."""
        try:
            fragment, blocks, _, available = os.statvfs(self._board["state_dir"])[1:5]
        except OSError:
            return None
        return {"total_kb": blocks * fragment // 1024, "free_kb": available * fragment // 1024}

    def _interface(self, name, counted, routes, addresses):
        return {
            "name": name,
            "role": self._role(name, routes),
            "mac": self._read_class(name, "address"),
            "address": kernel.address_of(name, routes, addresses),
            "up": self._is_up(name),
            "rx_bytes": counted[0],
            "tx_bytes": counted[1],
        }

    def _role(self, name, routes):
        if name == self._wan_name(routes):
            return "wan"
        return "lan" if name == self._board["interfaces"]["lan"] else "other"

    def _place(self, name):
        """Sorts the internet first, then the home, then the rest by name."""
        named = (self._board["interfaces"]["wan"], self._board["interfaces"]["lan"])
        return "%d%s" % (named.index(name) if name in named else len(named), name)

    def _is_shown(self, name):
        return name != _LOOPBACK

    def _is_up(self, name):
        """Whether the interface has a carrier; one that cannot tell says "unknown" and counts as up."""
        return bool(name) and self._read_class(name, "operstate") in ("up", "unknown")

    def _wan_name(self, routes):
        return self._board["interfaces"]["wan"] or kernel.default_interface(routes)

    def _wan_counters(self):
        name = self._wan_name(() if self._board["interfaces"]["wan"] else self._routes())
        return kernel.counters(self._read("net/dev")).get(name)
