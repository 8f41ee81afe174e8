"""The same bundle to the same board over a line held to 115200 baud, three ways, one after the other.

Ours sends it as one file. `mpremote fs cp -r` copies its files, which it checks nowhere. The third is what
people write themselves: raw-paste statements that carry base 64 each.
"""

import binascii
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

from host_tools.flash import bundle_file, session
from host_tools.release import bundle
from host_tools.serial_port import BAUD, BenchLine
from tests.fakes.faulty_line import BITS_PER_BYTE, TO_BOARD
from tests.host_tools.flash_rig import FlashRig

SIZE, QUICK_SIZE = 256 * 1024, 16 * 1024
STATEMENT = 3072  # bytes of content in one raw-paste statement; a small board's heap holds that thrice
TIMEOUT_S = 600


def some_of(files, most):
    """As many of the bundle's files, in its order, as fit."""
    chosen, total = {}, 0
    for name, content in files.items():
        if total + len(content) <= most:
            chosen[name] = content
            total += len(content)
    return chosen


def ours(rig, content):
    with BenchLine(rig.port) as line:
        board = session.meet(line)
        session.send_file(line, board, str(rig.state.parent / "ours"), content)
    assert rig.read("ours") == content


def by_mpremote(rig, folder):
    target = rig.state.parent / "mpremote"
    command = [sys.executable, "-m", "mpremote", "connect", rig.port, "fs", "cp", "-r", folder, f":{target}"]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S)
    assert fingerprint(target) == fingerprint(folder)


def by_base64(rig, content):
    path = str(rig.state.parent / "base64")
    with BenchLine(rig.port) as line:
        line.execute(f"from binascii import a2b_base64\nf = open({path!r}, 'wb')")
        for start in range(0, len(content), STATEMENT):
            text = binascii.b2a_base64(content[start : start + STATEMENT], newline=False).decode()
            line.execute(f"f.write(a2b_base64('{text}'))")
        line.execute("f.close()")
    assert rig.read("base64") == content


def fingerprint(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path.relative_to(folder), hashlib.sha256(path.read_bytes()).digest()) for path in files]


def timed(rig, way, *arguments):
    """(seconds, wire bytes in both directions)."""
    began, before = time.monotonic(), rig.line.bytes
    way(rig, *arguments)
    return time.monotonic() - began, rig.line.bytes - before


def line_share(rig, quick):
    """Of what the line can carry towards the board, while a transfer streams.

    Two sizes of what deflate cannot shrink: the handshake, the stub and the last hash are in both, and not in
    their difference.
    """
    sizes = (8 * 1024, 40 * 1024) if quick else (32 * 1024, 160 * 1024)
    seconds, carried = [], []
    for size in sizes:
        before = rig.line.carried[TO_BOARD]
        seconds.append(timed(rig, ours, os.urandom(size))[0])
        carried.append(rig.line.carried[TO_BOARD] - before)
    return (carried[1] - carried[0]) * BITS_PER_BYTE / BAUD / (seconds[1] - seconds[0])


def probe(lab):
    directory = Path(lab.directory, "flashing")
    files = some_of(bundle_file._files(bundle.build().read_bytes()), QUICK_SIZE if lab.quick else SIZE)
    for name, data in files.items():
        path = directory / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    content = bundle.archive(files, 0)
    with FlashRig(directory) as rig:
        rig.line.baud = BAUD
        lab.tell("ours")
        our_s, our_bytes = timed(rig, ours, content)
        share = line_share(rig, lab.quick)
        lab.tell("raw-paste with base 64")
        base64_s, base64_bytes = timed(rig, by_base64, content)
        lab.tell("mpremote fs cp -r")
        mpremote_s, mpremote_bytes = timed(rig, by_mpremote, directory / "files")
    return {
        "flash_wire": our_bytes / len(content),
        "flash_wire_base64": base64_bytes / len(content),
        "flash_wire_mpremote": mpremote_bytes / len(content),
        "flash_s": our_s,
        "flash_line": 100 * share,
        "flash_s_base64": base64_s,
        "flash_s_mpremote": mpremote_s,
        "details": {"bytes": len(content), "files": len(files)},
    }
