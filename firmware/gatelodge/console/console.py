"""The serial console: raw REPL and bench on a blank router, a locked door afterwards.

    terminal = Terminal(baud=board["console"]["baud"])      # fd 0 and fd 1; OSError without a terminal
    console = Console(terminal, bench, status, restart, actions)
    tasks.start(console.run(), "console")

bench    console.bench.Bench; its `closing` ends the REPL, its `is_locked` decides which console this is. Of
         a locked router console.standing.Standing will do
status   callable -> list of (name, value) texts, for the locked console's `status`
restart  callable(reason); the daemon ends and is started again (after the lock or new firmware, and when
         an interrupt has torn the interpreter's heap)
actions  {word: callable} of the owner, console/locked.py

`run` ends only by cancellation.
"""

from gatelodge.console.locked import LockedConsole
from gatelodge.contract.errors import LineError
from gatelodge.tasks import with_deadline

ANSWER_MS = 60_000  # for a question's answer to be typed; silence is Ctrl-C
_CTRL_C = b"\x03"


class Console:
    def __init__(self, terminal, bench, status, restart, actions=None):
        self._terminal = terminal
        self._bench = bench
        self._status = status
        self._restart = restart
        self._actions = actions

    async def run(self):
        """Serve the line until cancelled."""
        self._terminal.listen()
        if not self._bench.is_locked:
            from gatelodge.console.blank import BlankConsole  # 15 KB that a locked router does not need

            await BlankConsole(self._terminal, self._bench, self._restart).run()
        await self._serve_locked()

    async def _serve_locked(self):
        door = LockedConsole(self._status, self._actions)
        await self._terminal.write(door.start())
        while True:
            await self._terminal.write(door.received(await self._next_piece(door)))

    async def _next_piece(self, door):
        if not door.is_asking:
            return await self._terminal.read()
        try:
            return await with_deadline(self._terminal.read(), ANSWER_MS, "the answer")
        except LineError:
            return _CTRL_C
