"""The reference board under QEMU: its command line, its flash, its power switch."""

import os
import shutil
import socket
from pathlib import Path

from host_tools import exit_codes
from host_tools.emulator.process import Child
from host_tools.emulator.serial_line import SerialLine
from host_tools.errors import ToolError
from host_tools.release.board_image import Image

FLASH = "flash.img"
LOG = "router.log"


def command(image: Image, run_dir: Path, ports: dict[str, int], serial_fd: int) -> list[str]:
    """Return QEMU's command line. The router's UART is the descriptor `serial_fd`."""
    qemu = image.recipe["qemu"]
    guest = qemu["lan"]["guest"]
    web = image.board["web"]
    forwards = "".join(
        f",hostfwd=tcp:127.0.0.1:{ports[name]}-{guest}:{web[field]}"
        for name, field in (("admin", "https_port"), ("http", "http_port"))
    )
    # gatelodge.develop: firmware that is newer than the flash's is installed at boot.
    line = " ".join([*qemu["command_line"], "gatelodge.develop", f"gatelodge.https_port={ports['admin']}"])
    return [
        qemu["program"], "-nodefaults", "-no-user-config", "-display", "none", "-name", "gatelodge",
        "-machine", qemu["machine"], "-cpu", qemu["cpu"], "-m", str(qemu["memory_mb"]),
        # A router has no battery clock: it wakes up in 1970.
        "-rtc", "base=1970-01-01",
        "-kernel", str(image.kernel), "-initrd", str(image.initramfs), "-append", line,
        # writeback: the router's flush is this computer's fsync, and a killed QEMU loses nothing flushed.
        "-drive", f"if=none,id=flash,format=raw,cache=writeback,file={_escaped(run_dir / FLASH)}",
        "-device", "virtio-blk-pci,drive=flash",
        "-device", "virtio-rng-pci",
        "-netdev", f"user,id=wan,net={qemu['wan']['net']},host={qemu['wan']['host']}",
        "-device", f"virtio-net-pci,netdev=wan,romfile=,mac={qemu['wan']['mac']}",
        "-netdev", f"user,id=lan,net={qemu['lan']['net']}{forwards}",
        "-device", f"virtio-net-pci,netdev=lan,romfile=,mac={qemu['lan']['mac']}",
        "-chardev", f"file,id=log,path={_escaped(run_dir / LOG)}",
        "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=log",
        "-chardev", f"socket,id=uart,fd={serial_fd}", "-serial", "chardev:uart",
    ]  # fmt: skip


def _escaped(path: Path) -> str:
    return str(path.resolve()).replace(",", ",,")  # QEMU's own rule for commas in options


class QemuRouter(Child):
    def __init__(self, image: Image, run_dir: Path, ports: dict[str, int], line: SerialLine):
        super().__init__("router")
        self.image = image
        self.run_dir = run_dir
        self.ports = ports
        self.line = line
        self.log = run_dir / LOG
        self.our_address = image.recipe["qemu"]["wan"]["host"]

    async def power_on(self) -> None:
        program = self.image.recipe["qemu"]["program"]
        if not shutil.which(program):
            raise ToolError(f"{program} is missing", "run `make setup`", exit_codes.MISSING_TOOL)
        make_flash(self.run_dir / FLASH, self.image.board["flash_mb"])
        self.log.write_bytes(b"")  # QEMU does that too, but after current.json has told of the new router
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = command(self.image, self.run_dir, self.ports, theirs.fileno())
            await self.start(arguments, self.run_dir / "qemu.log", pass_fds=(theirs.fileno(),))
        self.line.attach(ours.detach())

    def describe_end(self, status: int) -> str:
        if status == 0:
            # Its own doing: from the admin page, or because its flash cannot be mounted.
            return "the router switched itself off"
        words = (self.run_dir / "qemu.log").read_text(errors="replace").strip().splitlines()
        return f"QEMU ended with status {status}" + (f" ({words[-1]})" if words else "")


def make_flash(path: Path, megabytes: int) -> None:
    """Make a blank flash, all zeros and sparse, unless there is one."""
    if path.exists():
        return
    blank = path.with_suffix(".blank")
    with blank.open("wb") as file:
        os.truncate(file.fileno(), megabytes << 20)
    blank.rename(path)
