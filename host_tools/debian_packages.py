"""Install the Debian packages that are missing: `python3 -m host_tools.debian_packages run|test|bench`.

Started by make before there is a virtual environment: it imports the standard library only. A package
counts as there when its program is, so that nothing is installed on a computer that has it another way.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from typing import NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError

OLDEST_PYTHON = (3, 11)
INSTALL_TIMEOUT_S = 1200  # chromium is 80 MB


class Row(NamedTuple):
    package: str
    program: str
    needed_for: str
    what_for: str


APACHE_MODULES = "/usr/lib/apache2/modules"
RSYSLOG_MODULES = f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/rsyslog"
ROWS = (
    Row("python3-venv", "python:ensurepip", "run", "the virtual environment"),
    Row("qemu-system-arm", "qemu-system-aarch64", "run", "the emulated router"),
    Row("mmdebstrap", "mmdebstrap", "run", "the router's kernel and programs"),
    Row("util-linux", "setpriv", "run", "child processes that end with their parent"),
    Row("geoip-database", "file:/usr/share/GeoIP/GeoIP.dat", "run", "the places in the login activity"),
    Row(
        "fonts-roboto-unhinted",
        "file:/usr/share/fonts/truetype/roboto/unhinted/RobotoTTF/Roboto-Regular.ttf",
        "run",
        "the words on labels",
    ),
    Row(
        "fonts-jetbrains-mono",
        "file:/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Bold.ttf",
        "run",
        "the codes on labels",
    ),
    Row("openssl", "openssl", "test", "a second opinion on certificates"),
    Row("strace", "strace", "test", "every call that a cut of the power may follow"),
    Row("softhsm2", "softhsm2-util", "test", "a PKCS#11 token"),
    Row("zbar-tools", "zbarimg", "test", "a scanner for the labels"),
    Row("poppler-utils", "pdftoppm", "test", "labels in PDF as dots"),
    Row("librsvg2-bin", "rsvg-convert", "test", "labels in SVG as dots"),
    Row("cups-daemon", "file:/usr/sbin/cupsd", "test", "a printing system"),
    Row("cups-client", "lpstat", "test", "its lp"),
    Row("apache2-bin", "apache2", "test", "an application that signs people in"),
    Row("libapache2-mod-auth-openidc", f"file:{APACHE_MODULES}/mod_auth_openidc.so", "test", "its client"),
    Row("gcc-arm-none-eabi", "arm-none-eabi-gcc", "test", "MicroPython for a board without Linux"),
    Row("libnewlib-arm-none-eabi", "file:/usr/lib/arm-none-eabi/newlib", "test", "its C library"),
    Row("nodejs", "node", "test", "a certified provider of accounts elsewhere"),
    Row("npm", "npm", "test", "its package"),
    Row("postgresql", "file:/usr/lib/postgresql", "test", "the cloud's other database"),
    Row("systemd", "systemd-analyze", "test", "what judges the cloud's unit"),
    Row("rsyslog", "file:/usr/sbin/rsyslogd", "test", "a system for logs"),
    Row("rsyslog-openssl", f"file:{RSYSLOG_MODULES}/lmnsd_ossl.so", "test", "its TLS"),
    Row("chromium", "chromium", "test", "the tests' browser"),
    Row("wrk", "wrk", "bench", "the load of `make bench`"),
    Row("chromium", "chromium", "bench", "its browser"),
)


def missing(purpose: str) -> list[str]:
    wanted = ("run", purpose)
    return [row.package for row in ROWS if row.needed_for in wanted and not _is_there(row)]


def _is_there(row: Row) -> bool:
    kind, _, name = row.program.partition(":")
    if kind == "python":
        return importlib.util.find_spec(name) is not None
    if kind == "file":
        return os.path.exists(name)
    return shutil.which(row.program) is not None


def install(packages: list[str]) -> None:
    """Install the packages with apt-get, through sudo when we are not root."""
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        raise ToolError(
            f"these Debian packages are missing, and so is apt-get: {names}",
            "install what your system calls them, and try again",
            exit_codes.MISSING_TOOL,
        )
    print(f"  · Debian packages          {names}", flush=True)
    root = root_prefix(names)
    options = ["-qq", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"]
    if _apt([*root, "apt-get", "install", *options, *packages]):
        return
    # The lists may be old, or never have been fetched.
    _apt([*root, "apt-get", "update", "-qq"])
    if not _apt([*root, "apt-get", "install", *options, *packages], quiet=False):
        remedy = f"read apt-get's reason above, then run `apt-get install {names}`"
        raise ToolError("the missing packages could not be installed", remedy, exit_codes.MISSING_TOOL)


def root_prefix(names: str) -> list[str]:
    """Return what makes a command run as root. Raises ToolError when nothing does."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"]
    raise ToolError(
        f"installing {names} needs root, and there is no sudo",
        f"run `apt-get install {names}` as root, then try again",
        exit_codes.NO_ROOT,
    )


def _apt(command: list[str], quiet: bool = True) -> bool:
    output = subprocess.DEVNULL if quiet else None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        stdout=subprocess.DEVNULL,
        stderr=output,
        env=environment,
        timeout=INSTALL_TIMEOUT_S,
        check=False,
    )
    return done.returncode == 0


def main(purpose: str) -> int:
    try:
        if sys.version_info < OLDEST_PYTHON:
            found = ".".join(str(number) for number in sys.version_info[:2])
            remedy = "install Python 3.11 or newer"
            raise ToolError(f"this is Python {found}", remedy, exit_codes.MISSING_TOOL)
        packages = missing(purpose)
        if packages:
            install(packages)
    except ToolError as error:
        print(f"gatelodge: {error}", file=sys.stderr)
        return error.exit_code
    return exit_codes.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "run"))
