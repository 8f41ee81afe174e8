"""A PostgreSQL server of the tests' own, from Debian's package, and a fresh database for each who asks.

    url = fresh_database()      # the first call starts the server; it ends with the tests
    url = fresh_database(url)   # a copy
    url = as_role(url)          # the same database, for a role that owns nothing of it
    server().halt("fast")       # or "immediate"; or server().kill(): every process of it, at once
    server().start()            # again, with all that was in it

The server listens on a socket in its own folder only. It forgets to be durable: no test pulls the plug of its
computer.
"""

import atexit
import contextlib
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from sqlalchemy import URL, make_url

PROGRAMS = Path("/usr/lib/postgresql")
START_TIMEOUT_S = 60
SQL_TIMEOUT_S = 60
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "shared_buffers": "32MB",
}
ROLE = "serving"
SOCKET = ".s.PGSQL.5432"
_numbers = itertools.count(1)


class Server:
    """One cluster in a folder of its own. It refuses to run as root: then the user `postgres` runs it."""

    def __init__(self):
        newest = max(PROGRAMS.glob("*/bin"), key=lambda path: int(path.parent.name))
        self._programs = newest
        self.folder = Path(tempfile.mkdtemp(prefix="gatelodge-postgresql-"))
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user)
        atexit.register(self.stop)
        data = self.folder / "data"
        self._run(
            "initdb", "-D", data, "-U", self.user, "-A", "peer", "-E", "UTF8", "--no-sync", "--locale=C"
        )
        me = pwd.getpwuid(os.geteuid()).pw_name
        # Root may be `postgres` on this server's socket, which is in a folder that only the two can open.
        roles = f"me {me} {self.user}\nme {self.user} {self.user}\nme {me} {ROLE}\n"
        (data / "pg_ident.conf").write_text(roles)
        (data / "pg_hba.conf").write_text("local all all peer map=me\n")
        self.start()
        self._run("createuser", "-h", self.folder, "-U", self.user, ROLE)

    def fresh(self, like=None):
        """An empty database, or a copy of one to which nobody is connected. Returns its URL."""
        name = f"cloud{next(_numbers)}"
        template = ["-T", make_url(like).database] if like else []
        self._run("createdb", "-h", self.folder, "-U", self.user, *template, name)
        query = {"host": str(self.folder)}
        return URL.create("postgresql+asyncpg", self.user, database=name, query=query).render_as_string()

    def start(self):
        options = " ".join(f"-c {name}={value!r}" for name, value in SETTINGS.items())
        options += f" -c unix_socket_directories={self.folder}"
        data, log = self.folder / "data", self.folder / "log"
        self._run("pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "-t", START_TIMEOUT_S, "start")

    def halt(self, mode):
        self._run("pg_ctl", "-D", self.folder / "data", "-m", mode, "-w", "stop")

    def kill(self):
        """As a computer's memory that ran out would: nobody says goodbye. What was committed is kept, as
        by a server that is durable.
        """
        self._run("psql", "-h", self.folder, "-U", self.user, "-c", "CHECKPOINT", "postgres")
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        every = [postmaster, *map(int, children)]
        for each in every:
            with contextlib.suppress(ProcessLookupError):  # it ended with the first
                os.kill(each, signal.SIGKILL)
        deadline = time.monotonic() + SQL_TIMEOUT_S
        while any(_lives(each) for each in every):
            if time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL outlives a kill")
            time.sleep(0.01)
        # Where nobody waits for orphans, a dead process keeps its number, and these would tell that it lives.
        for lock in (self.folder / "data" / "postmaster.pid", self.folder / f"{SOCKET}.lock"):
            lock.unlink(missing_ok=True)

    def stop(self):
        if (self.folder / "data" / "postmaster.pid").exists():
            self.halt("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program, *arguments):
        command = [str(self._programs / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", *command]
        # pg_ctl's server inherits what it is given: a pipe of ours would stay open as long as it runs.
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=SQL_TIMEOUT_S, cwd=self.folder, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace').strip()}")


def _lives(process):
    """A dead one that nobody has waited for yet holds no file and no memory any more."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@functools.cache
def server():
    return Server()


def fresh_database(like=None):
    return server().fresh(like)


def as_role(url, role=ROLE):
    return make_url(url).set(username=role).render_as_string()
