"""A real CUPS of the test's own: its scheduler on a free port of loopback, a printer that writes into a file.

    with CupsRig(directory) as cups:
        ... what runs with cups.environment prints on the printer "labels" ...

The printer is a backend of a few lines of shell. It does what `cups.mood` says: print, fail, stop, or hang.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

SERVER_BIN = Path("/usr/lib/cups")
START_TIMEOUT_S = 60
PRINTER = "labels"

CONFIGURATION = """\
Listen 127.0.0.1:{port}
Browsing Off
DefaultAuthType None
WebInterface No
LogLevel warn
PreserveJobFiles No
<Location />
  Order allow,deny
  Allow 127.0.0.1
</Location>
<Policy default>
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
"""
FILES = """\
ServerRoot {root}
ServerBin {root}/bin
DataDir /usr/share/cups
CacheDir {root}/cache
RequestRoot {root}/spool
StateDir {root}/state
TempDir {root}/tmp
AccessLog {root}/access.log
ErrorLog {root}/error.log
PageLog {root}/page.log
User {user}
Group {group}
SystemGroup {admins}
FatalErrors config
"""
BACKEND = """\
#!/bin/sh
# Called without arguments it lists itself; with them, the sixth is the file, or the standard input has it.
[ $# -eq 0 ] && exit 0
case "$(cat {root}/mood)" in
  print) cat "${{6:--}}" > {root}/printed.pdf; echo "$3" > {root}/title ;;
  fail) exit 1 ;;
  stop) exit 4 ;;
  hang) exec sleep 600 ;;
esac
"""


class CupsRig:
    def __init__(self, directory):
        self.root = Path(directory) / "cups"
        self.printed = self.root / "printed.pdf"
        self._process = None

    def __enter__(self):
        for name in ("cache", "spool", "state", "tmp", "bin/backend"):
            (self.root / name).mkdir(parents=True)
        for name in ("daemon", "filter", "monitor", "notifier"):
            (self.root / "bin" / name).symlink_to(SERVER_BIN / name)
        self.mood("print")
        backend = self.root / "bin" / "backend" / "labels"
        backend.write_text(BACKEND.format(root=self.root))
        backend.chmod(0o700)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        who = {"user": "lp", "group": "lp", "admins": "root"}  # the scheduler drops to the first two
        (self.root / "cupsd.conf").write_text(CONFIGURATION.format(port=port))
        (self.root / "cups-files.conf").write_text(FILES.format(root=self.root, **who))
        self.environment = {**os.environ, "CUPS_SERVER": f"127.0.0.1:{port}", "HOME": str(self.root)}
        command = [
            "/usr/sbin/cupsd",
            "-f",
            "-c",
            self.root / "cupsd.conf",
            "-s",
            self.root / "cups-files.conf",
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._add_printer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def mood(self, what):
        (self.root / "mood").write_text(what)

    def enable(self):
        self._run("cupsenable", PRINTER)

    def waiting(self):
        return self._run("lpstat", "-W", "not-completed", "-o").stdout.splitlines()

    def documents(self):
        """What of the jobs is still in the spool."""
        return sorted((self.root / "spool").glob("d*"))

    def _add_printer(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        device = ["-v", "labels:/roll", "-m", "raw", "-o", "printer-error-policy=abort-job"]
        while self._run("lpadmin", "-p", PRINTER, "-E", *device).returncode != 0:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError((self.root / "error.log").read_text())
            time.sleep(0.1)
        self._run("lpadmin", "-d", PRINTER)

    def _run(self, program, *arguments):
        command = [shutil.which(program) or f"/usr/sbin/{program}", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, timeout=60, check=False)
