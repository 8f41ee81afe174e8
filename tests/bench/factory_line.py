"""How long a bench takes for one router and for sixteen at once, each on a line held to 115200 baud.

Boards `host` in factory state: loader, slots, the whole daemon. Each gets a bundle, an identity, its
self-test and its lock, which is proved over a restart. What the bundle's bytes take at this speed is nobody's
to save: it is taken off the figure of one router.
"""

import contextlib
import pathlib
import time

from host_tools.factory import events, steps
from host_tools.factory.factory_line import FactoryLine
from host_tools.factory.ports import Port
from host_tools.flash import bundle_file
from host_tools.release import signing
from tests.host_tools.factory_rig import Factory
from tests.host_tools.host_board_rig import HostBoard, newer_bundle

BAUD = 115200
BITS_PER_BYTE = 10
BOARDS = 16


class LineError(Exception):
    pass


def probe(lab):
    place = pathlib.Path(lab.directory) / "factory"
    place.mkdir()
    old, new = newer_bundle(place)
    lab.tell("one router, without a bundle")
    bare_one, _ = run(place / "bare-1", old, 1, lab.tell)
    lab.tell(f"{BOARDS} routers, without a bundle")
    bare_many, _ = run(place / "bare-16", old, BOARDS, lab.tell)
    if lab.quick:
        return {"provision_bare": bare_one, "provision_16_bare": bare_many / bare_one}
    lab.tell("one router")
    one, told = run(place / "full-1", old, 1, lab.tell, new)
    lab.tell(f"{BOARDS} routers")
    many, _ = run(place / "full-16", old, BOARDS, lab.tell, new)
    sent = transfer_s(told)
    return {
        "provision_one": one - sent,
        "provision_transfer": sent,
        "provision_bare": bare_one,
        "provision_16": many / one,
        "provision_16_bare": bare_many / bare_one,
        "details": {"seconds_of_one": one, "seconds_of_16": many, "steps": step_seconds(told)},
    }


def run(place, old, count, tell, new=None):
    """(seconds until the last of so many routers was GO, what the line told)."""
    place.mkdir()
    factory = Factory(place)
    bundle = bundle_file.read(new, signing.public_half(signing.developer_key())) if new else None
    rows = steps.plan([] if new else [steps.FLASH, steps.VERIFY])

    def hear(event):
        factory.told.append(event)
        if isinstance(event, events.Totals):
            tell(f"{event.go + event.no_go} of {count} routers have ended")

    with contextlib.ExitStack() as stack:
        boards = [stack.enter_context(board(place / f"board-{at:02}", old)) for at in range(count)]
        ports = [Port(f"port-{at:02}", one.port) for at, one in enumerate(boards)]
        line = FactoryLine(factory.means(bundle=bundle), rows, hear, at_once=count)
        began = time.monotonic()
        verdicts = line.run(ports)
        seconds = time.monotonic() - began
    bad = [verdict.reason for verdict in verdicts if verdict.verdict != events.GO]
    if bad:
        raise LineError(f"{len(bad)} of {count} routers are NO-GO: {bad[0]}")
    return seconds, factory.told


def board(place, old):
    place.mkdir()
    return HostBoard(place, old, BAUD)


def transfer_s(told):
    """What the bytes of the transfer took on the line, the stub's and the answers' among them."""
    measured = [one for event in told if isinstance(event, events.StepEnded) for one in event.measurements]
    (wire,) = [one.value for one in measured if one.name == "bundle on the line"]
    return wire * BITS_PER_BYTE / BAUD


def step_seconds(told):
    return {event.step: event.seconds for event in told if isinstance(event, events.StepEnded)}
