"""`gatelodge flash` and a whole router: loader, slots, daemon; and ports at which no router answers."""

import hashlib
import json
import os
import random
import select
import threading
import tty

import pytest
from gatelodge.contract import bundle as contract

from host_tools import cli, exit_codes
from host_tools.flash import bundle_file
from host_tools.release import bundle, signing
from tests.fakes import bundles as small_bundles
from tests.fakes.faulty_line import CUT, RESET, TO_BOARD, Fault
from tests.host_tools.flash_rig import short_deadlines
from tests.host_tools.host_board_rig import NEWER, HostBoard, newer_bundle

HANDSHAKE_BYTES = 5000  # at most, before a bundle's first block


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    return newer_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def router(tmp_path, bundles):
    with HostBoard(tmp_path, bundles[0]) as router:
        yield router


def flash(port, path):
    """The exit status of the command."""
    with short_deadlines():
        return cli.main(["flash", "--port", str(port), str(path)])


def fingerprint(folder):
    """Of every file below it."""
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(os.fsencode(path) + path.read_bytes() for path in names)).hexdigest()


def test_a_bundle_goes_into_the_slot_that_does_not_run_and_then_runs(router, bundles, capsys):
    before = fingerprint(router.flash / "slots/a")
    assert flash(router.port, bundles[1]) == exit_codes.OK
    assert f"firmware {NEWER} runs in slot b" in capsys.readouterr().out
    assert router.version("b") == NEWER
    assert fingerprint(router.flash / "slots/a") == before


@pytest.mark.parametrize("kind, at", [(CUT, 3000), (CUT, 200_000), (RESET, 150_000)])
def test_whatever_happens_in_the_middle_the_old_slot_stays_and_running_it_again_ends_it(
    router, bundles, kind, at
):
    before = fingerprint(router.flash / "slots/a")
    router.line.plan(Fault(TO_BOARD, at, kind))
    status = flash(router.port, bundles[1])
    assert fingerprint(router.flash / "slots/a") == before
    if status != exit_codes.OK:
        assert status in (exit_codes.HANDSHAKE, exit_codes.TRANSFER)
        assert router.version("b") is None
        router.line.plan()
        assert flash(router.port, bundles[1]) == exit_codes.OK
    assert router.version("b") == NEWER
    assert fingerprint(router.flash / "slots/a") == before


def with_manifest(tmp_path, path, **changes):
    """The bundle with another manifest, signed by this computer as any other."""
    key = signing.developer_key()
    found = bundle_file.read(path, signing.public_half(key))
    manifest = json.dumps({**found.manifest, **changes}, sort_keys=True).encode()
    files = bundle_file._files(found.content)
    files[contract.MANIFEST], files[contract.SIGNATURE] = manifest, signing.sign(key, manifest)
    changed = tmp_path / "changed.tar"
    changed.write_bytes(bundle.archive(files, 0))
    return changed


def test_a_bundle_for_another_board_is_refused_before_it_is_sent(router, bundles, tmp_path, capsys):
    path = with_manifest(tmp_path, bundles[1], mpy_version=5)
    before = fingerprint(router.flash)
    assert flash(router.port, path) == exit_codes.REFUSED_BY_BOARD
    assert "the bundle is for .mpy version 5" in capsys.readouterr().err
    assert router.line.bytes < HANDSHAKE_BYTES
    assert fingerprint(router.flash) == before


def test_a_bundle_of_another_key_is_refused_before_the_port_is_opened(tmp_path, capsys):
    path = tmp_path / "foreign.tar"
    path.write_bytes(small_bundles.signed())
    assert flash(tmp_path / "no-port", path) == exit_codes.VERIFICATION
    assert "is not signed by the key that is trusted here" in capsys.readouterr().err


@pytest.mark.parametrize("part", [contract.MANIFEST, contract.SIGNATURE, "gatelodge/daemon.mpy"])
def test_a_bundle_with_a_flipped_bit_never_leaves_this_computer(tmp_path, bundles, part):
    content = bytearray(bundles[1].read_bytes())
    data = bundle_file._files(content)[part]
    content[content.index(data) + len(data) // 2] ^= 1
    path = tmp_path / "flipped.tar"
    path.write_bytes(content)
    assert flash(tmp_path / "no-port", path) == exit_codes.VERIFICATION


class Peer:
    """The other end of a pty. `says(heard)`: what it answers, called again and again; b"" is silence."""

    def __init__(self, says):
        self._says = says
        self._stop = threading.Event()

    def __enter__(self):
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    def _talk(self):
        while not self._stop.is_set():
            ready, _, _ = select.select([self._master], [], [], 0.01)
            heard = os.read(self._master, 4096) if ready else b""
            answer = self._says(heard)
            if answer and select.select([], [self._master], [], 0)[1]:
                try:
                    os.write(self._master, answer)
                except BlockingIOError:
                    continue  # nobody reads: it babbles into the void


NOISE = random.Random(1)
BANNER = b"raw REPL; CTRL-B to exit\r\n>"
PEERS = {
    "silent": lambda heard: b"",
    "an echo": lambda heard: heard,
    "noise": lambda heard: NOISE.randbytes(500),
    "one letter for ever": lambda heard: b"U" * 500,
    "a prompt and nothing behind it": lambda heard: BANNER if heard else b"",
    "prompts for ever": lambda heard: BANNER * 20,
    "a prompt, then one letter for ever": lambda heard: BANNER + b"OK" + b"U" * 400,
    "an answer to everything": lambda heard: BANNER + b"OK\x04\x04>",
}


@pytest.mark.parametrize("says", PEERS.values(), ids=PEERS)
def test_a_port_that_is_silent_or_babbles_is_given_up_with_a_status_of_its_own(says, bundles):
    with Peer(says) as peer:
        status = flash(peer.port, bundles[1])
    assert status in (exit_codes.HANDSHAKE, exit_codes.TRANSFER)
