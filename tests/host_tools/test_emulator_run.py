import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from host_tools import exit_codes
from host_tools.emulator import qemu, waiting
from host_tools.emulator.host_board import derived_board
from host_tools.emulator.process import Child
from host_tools.emulator.run_dir import CURRENT, UNIT, RunDir
from host_tools.errors import ToolError
from host_tools.release import board_image, places
from host_tools.release.board_image import Image

PORTS = {"admin": 8443, "http": 8080, "cloud": 8444, "cloud_devices": 8445, "ntp": 8123}


def reference(tmp_path):
    recipe = json.loads((places.BOARDS / "qemu-virt-aarch64" / "image.json").read_text())
    board = board_image.load_board("qemu-virt-aarch64")
    return Image(board, recipe, tmp_path / "kernel", tmp_path / "initramfs")


def test_two_runs_do_not_share_a_directory(tmp_path):
    first, second = RunDir(tmp_path), RunDir(tmp_path)
    first.lock()
    with pytest.raises(ToolError) as caught:
        second.lock()
    assert caught.value.exit_code == exit_codes.RUN_DIRECTORY_BUSY
    assert f"process {os.getpid()}" in str(caught.value)
    first.unlock()
    second.lock()
    second.unlock()


def test_a_run_that_was_killed_leaves_no_claim_to_be_ready(tmp_path):
    (tmp_path / CURRENT).write_text("{}")
    run_dir = RunDir(tmp_path)
    run_dir.lock()
    assert not (tmp_path / CURRENT).exists()
    run_dir.unlock()


def test_starting_over_forgets_router_and_cloud_and_touches_nothing_else(tmp_path):
    for name in ("flash.img", UNIT, "ports.json", "my notes"):
        (tmp_path / name).write_text("x")
    (tmp_path / "cloud").mkdir()
    RunDir(tmp_path).start_over()
    assert sorted(os.listdir(tmp_path)) == ["my notes", "ports.json"]


def test_a_flash_fits_only_the_board_it_was_made_for(tmp_path):
    RunDir(tmp_path).claim_for_board("host")
    RunDir(tmp_path).claim_for_board("host")
    with pytest.raises(ToolError) as caught:
        RunDir(tmp_path).claim_for_board("qemu-virt-aarch64")
    assert "holds a router of the board host" in str(caught.value)


def test_what_holds_the_service_code_is_for_its_owner_only(tmp_path):
    RunDir(tmp_path).write_json(UNIT, {"service_code": "x"})
    assert (tmp_path / UNIT).stat().st_mode & 0o777 == 0o600


def test_the_flash_is_blank_once_and_kept_after(tmp_path):
    flash = tmp_path / "flash.img"
    qemu.make_flash(flash, 64)
    assert flash.stat().st_size == 64 << 20
    assert flash.stat().st_blocks == 0  # sparse: it takes no room until it is written
    flash.write_bytes(b"settings")
    qemu.make_flash(flash, 64)
    assert flash.read_bytes() == b"settings"


def test_the_router_wakes_in_1970_and_flushes_to_the_disk(tmp_path):
    line = " ".join(qemu.command(reference(tmp_path), tmp_path, PORTS, 7))
    assert "-rtc base=1970-01-01" in line
    assert "cache=writeback" in line
    assert "hostfwd=tcp:127.0.0.1:8443-192.168.1.1:443" in line
    assert "gatelodge.https_port=8443" in line


def test_a_comma_in_the_directory_does_not_split_an_option(tmp_path):
    folder = tmp_path / "a,b"
    folder.mkdir()
    assert f"file={tmp_path}/a,,b/flash.img" in " ".join(qemu.command(reference(tmp_path), folder, PORTS, 7))


def test_the_host_board_listens_where_the_run_says(tmp_path):
    board = board_image.load_board("host")
    derived = derived_board(board, tmp_path, PORTS)
    assert (derived["web"]["https_port"], derived["state_dir"]) == (8443, str(tmp_path))
    assert board["web"]["https_port"] == board_image.load_board("host")["web"]["https_port"]


async def test_a_child_is_stopped_and_its_output_kept(tmp_path):
    child = Child("sleeper")
    code = "import time; print('here', flush=True); time.sleep(60)"
    await child.start([sys.executable, "-c", code], tmp_path / "log")
    async with asyncio.timeout(10):
        while "here" not in (tmp_path / "log").read_text():
            await asyncio.sleep(0.02)
        await child.stop()
    assert not child.running
    assert child.process.returncode == -signal.SIGTERM


async def test_a_child_that_ignores_the_request_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("host_tools.emulator.process.STOP_TIMEOUT_S", 0.2)
    child = Child("stubborn")
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    await child.start([sys.executable, "-c", code], tmp_path / "log")
    async with asyncio.timeout(10):
        while "deaf" not in (tmp_path / "log").read_text():
            await asyncio.sleep(0.02)
        await child.stop()
    assert child.process.returncode == -signal.SIGKILL


def state_of(pid):
    """Return (program, state) of a process; proc(5)."""
    try:
        _, program, state = Path(f"/proc/{pid}/stat").read_text().replace("(", ")").split(")")
    except FileNotFoundError:
        return "", "gone"
    return program, state.split()[0]


async def test_a_child_ends_when_its_parent_is_killed(tmp_path):
    code = (
        "import asyncio, sys; from pathlib import Path; from host_tools.emulator.process import Child\n"
        "async def main():\n"
        "    child = Child('x'); await child.start(['sleep', '60'], None); print(child.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    environment = {**os.environ, "PYTHONPATH": str(places.ROOT)}
    pipe = asyncio.subprocess.PIPE
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=pipe, env=environment)
    child = int(await parent.stdout.readline())
    async with asyncio.timeout(10):
        while state_of(child)[0] != "sleep":  # until then it is still setting itself up
            await asyncio.sleep(0.02)
        parent.kill()
        await parent.wait()
        while state_of(child)[1] not in ("gone", "Z"):
            await asyncio.sleep(0.02)


async def test_a_part_that_dies_ends_the_wait_for_another():
    async def dies():
        raise ToolError("the cloud ended", "read its log")

    with pytest.raises(ToolError):
        await waiting.first(asyncio.sleep(60), dies())


async def test_the_main_work_ends_the_watching():
    assert await waiting.first(asyncio.sleep(0, "ready"), asyncio.sleep(60)) == "ready"
