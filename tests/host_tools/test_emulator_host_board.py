import asyncio
import json
import tarfile

import pytest

from host_tools.emulator import host_board
from host_tools.emulator.host_board import HostRouter, install
from host_tools.emulator.serial_line import SerialLine
from host_tools.release import board_image, bundle

PORTS = {"admin": 8443, "http": 8080}


def make_bundle(path, version):
    files = {"manifest.json": json.dumps({"version": version}).encode(), "gatelodge/a.mpy": version.encode()}
    path.write_bytes(bundle.archive(files, 0))
    return path


def in_slot(flash):
    return (flash / "slots" / "a" / "gatelodge" / "a.mpy").read_text()


def test_a_blank_flash_gets_the_firmware(tmp_path):
    install(make_bundle(tmp_path / "bundle.tar", "1.0.0"), tmp_path / "flash")
    assert in_slot(tmp_path / "flash") == "1.0.0"


def test_other_firmware_replaces_the_whole_slot(tmp_path):
    install(make_bundle(tmp_path / "bundle.tar", "1.0.0"), tmp_path / "flash")
    (tmp_path / "flash" / "slots" / "a" / "left-over.mpy").write_text("old")
    install(make_bundle(tmp_path / "bundle.tar", "1.1.0"), tmp_path / "flash")
    assert in_slot(tmp_path / "flash") == "1.1.0"
    assert not (tmp_path / "flash" / "slots" / "a" / "left-over.mpy").exists()


def test_the_same_firmware_is_left_alone(tmp_path):
    install(make_bundle(tmp_path / "bundle.tar", "1.0.0"), tmp_path / "flash")
    (tmp_path / "flash" / "slots" / "a" / "gatelodge" / "a.mpy").write_text("untouched")
    install(make_bundle(tmp_path / "bundle.tar", "1.0.0"), tmp_path / "flash")
    assert in_slot(tmp_path / "flash") == "untouched"


def test_a_bundle_that_leaves_the_slot_is_refused(tmp_path):
    path = tmp_path / "bundle.tar"
    path.write_bytes(bundle.archive({"manifest.json": b"{}", "../outside": b"x"}, 0))
    with pytest.raises(tarfile.FilterError):
        install(path, tmp_path / "flash")
    assert not (tmp_path / "flash" / "slots" / "outside").exists()


@pytest.fixture
async def router(tmp_path, monkeypatch):
    """A host router whose interpreter is a shell script that counts its starts."""
    monkeypatch.setattr(host_board, "RESTART_PAUSE_S", 0.01)
    line = SerialLine(tmp_path / "serial")
    line.open()
    archive = make_bundle(tmp_path / "bundle.tar", "1.0.0")
    router = HostRouter(
        board_image.load_board("host"), archive, tmp_path / "interpreter", tmp_path, PORTS, line
    )
    yield router
    await router.stop()
    line.close()


def program(router, script):
    router.micropython.write_text(f"#!/bin/sh\necho start >>{router.run_dir}/starts\n{script}\n")
    router.micropython.chmod(0o755)


def starts(router):
    return len((router.run_dir / "starts").read_text().splitlines())


async def test_a_daemon_that_ends_is_started_again(router):
    program(router, f"[ $(wc -l <{router.run_dir}/starts) -lt 3 ] && exit 64; sleep 60")
    await router.power_on()
    async with asyncio.timeout(20):
        while not (router.run_dir / "starts").exists() or starts(router) < 3:
            await asyncio.sleep(0.02)
    assert router.running


async def test_a_daemon_that_was_told_to_stop_stays_off(router):
    program(router, "exit 0")
    await router.power_on()
    assert await asyncio.wait_for(router.wait(), 20) == 0
    assert starts(router) == 1


async def test_the_daemon_has_the_serial_line_as_its_controlling_terminal(router):
    program(router, f"tty >{router.run_dir}/tty; echo hello >/dev/tty; sleep 60")
    await router.power_on()
    with open(router.line.link, "rb", buffering=0) as port:
        assert await asyncio.wait_for(asyncio.to_thread(port.read, 5), 20) == b"hello"
    assert (router.run_dir / "tty").read_text().startswith("/dev/pts/")


async def test_a_stopped_router_is_not_started_again(router):
    program(router, "sleep 60")
    await router.power_on()
    async with asyncio.timeout(20):
        while not (router.run_dir / "starts").exists():
            await asyncio.sleep(0.02)
    await router.stop()
    assert not router.running
    assert starts(router) == 1
