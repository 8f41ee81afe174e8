"""A bench that goes on: boards come and go at its ports, and each is begun with as it comes, or on a press.

A port that is there when the bench begins waits for a press: an adapter may be there without a board. One
that appears later was connected by somebody who wants its board done.
"""

import asyncio
import os
from collections.abc import Callable, Sequence

from host_tools.errors import ToolError
from host_tools.factory.events import Event, PortGone
from host_tools.factory.factory_line import FactoryLine
from host_tools.factory.ports import Port, Rule, select

LOOK_S = 1.0  # an operator who connects a board does not see a second


class Watch:
    """Belongs to one event loop. Its `start` and `abort` are what the page asks for (server.py, Line)."""

    def __init__(
        self,
        rules: Sequence[Rule],
        line: FactoryLine,
        tell: Callable[[Event], None],
        begins_by_itself: bool = True,
    ):
        self._rules = rules
        self._line = line
        self._tell = tell
        self._begins_by_itself = begins_by_itself
        self._is_closed = False
        self._there: dict[str, Port] = {}
        self._fresh: set[str] = set()  # what nothing was done with yet

    async def run(self) -> None:
        """Look for ports until cancelled."""
        self._note(await asyncio.to_thread(there, self._rules))
        while True:
            await asyncio.sleep(LOOK_S)
            for key in self._note(await asyncio.to_thread(there, self._rules)):
                if self._begins_by_itself:
                    self.start(key)

    def close(self) -> None:
        """Begin with no board any more: the bench stops."""
        self._is_closed = True

    def start(self, port: str | None = None) -> bool:
        """Begin with the board at the port, or with all that nothing was done with yet."""
        keys = sorted(self._fresh) if port is None else [port]
        begun = [key for key in keys if self._start(key)]
        return bool(begun)

    def abort(self, port: str | None = None) -> bool:
        return self._line.abort(port)

    def _start(self, key: str) -> bool:
        if self._is_closed or key not in self._there or self._line.is_at_work(key):
            return False
        self._fresh.discard(key)
        self._line.start(self._there[key])
        return True

    def _note(self, found: Sequence[Port]) -> list[str]:
        """Tell what came and went; return what came."""
        now = {port.key: port for port in found}
        gone = [key for key in self._there if now.get(key) != self._there[key]]
        for key in gone:
            del self._there[key]
            self._fresh.discard(key)
            self._tell(PortGone(key))
        come = [key for key in now if key not in self._there]
        for key in come:
            self._there[key] = now[key]
            self._fresh.add(key)
            self._tell(now[key].seen())
        return come


def there(rules: Sequence[Rule]) -> list[Port]:
    """The ports that the rules mean and that are there: a bench waits for the others."""
    found: dict[str, Port] = {}
    for rule in rules:
        try:
            ports = select([rule])
        except ToolError:
            continue  # none fits now
        found.update(
            (port.key, port) for port in ports if "://" in port.device or os.path.exists(port.device)
        )
    return list(found.values())
