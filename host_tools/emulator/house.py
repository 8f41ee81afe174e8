"""Everything that `gatelodge run` starts, in one object: the network time, the cloud, the cable, the router.

What starts here stops here, in the reverse order, and nothing else does.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatelodge.contract import board as contract
from gatelodge.contract.errors import BoardError

from host_tools import exit_codes
from host_tools.emulator import bench, ports, waiting
from host_tools.emulator.cloud import HEALTH, SERVER_NAME, CloudProcess
from host_tools.emulator.host_board import HostRouter
from host_tools.emulator.qemu import QemuRouter
from host_tools.emulator.run_dir import CA, CURRENT, LABEL, SERIAL, UNIT, RunDir
from host_tools.emulator.serial_line import SerialLine
from host_tools.emulator.sntp_responder import SntpResponder
from host_tools.errors import ToolError
from host_tools.progress import Progress
from host_tools.release import board_image, bundle, micropython
from host_tools.release.places import BOARDS, write_whole

CLOUD_TIMEOUT_S = 30  # the first start makes keys and a database
BOOT_TIMEOUT_S = 90  # two seconds on an idle computer; tests share theirs
REFERENCE, HOST = "qemu-virt-aarch64", "host"


@dataclass(frozen=True)
class Options:
    board: str = REFERENCE
    run_dir: Path = Path(".run")
    fresh: bool = False
    auto_ports: bool = False
    port_base: int | None = None
    network_time: bool = True
    blank: bool = False  # leave a blank router blank, for somebody else to provision
    restart_after_s: float | None = None  # None: a part that dies ends the run
    heap_kb: int | None = None  # None: as board.json has it
    heartbeat_s: int | None = None  # None: the cloud's own for development


def with_heap(board: dict[str, Any], heap_kb: int | None) -> dict[str, Any]:
    """Return the board with another heap, if one is given. ToolError when it is none to work in."""
    if heap_kb is None:
        return board
    try:
        return contract.check({**board, "heap_kb": heap_kb})
    except BoardError as error:
        wrong, _, remedy = str(error).partition(": ")
        raise ToolError("--" + wrong.replace("_", "-", 1), remedy, exit_codes.USAGE) from error


class House:
    """`async with House(options, progress) as house` is a router and a cloud that answer."""

    def __init__(self, options: Options, progress: Progress):
        self.options = options
        self.progress = progress
        self.run_dir = RunDir(options.run_dir)
        self.sntp = SntpResponder()
        self.closers = contextlib.AsyncExitStack()
        self.ready = False

    async def __aenter__(self) -> "House":
        self.run_dir.lock()
        self.closers.callback(self.run_dir.unlock)
        try:
            await self._start()
        except BaseException:
            await self.closers.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.closers.aclose()

    async def _start(self) -> None:
        if self.options.fresh:
            self.run_dir.start_over()
        if not self.flash.exists():
            (self.run_dir / UNIT).unlink(missing_ok=True)
        self.run_dir.claim_for_board(self.options.board)
        self.ports = ports.choose(self.run_dir.path, self.options.auto_ports, self.options.port_base)
        await self._build()
        self.authority = await asyncio.to_thread(bench.authority, self.run_dir / "factory")
        if self.options.network_time:
            await self.sntp.start(self.ports["ntp"])
            self.closers.callback(self.sntp.close)
        self.cloud = CloudProcess(self.run_dir.path, self.ports, self.options.heartbeat_s)
        self.closers.push_async_callback(self.cloud.stop)
        self.closers.push_async_callback(self.router.stop)
        self.cloud.on_start = self.router.on_start = self.write_current
        self.line.open()
        self.closers.callback(self.line.close)
        await asyncio.gather(self.cloud.power_on(), self.router.power_on())
        await waiting.first(self._bring_up(), self._end_of(self.cloud), self._end_of(self.router))

    async def _build(self) -> None:
        """Make the router, from whatever of it is not yet built."""
        if self.options.heap_kb is not None and self.options.board != HOST:
            wrong = f"--heap-kb is for the board host, not for {self.options.board}"
            raise ToolError(wrong, "change heap_kb in its board.json", exit_codes.USAGE)
        self.line = SerialLine(self.run_dir / SERIAL)
        place = (self.run_dir.path, self.ports, self.line)
        if self.options.board == HOST:
            with self.progress.job("MicroPython") as job:
                interpreter = await asyncio.to_thread(micropython.build)
                archive = await asyncio.to_thread(bundle.build)
                job.detail = f"firmware {bundle.version()}"
            self.board = board_image.trusting(with_heap(board_image.load_board(HOST), self.options.heap_kb))
            self.router: HostRouter | QemuRouter = HostRouter(self.board, archive, interpreter, *place)
            return
        with self.progress.job("board image") as job:
            image = await asyncio.to_thread(board_image.build, self.options.board)
            job.detail = f"{image.initramfs.stat().st_size / 1e6:.1f} MB, firmware {bundle.version()}"
        self.board = image.board
        self.router = QemuRouter(image, *place)

    async def _bring_up(self) -> None:
        with self.progress.job("cloud") as job:
            await self._answered(self.cloud.url + HEALTH, self.cloud.ca_file, CLOUD_TIMEOUT_S, self._no_cloud)
            job.detail = self.cloud.url
        authority = self.authority.ca_pem + b"\n" + self.cloud.ca_file.read_bytes()
        write_whole(self.run_dir / CA, authority)
        if self.options.blank:
            with self.progress.job("blank router") as job:
                await asyncio.to_thread(bench.wait_for_console, self.run_dir / SERIAL)
                job.detail = str(self.run_dir / SERIAL)
        else:
            await self._open_admin_page()
        self.ready = True
        self.write_current()

    async def _open_admin_page(self) -> None:
        if not self.provisioned:
            await self._provision()
        with self.progress.job("admin page") as job:
            await self._answered(self.admin_url, self.run_dir / CA, BOOT_TIMEOUT_S, self._no_router)
            job.detail = self.admin_url

    @property
    def provisioned(self) -> bool:
        return self.run_dir.unit() is not None

    @property
    def flash(self) -> Path:
        return self.run_dir / ("flash" if self.options.board == HOST else "flash.img")

    @property
    def admin_url(self) -> str:
        # Not "localhost": cookies are kept per host name, whatever the port, and the cloud has that one.
        return f"https://127.0.0.1:{self.ports['admin']}"

    async def _provision(self) -> None:
        with self.progress.job("factory bench") as job:
            unit = await asyncio.to_thread(
                bench.provision_unit,
                self.run_dir / SERIAL,
                self.authority,
                self.board["web"]["names"],
                bench.cloud(self.cloud.ca_file, self.router.our_address, self.ports),
                self.run_dir / LABEL,
                BOARDS / self.options.board / "board.json",
                lambda fields: self.run_dir.write_json(UNIT, fields),
                lambda step, found: job.update(f"{step} {found}"),
            )
            job.detail = f"{unit.serial_number} is provisioned and locked"

    async def _answered(
        self, url: str, ca_file: Path, timeout_s: float, fault: Callable[[], ToolError]
    ) -> None:
        try:
            await waiting.until_answered(url, ca_file, timeout_s)
        except TimeoutError:
            raise fault() from None

    def _no_cloud(self) -> ToolError:
        wrong = f"the cloud did not answer within {CLOUD_TIMEOUT_S} s"
        return ToolError(wrong, f"read {self.cloud.log}", exit_codes.CLOUD_DID_NOT_START)

    def _no_router(self) -> ToolError:
        wrong = f"the router's admin page did not answer within {BOOT_TIMEOUT_S} s"
        return ToolError(wrong, f"read {self.router.log}", exit_codes.ROUTER_DID_NOT_BOOT)

    async def _end_of(self, part: CloudProcess | HostRouter | QemuRouter) -> None:
        """Raise ToolError when the part ends."""
        status = await part.wait()
        raise ToolError(part.describe_end(status), f"read {part.log}", exit_codes.PART_DIED)

    async def watch(self) -> None:
        """Return never: raise ToolError when a part ends, or start it again if the options say so."""
        parts = (self.cloud, self.router)
        if self.options.restart_after_s is None:
            await waiting.first(self._end_of(parts[0]), self._end_of(parts[1]))
        else:
            await asyncio.gather(*(self._keep_running(part) for part in parts))

    async def _keep_running(self, part: CloudProcess | HostRouter | QemuRouter) -> None:
        while True:
            status = await part.wait()
            self.progress.event(event="ended", part=part.name, status=status)
            self.progress.say(f"  {part.describe_end(status)}; starting it again")
            await asyncio.sleep(self.options.restart_after_s or 0)
            await part.power_on()

    def write_current(self) -> None:
        if self.ready:
            self.run_dir.write_json(CURRENT, self.current())

    def current(self) -> dict[str, Any]:
        """What scripts are told: where everything is."""
        unit = self.run_dir.unit() or {}
        process = "daemon" if self.options.board == HOST else "qemu"
        return {
            "board": self.options.board,
            "admin_url": self.admin_url,
            "http_url": f"http://127.0.0.1:{self.ports['http']}",
            "cloud_url": self.cloud.url,
            "portal_url": self.cloud.portal_url,
            "help_url": self.cloud.help_url,
            "outbox_url": self.cloud.url + "/outbox",
            "cloud_ca": str(self.cloud.ca_file),
            "cloud_server_name": SERVER_NAME,
            "cloud_for_router": f"{self.router.our_address}:{self.ports['cloud_devices']}",
            "ntp_for_router": f"{self.router.our_address}:{self.ports['ntp']}",
            "serial_port": str(self.run_dir / SERIAL),
            "serial_number": unit.get("serial_number"),
            "service_code": bench.grouped(unit) if unit else None,
            "ca_file": str(self.run_dir / CA),
            "factory_dir": str(self.run_dir / "factory"),
            "router_log": str(self.router.log),
            "cloud_log": str(self.cloud.log),
            "flash": str(self.flash),
            "pids": {"emulator": os.getpid(), process: self.router.pid, "cloud": self.cloud.pid},
        }
