"""The serial ports of a station: which there are, which are meant, and what each is called.

    found = seen()                                        # what this computer has now
    select([Rule(topology="1-1.4")], found)               # those that a rule of the station means

The key of a port is the path that it is named by: the socket of the hub where the rule names one (an adapter
may be replaced), else the device. Two keys never lead to one device.
"""

import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.events import PortSeen
from host_tools.serial_port import Adapter, adapters


class Port(NamedTuple):
    key: str
    device: str
    description: str = ""
    usb: str = ""
    usb_serial_number: str = ""
    topology: str = ""

    def seen(self) -> PortSeen:
        return PortSeen(*self)


class Rule(NamedTuple):
    """Which ports are meant: all that is given must fit. `usb`, `topology` and `path` may have * and ?."""

    path: str = ""  # a device, one of its links such as /dev/serial/by-path/..., or rfc2217://HOST:PORT
    usb: str = ""  # "0403:6001"
    serial_number: str = ""  # of the adapter
    topology: str = ""  # "1-1.4": the socket; all interfaces of what is in it
    name: str = ""  # what the operator calls it, where the rule means one port

    def means(self, adapter: Adapter) -> bool:
        return (
            (not self.usb or (adapter.usb != "" and fnmatchcase(adapter.usb, self.usb.lower())))
            and (not self.serial_number or self.serial_number == adapter.serial_number)
            and (not self.topology or _is_at(self.topology, adapter.topology))
            and (not self.path or fnmatchcase(adapter.device, self.path) or _same(self.path, adapter.device))
        )


ANY_USB = Rule(usb="*")  # `--all`


def seen(found: Sequence[Adapter] | None = None) -> list[Port]:
    """Every serial port of this computer."""
    return [_port(one, Rule()) for one in (adapters() if found is None else found)]


def select(rules: Iterable[Rule], found: Sequence[Adapter] | None = None) -> list[Port]:
    """The ports that the rules mean, in their order. Raises ToolError when a rule means none, or two one."""
    found = adapters() if found is None else found
    chosen: dict[str, Port] = {}
    for rule in rules:
        for port in _meant(rule, found):
            place = os.path.realpath(port.device) if "://" not in port.device else port.device
            chosen.setdefault(place, port)
    keys = [port.key for port in chosen.values()]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        remedy = "leave `name` out where a rule means several"
        raise ToolError(f"two ports are called {twice!r}", remedy, exit_codes.USAGE)
    return list(chosen.values())


def _meant(rule: Rule, found: Sequence[Adapter]) -> list[Port]:
    ports = [_port(one, rule) for one in found if rule.means(one)]
    if ports:
        return ports
    if (
        rule.path
        and not (rule.usb or rule.serial_number or rule.topology)
        and not set("*?[") & set(rule.path)
    ):
        return [Port(rule.name or rule.path, rule.path)]  # a pty, a network port, or one that comes yet
    wanted = ", ".join(f"{name} {value}" for name, value in rule._asdict().items() if value)
    raise ToolError(
        f"no serial port fits {wanted}", "look at what 'gatelodge ports' lists", exit_codes.SERIAL_PORT
    )


def _port(one: Adapter, rule: Rule) -> Port:
    key = rule.name or (rule.path if rule.path and not set("*?[") & set(rule.path) else "")
    if not key:
        key = one.topology if one.topology and (rule.topology or rule == ANY_USB) else one.device
    return Port(key, one.device, one.description, one.usb, one.serial_number, one.topology)


def _is_at(wanted: str, topology: str) -> bool:
    socket = topology.partition(":")[0]
    return bool(topology) and (fnmatchcase(topology, wanted) or fnmatchcase(socket, wanted))


def _same(path: str, device: str) -> bool:
    return os.path.realpath(path) == os.path.realpath(device)
