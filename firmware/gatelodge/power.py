"""How the router goes down at somebody's word: once whoever asked has the answer.

    power = Power(router, tasks, end, wipe)
    power.restart(by)      the whole router
    power.start_again(by)  the daemon alone, which takes seconds
    power.power_off(by)
    power.reset(by)        it becomes nobody's, at once; then the daemon starts again

`by` says who asked, for the log: "the serial console", "the admin page, from 192.168.1.23".
"""

import asyncio

from gatelodge import log

# The answer is written meanwhile: a few milliseconds, and a second on a line that loses packets.
LAST_WORDS_S = 1


class Power:
    """router: .reboot(), .power_off(). tasks: whose the waiting is. end(last_act): ends the daemon, and calls
    last_act, if any, when everything has stopped. wipe(by): forgets the owner, durably."""

    def __init__(self, router, tasks, end, wipe):
        self._router = router
        self._tasks = tasks
        self._end = end
        self._wipe = wipe

    def restart(self, by):
        log.warning("daemon", "the router restarts, asked by %s", by)
        self._end_soon(self._router.reboot)

    def start_again(self, by):
        log.warning("daemon", "the daemon starts again, asked by %s", by)
        self._end_soon(None)

    def power_off(self, by):
        log.warning("daemon", "the router switches off, asked by %s", by)
        self._end_soon(self._router.power_off)

    def reset(self, by):
        self._wipe(by)
        self._end_soon(None)

    def _end_soon(self, last_act):
        self._tasks.start(self._end_later(last_act), "the last words")

    async def _end_later(self, last_act):
        await asyncio.sleep(LAST_WORDS_S)
        self._end(last_act)
