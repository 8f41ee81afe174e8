"""Several blank emulated routers at one bench: QEMU and a serial line each, no cloud.

with QemuBench(directory, count=4) as bench:
    bench.ports             # paths of the serial lines
"""

import asyncio
import contextlib
import socket
import threading

from host_tools.emulator.qemu import QemuRouter
from host_tools.emulator.serial_line import SerialLine
from host_tools.release import board_image
from tests.system.rig import REFERENCE

START_S = 600  # the first run on a machine builds the image, too
STOP_S = 60


class QemuBench:
    def __init__(self, directory, count):
        self.ports = []
        self._directory = directory
        self._count = count
        self._routers = []
        self._lines = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="the emulated routers")

    def __enter__(self):
        image = board_image.build(REFERENCE)
        self._thread.start()
        try:
            self._call(self._power_on(image), START_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._call(self._stop(), STOP_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work, seconds):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    async def _power_on(self, image):
        for number in range(self._count):
            place = self._directory / f"router-{number}"
            place.mkdir()
            line = SerialLine(place / "serial")
            line.open()
            self._lines.append(line)
            router = QemuRouter(image, place, free_ports(), line)
            self._routers.append(router)
            await router.power_on()
            self.ports.append(str(place / "serial"))

    async def _stop(self):
        await asyncio.gather(*(router.kill() for router in self._routers))
        for line in self._lines:
            line.close()

    def log(self, number):
        return self._routers[number].log.read_text(errors="replace")


def free_ports():
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        return dict(zip(("admin", "http"), (one.getsockname()[1] for one in taken), strict=True))
