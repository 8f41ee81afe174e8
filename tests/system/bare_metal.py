"""A board that none of us wrote: bare-metal MicroPython on QEMU's mps2-an385, from Debian's source package.

    with BareMetal() as board:
        ... open board.port ...             # a pty: QEMU's serial chardev

A Cortex-M3 without an operating system: its raw REPL is MicroPython's own, Ctrl-C interrupts nothing while
code reads its line, and its heap has 139 KB. It has no file system (tests/fakes/ram_files.py gives it one).
The build takes a minute on two idle cores, and is kept in build/.
"""

import os
import re
import select
import subprocess
import tarfile

from host_tools.release import places

SUITE = "trixie"
PACKAGE = "micropython"
PORT = "ports/qemu"
BOARD = "MPS2_AN385"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FETCH_TIMEOUT_S = 300  # 6 MB, and 10 MB of lists
BUILD_TIMEOUT_S = 900  # one minute on two idle cores
START_TIMEOUT_S = 30

PROGRAM = "firmware.elf"
QEMU = ("qemu-system-arm", "-machine", "mps2-an385", "-display", "none", "-monitor", "none",
        "-semihosting", "-chardev", "pty,id=line", "-serial", "chardev:line")  # fmt: skip


def build():
    """Return the path of the board's program, built at the first call."""
    return places.whole_folder(places.BUILD / f"bare-metal-{BOARD}-{SUITE}", _fill) / PROGRAM


def _fill(folder):
    with places.scratch(folder.parent) as temporary:
        archive = _fetch(temporary)
        with tarfile.open(archive) as tar:
            tar.extractall(temporary / "source", filter="data")
        (root,) = (temporary / "source").iterdir()
        # No manifest: Debian leaves out what the port would freeze into the program.
        make = ["make", "-C", str(root / PORT), f"-j{os.cpu_count()}", f"BOARD={BOARD}", "FROZEN_MANIFEST="]
        _run(make, BUILD_TIMEOUT_S)
        places.write_whole(folder / PROGRAM, (root / PORT / f"build-{BOARD}" / PROGRAM).read_bytes())


def _fetch(folder):
    """The package's source as its authors packed it; apt checks the signature up to Debian's key."""
    (folder / "lists" / "partial").mkdir(parents=True)
    sources = folder / "sources.list"
    sources.write_text(f"deb-src [signed-by={KEYRING}] {_archive()} {SUITE} main\n")
    private = [
        f"Dir::Etc::SourceList={sources}", "Dir::Etc::SourceParts=/dev/null", f"Dir::Cache={folder}",
        f"Dir::State::Lists={folder / 'lists'}", "APT::Sandbox::User=", "Debug::NoLocking=1",
    ]  # fmt: skip
    options = [word for option in private for word in ("-o", option)]
    _run(["apt-get", *options, "-qq", "update"], FETCH_TIMEOUT_S)
    _run(["apt-get", *options, "-qq", "--download-only", "source", PACKAGE], FETCH_TIMEOUT_S, cwd=folder)
    (archive,) = folder.glob("*.orig.tar.*")
    return archive


def _archive():
    """The Debian archive that this computer's apt already uses."""
    targets = _run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)"], 60)
    for line in targets.splitlines():
        if line.startswith("Debian Debian main "):
            return line.split()[-1]
    raise RuntimeError("this computer's apt knows no Debian archive to fetch MicroPython's source from")


def _run(command, timeout, **options):
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, **pipes, text=True, timeout=timeout, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-500:]}")
    return done.stdout


class BareMetal:
    def __enter__(self):
        command = [*QEMU, "-kernel", os.fspath(build())]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self._process = subprocess.Popen(command, **pipes)
        try:
            self.port = self._read_port()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def _read_port(self):
        """QEMU names the pty that it has opened."""
        said = b""
        while not (found := re.search(rb"/dev/pts/\d+", said)):
            ready, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT_S)
            data = os.read(self._process.stdout.fileno(), 1024) if ready else b""
            if not data:
                raise TimeoutError(f"QEMU named no serial port: {said!r}")
            said += data
        return found[0].decode()
