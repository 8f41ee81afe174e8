"""The console of a router that is still at the factory: MicroPython's REPL, and in it the verbs of the bench.

    await BlankConsole(terminal, bench, restart).run()    # returns once the bench is over

Parameters as console.py has them. Code runs in the daemon's own loop and stops everything else meanwhile, as
on a board: nobody is served by a router that is still at the factory. A locked router does not load this.
"""

import asyncio

from gatelodge import compat, log
from gatelodge.console.raw_repl import EXECUTE, SEND, RawRepl
from gatelodge.console.runner import INTERRUPTED, RUN_S, Runner

# The answer to `lock` is 60 bytes, 5 ms at 115200 baud; 50 times that before the line may drop.
LAST_WORDS_S = 0.25


class BlankConsole:
    def __init__(self, terminal, bench, restart):
        self._terminal = terminal
        self._bench = bench
        self._restart = restart
        self._repl = RawRepl(bench.banner)
        self._runner = Runner({"bench": bench, "line_speed": terminal.change_speed}, terminal.listen)

    async def run(self):
        """Serve the REPL until the bench has locked the router, or installed firmware."""
        self._repl.start()
        while self._bench.closing is None:
            try:
                await self._carry_out()
                if self._bench.closing is None:
                    self._repl.receive(await self._terminal.read())
            except KeyboardInterrupt:  # one more than `_execute` was prepared for
                self._be_deaf()
                self._repl.executed(INTERRUPTED.error)
        await asyncio.sleep(LAST_WORDS_S)
        self._restart(self._bench.closing)
        if not self._bench.is_locked:
            await asyncio.Event().wait()  # for the restart

    async def _carry_out(self):
        event = self._repl.next_event()
        while event is not None:
            if event.name == SEND:
                await self._terminal.write(event.data)
            elif self._bench.closing is not None:
                return  # what came in one piece with the last verb is answered no more
            elif event.name == EXECUTE:
                self._execute(event)
            else:
                self._reset()
            event = self._repl.next_event()

    def _reset(self):
        self._runner.reset()
        self._repl.was_reset()

    def _execute(self, event):
        compat.set_alarm(RUN_S)  # until the interpreter is proved sound
        outcome = self._run(event)
        self._be_deaf()
        self._repl.executed(outcome.error)
        if outcome.reset:
            self._reset()
        if outcome.must_restart:
            log.warning("console", "an interrupt hit a garbage collection: restarting")
            self._restart("an interrupt hit a garbage collection")

    def _run(self, event):
        """Run the code between the two states of the terminal. Ctrl-C works from the acknowledgement on."""
        try:
            compat.hear_interrupts()
            self._terminal.run_code(for_a_person=not event.acknowledgement)
            self._terminal.write_now(event.acknowledgement)
            if self._repl.take_interrupt():
                return INTERRUPTED
            return self._runner.run(event.data, event.kind)
        except KeyboardInterrupt:
            compat.ignore_interrupts()
            return INTERRUPTED

    def _be_deaf(self):
        """Have no more interrupts, whatever came; end this process unless it is sound."""
        while True:
            try:
                compat.ignore_interrupts()
                compat.end_where_heap_is_locked()  # before what needs memory
                self._terminal.listen()
                break
            except KeyboardInterrupt:
                continue  # where interrupts cannot be ignored, until the terminal makes no more of them
        self._runner.prove_sound()
