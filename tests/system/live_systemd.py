"""This computer's systemd as process 1 of namespaces of its own (live_systemd.sh): it boots within a second.

    with LiveSystemd(directory) as live:
        live.run("systemctl", "start", "gatelodge-cloud.service")
        with live.network(): ...                # sockets that are made here are of its network
        live.path("/etc/systemd/system")        # its files, from here
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tests.system.rig import until

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_suffix(".sh")
NAMESPACES = ("--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup")
TIMEOUT_S = 120
CLONE_NEWNET = 0x40000000  # setns(2)


def why_not():
    """Why this computer cannot do it, in a sentence; None where it can."""
    if os.geteuid() != 0:
        return "a systemd in namespaces of its own needs root"
    if _python() is None:
        return "Python is in a home directory, which a service does not see, and Debian's is another version"
    with tempfile.TemporaryDirectory() as place:
        attempt = ("mount", "-t", "cgroup2", "cgroup2", place)
        command = ("unshare", *NAMESPACES, "--fork", *attempt)
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    return f"the kernel forbids namespaces: {done.stderr.strip()}" if done.returncode else None


class LiveSystemd:
    def __init__(self, directory):
        directory.mkdir()
        packages = os.path.realpath(sysconfig.get_path("purelib"))
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "sh"]
        command += map(str, (SCRIPT, directory, ROOT, _python(), packages))
        self._output = directory.with_suffix(".out")
        with self._output.open("wb") as output:
            pipes = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            self._process = subprocess.Popen(command, **pipes)
        self.pid = None
        try:
            self.pid = until(self._first_process, "systemd did not boot", TIMEOUT_S)
            until(lambda: self.ask("systemctl", "is-system-running") == "running", "systemd is not running")
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _first_process(self):
        """The process of systemd, once it is that: below sh, unshare and sh."""
        assert self._process.poll() is None, self._output.read_text()
        pid = self._process.pid
        with contextlib.suppress(OSError, LookupError):
            for _ in range(2):
                pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
            return pid if Path(f"/proc/{pid}/comm").read_text() == "systemd\n" else None
        return None

    def try_to(self, *words, **options):
        """The finished process of a command of root in there."""
        command = ("nsenter", "--target", str(self.pid), *NAMESPACES, "--", *map(str, words))
        pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": TIMEOUT_S}
        return subprocess.run(command, **pipes, check=False, **options)

    def ask(self, *words):
        """What it says, whatever becomes of it."""
        return self.try_to(*words).stdout.strip()

    def run(self, *words):
        """What it says; it must not fail."""
        done = self.try_to(*words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout.strip()

    def path(self, inside):
        return Path(f"/proc/{self.pid}/root{inside}")

    def show(self, unit, *properties):
        """Their values; one alone is a string."""
        values = [self.run("systemctl", "show", "--value", f"--property={each}", unit) for each in properties]
        return values[0] if len(values) == 1 else values

    def journal(self, unit, *options):
        return self.run("journalctl", "--no-pager", f"--unit={unit}", *options)

    @contextlib.contextmanager
    def network(self):
        """For this thread."""
        with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{self.pid}/ns/net") as theirs:
            _enter(theirs)
            try:
                yield
            finally:
                _enter(ours)

    def stop(self):
        """Its processes end with it."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
        else:
            self._process.terminate()
        self._process.wait(TIMEOUT_S)


def _python():
    """One that a service sees and that takes the tests' packages: ours, else Debian's of our version."""
    ours = Path(sys.executable).resolve()
    if not ours.is_relative_to("/home") and not ours.is_relative_to("/root"):
        return ours
    debian = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    return debian if debian.exists() else None


def _enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
