"""MicroPython's source as Debian carries it: fetched once, its signature checked by apt, kept in build/."""

import contextlib
import subprocess
import tarfile

from host_tools.release import places

SUITE = "trixie"
PACKAGE = "micropython"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FETCH_TIMEOUT_S = 300  # 6 MB, and 10 MB of lists


@contextlib.contextmanager
def unpacked():
    """The root of the source tree, for the time of a `with` block."""
    (archive,) = places.whole_folder(places.BUILD / f"micropython-source-{SUITE}", _fetch).iterdir()
    with places.scratch(places.BUILD) as temporary:
        with tarfile.open(archive) as tar:
            tar.extractall(temporary, filter="data")
        (root,) = temporary.iterdir()
        yield root


def _fetch(folder):
    """The package's source as its authors packed it; apt checks the signature up to Debian's key."""
    with places.scratch(folder.parent) as temporary:
        (temporary / "lists" / "partial").mkdir(parents=True)
        sources = temporary / "sources.list"
        sources.write_text(f"deb-src [signed-by={KEYRING}] {_archive()} {SUITE} main\n")
        private = [
            f"Dir::Etc::SourceList={sources}", "Dir::Etc::SourceParts=/dev/null", f"Dir::Cache={temporary}",
            f"Dir::State::Lists={temporary / 'lists'}", "APT::Sandbox::User=", "Debug::NoLocking=1",
        ]  # fmt: skip
        options = [word for option in private for word in ("-o", option)]
        run(["apt-get", *options, "-qq", "update"], FETCH_TIMEOUT_S)
        download = ["--download-only", "source", PACKAGE]
        run(["apt-get", *options, "-qq", *download], FETCH_TIMEOUT_S, cwd=temporary)
        (archive,) = temporary.glob("*.orig.tar.*")
        archive.rename(folder / archive.name)


def _archive():
    """The Debian archive that this computer's apt already uses."""
    targets = run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)"], 60)
    for line in targets.splitlines():
        if line.startswith("Debian Debian main "):
            return line.split()[-1]
    raise RuntimeError("this computer's apt knows no Debian archive to fetch MicroPython's source from")


def run(command, timeout, **options):
    """What the command printed. RuntimeError when it failed."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, **pipes, text=True, timeout=timeout, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-500:]}")
    return done.stdout
