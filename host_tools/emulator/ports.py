"""The ports of one run directory: chosen once, kept, and refused with a name when somebody has them."""

import contextlib
import errno
import json
import os
import socket
from pathlib import Path
from typing import NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release.places import write_whole

FILE = "ports.json"
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


class Row(NamedTuple):
    name: str
    kind: str
    usual: int
    what: str


ROWS = (
    Row("admin", "tcp", 8443, "the router's admin page"),
    Row("http", "tcp", 8080, "its redirect from plain HTTP"),
    Row("cloud", "tcp", 8444, "the cloud account"),
    Row("cloud_devices", "tcp", 8445, "the cloud's listener for routers"),
    Row("ntp", "udp", 8123, "network time"),
    Row("help", "tcp", 8446, "the cloud's help centre"),
    Row("portal", "tcp", 8447, "the cloud's portal"),
)


def choose(run_dir: Path, automatic: bool = False, base: int | None = None) -> dict[str, int]:
    """Return {name: port}: those this run directory has, else consecutive, free or the usual ones.

    A directory of an older release lacks some: they are chosen now, and the others stay.

    Raises ToolError, naming who has it, when one of them is taken.
    """
    kept = run_dir / FILE
    ports = _new_ports(automatic, base) | (json.loads(kept.read_text()) if kept.is_file() else {})
    if base is not None and ports != _consecutive(base):
        # The cloud's port is part of what the router was provisioned with.
        wrong = f"{run_dir} has its ports already, from {ports['admin']}"
        remedy = "leave --port-base out, or name another directory with --run-dir"
        raise ToolError(wrong, remedy, exit_codes.USAGE)
    for row in ROWS:
        _need_free(row, ports[row.name])
    write_whole(kept, json.dumps(ports, indent=2).encode() + b"\n")
    return ports


def _new_ports(automatic: bool, base: int | None) -> dict[str, int]:
    if base is not None:
        return _consecutive(base)
    return _free_ports() if automatic else {row.name: row.usual for row in ROWS}


def _consecutive(base: int) -> dict[str, int]:
    return {row.name: base + index for index, row in enumerate(ROWS)}


def _free_ports() -> dict[str, int]:
    """Let the kernel choose; all are held until all are chosen, so that none is chosen twice."""
    sockets = {row.name: socket.socket(socket.AF_INET, KINDS[row.kind]) for row in ROWS}
    try:
        for held in sockets.values():
            held.bind(("127.0.0.1", 0))
        return {name: held.getsockname()[1] for name, held in sockets.items()}
    finally:
        for held in sockets.values():
            held.close()


def _need_free(row: Row, port: int) -> None:
    with socket.socket(socket.AF_INET, KINDS[row.kind]) as probe:
        # What servers do: a port of a connection that has just ended counts as free.
        if row.kind == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise _taken(row, port) from None


def _taken(row: Row, port: int) -> ToolError:
    holder = who_holds(row.kind, port)
    stop = f"stop {holder}" if holder else "stop whoever has it"
    return ToolError(
        f"port {port}/{row.kind}, for {row.what}, is taken" + (f" by {holder}" if holder else ""),
        f"{stop}, or choose other ports with --auto-ports and a run directory of its own",
        exit_codes.PORT_TAKEN,
    )


def who_holds(kind: str, port: int) -> str:
    """Return "nginx (process 123)" for whoever listens on a port, or "" when /proc does not tell."""
    inodes = _socket_inodes(kind, port)
    for folder in Path("/proc").glob("[0-9]*/fd"):
        if inodes & _open_files(folder):
            name = (folder.parent / "comm").read_text().strip()
            return f"{name} (process {folder.parent.name})"
    return ""


def _open_files(folder: Path) -> set[str]:
    """Return what a process has open: nothing of another user's process, nor of one that has just ended."""
    found = set()
    try:
        for link in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found.add(os.readlink(link))
    except OSError:
        return set()
    return found


def _socket_inodes(kind: str, port: int) -> set[str]:
    """Read the sockets bound to a port from /proc/net (proc(5))."""
    inodes = set()
    for table in (kind, kind + "6"):
        path = Path("/proc/net") / table
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            listening = kind == "udp" or fields[3] == "0A"  # TCP_LISTEN
            if listening and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return inodes
