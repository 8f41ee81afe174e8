"""The unit of systemd for `cloud serve`: what it may do, as a table, and its secrets as credentials. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

CREDENTIALS = Path("/etc/credstore.encrypted")  # where systemd looks for what has no path (systemd.exec(5))
STATE = Path("/var/lib")
PRIVILEGED_PORTS = 1024
PLAIN = re.compile(r"[A-Za-z0-9_@:=,./+\[\]?&-]+")
# Kept in the data directory, which makes them at the first start (store/key_ring.py, certificates.py).
MADE_HERE = ("secrets.key", "hash.keys", "seal.keys", "cloud-ca.key", "cloud.key", "devices.key")

CONFINED = (
    ("DynamicUser", "yes"),
    ("StateDirectoryMode", "0700"),
    ("UMask", "0077"),
    ("NoNewPrivileges", "yes"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectProc", "invisible"),
    ("ProcSubset", "pid"),
    ("PrivateDevices", "yes"),
    ("PrivateTmp", "yes"),
    ("RemoveIPC", "yes"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("LockPersonality", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallFilter", "~@privileged @resources"),
    ("SystemCallFilter", "setpriority"),  # the threads of argon2 give way to pages
    ("SystemCallErrorNumber", "EPERM"),
    ("MemoryMax", "1G"),
    ("TasksMax", "256"),
)


class Secret(NamedTuple):
    """name: the credential's. path: the file it is made of."""

    name: str
    path: Path


class Unit(NamedTuple):
    """command: of the service, as words of the unit ("%" is systemd's in them already)."""

    name: str
    command: tuple[str, ...]
    secrets: tuple[Secret, ...]
    ports: tuple[int, ...]


def text(unit: Unit) -> str:
    lines = [
        *_sentences(unit),
        "[Unit]",
        "Description=Gatelodge's cloud",
        "Wants=network-online.target",
        "After=network-online.target postgresql.service",
        "",
        "[Service]",
        "Type=exec",
        "ExecStart=" + " ".join(unit.command),
        "Restart=on-failure",
        "RestartSec=2",
        "TimeoutStopSec=10",  # it needs some three seconds
        f"User={unit.name}",  # the name by which PostgreSQL knows it (peer)
        f"StateDirectory={unit.name}",
        *(f"LoadCredentialEncrypted={each.name}:{_stored(unit, each).name}" for each in unit.secrets),
        *(f"{key}={value}" for key, value in (*CONFINED, *_capabilities(unit.ports))),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def option_words(options: Mapping[str, object], secrets: Mapping[str, Secret]) -> Iterable[str]:
    """Options of `cloud serve` by name, as words; `secrets` say whose value is a credential."""
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        for each in values:
            yield f"--{name}"
            if name in secrets:
                yield f"%d/{secrets[name].name}"
            elif each is not True:
                yield word(str(each))


def word(text: str) -> str:
    """One word of ExecStart (systemd.service(5), "Command lines"), whatever is in it."""
    if PLAIN.fullmatch(text):
        return text
    escaped = "".join(c if c.isprintable() else "".join(f"\\x{b:02x}" for b in c.encode()) for c in
                      text.replace("\\", "\\\\").replace('"', '\\"'))  # fmt: skip
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'


def _capabilities(ports: Iterable[int]) -> tuple[tuple[str, str], ...]:
    if any(0 < port < PRIVILEGED_PORTS for port in ports):
        bind = "CAP_NET_BIND_SERVICE"  # of the computer's network: a private user namespace has none of it
        return ("CapabilityBoundingSet", bind), ("AmbientCapabilities", bind)
    return ("CapabilityBoundingSet", ""), ("AmbientCapabilities", ""), ("PrivateUsers", "yes")


def _sentences(unit: Unit) -> list[str]:
    """How it is installed, and how each credential is made."""
    said = [
        f"Put this into /etc/systemd/system/{unit.name}.service, and run `systemctl daemon-reload`.",
        "Make each secret that is there a credential, as root. Those of the data directory are there after",
        "the first start; what has no credential is made in that directory, or read from it.",
        "",
        f"install -d -m 700 {CREDENTIALS}",
        *(f"systemd-creds encrypt --name={each.name} {_paths(unit, each)}" for each in unit.secrets),
        "",
        f"Then run `systemctl restart {unit.name}`, see that it serves, put a copy of the plain files where",
        "the backups of keys are, and remove them here with `shred -u`. A renewed key of TLS is encrypted",
        "anew, and the service restarted: a credential is read at the start alone.",
    ]
    return [*(f"# {line}".rstrip() for line in said), ""]


def _paths(unit: Unit, secret: Secret) -> str:
    return shlex.join((str(secret.path), str(_stored(unit, secret))))


def _stored(unit: Unit, secret: Secret) -> Path:
    return CREDENTIALS / f"{unit.name}.{secret.name}"
