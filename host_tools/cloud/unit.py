"""The units of systemd for `cloud serve`: the service with what it may do, as a table, and its secrets as
credentials, and the sockets that stay open while it is restarted. Pure.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from host_tools.cloud.systemd.sockets import BACKLOG, Address

CREDENTIALS = Path("/etc/credstore.encrypted")  # where systemd looks for what has no path (systemd.exec(5))
STATE = Path("/var/lib")
UNITS = Path("/etc/systemd/system")
PLAIN = re.compile(r"[A-Za-z0-9_@:=,./+\[\]?&-]+")
# Kept in the data directory, which makes them at the first start (store/key_ring.py, certificates.py).
MADE_HERE = ("secrets.key", "seal.keys", "cloud-ca.key", "cloud.key", "devices.key")
MADE_LATER = ("hash.keys",)  # by the first rotation

CONFINED = (
    ("DynamicUser", "yes"),
    ("PrivateUsers", "yes"),
    ("CapabilityBoundingSet", ""),  # systemd opens the ports
    ("AmbientCapabilities", ""),
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
    ("LimitNOFILE", "524288"),  # each router and each browser is one; systemd gives 1024
    ("LimitCORE", "0"),  # keys are in memory
    ("MemoryMax", "1G"),
    ("TasksMax", "256"),
)


class Secret(NamedTuple):
    """name: the credential's. path: the file it is made of."""

    name: str
    path: Path


class Unit(NamedTuple):
    """command: of the service, as words of the unit ("%" is systemd's in them already). addresses: where it
    listens. files: others that its user reads.
    """

    name: str
    command: tuple[str, ...]
    secrets: tuple[Secret, ...]
    addresses: tuple[Address, ...]
    files: tuple[Path, ...] = ()


def files(unit: Unit) -> dict[str, str]:
    """Both units by their files' names."""
    return {f"{unit.name}.service": service(unit), f"{unit.name}.socket": listeners(unit)}


def service(unit: Unit) -> str:
    lines = [
        *(f"# {line}".rstrip() for line in steps(unit)),
        "",
        "[Unit]",
        "Description=Gatelodge's cloud",
        "Wants=network-online.target",
        "After=network-online.target postgresql.service",
        f"Requires={unit.name}.socket",
        "",
        "[Service]",
        "Type=notify",
        "ExecStart=" + " ".join(unit.command),
        'ExecReload=/bin/sh -c "kill -HUP $$MAINPID"',
        "Restart=on-failure",
        "RestartSec=2",
        "TimeoutStartSec=15min",  # a new release may have a large database to change
        "TimeoutStopSec=10",  # it needs some three seconds
        "WatchdogSec=30",
        "SyslogLevel=err",  # of what the interpreter says: lines of the log bring their own
        f"User={unit.name}",  # the name by which PostgreSQL knows it (peer)
        f"StateDirectory={unit.name}",
        *(f"LoadCredentialEncrypted={each.name}:{_stored(unit, each).name}" for each in unit.secrets),
        *(f"{key}={value}" for key, value in CONFINED),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def listeners(unit: Unit) -> str:
    lines = [
        "[Unit]",
        "Description=Where Gatelodge's cloud listens",
        "",
        "[Socket]",
        *(f"ListenStream={each}" for each in unit.addresses),
        f"Backlog={BACKLOG}",
        "BindIPv6Only=ipv6-only",  # else an IPv4 address would have another spelling
        "FreeBind=yes",  # also before the network is up
        "",
        "[Install]",
        "WantedBy=sockets.target",
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


def steps(unit: Unit) -> list[str]:
    """How they are installed, and how each credential is made: commands of root, and what they are for."""
    service, socket = f"{unit.name}.service", f"{unit.name}.socket"
    given = [each for each in unit.secrets if each.name not in (*MADE_HERE, *MADE_LATER)]
    return [
        f"Two units of {UNITS}: {service},",
        f"and {socket}, which holds the ports while the first is restarted.",
        "All of this as root. Secrets become credentials, which this computer alone can read:",
        "",
        f"install -d -m 700 {CREDENTIALS}",
        *(_encryption(unit, each) for each in given),
        "",
        *_read_by_others(unit),
        "Then it starts:",
        "",
        "systemctl daemon-reload",
        f"systemctl enable --now {socket} {service}",
        "",
        "Its first start makes keys in the data directory. They become credentials too:",
        "",
        *(_encryption(unit, each) for each in unit.secrets if each.name in MADE_HERE),
        f"systemctl restart {service}",
        "",
        "See that it serves, put a copy of the plain files where the backups of keys are, and remove them",
        "here with `shred -u`. Once `cloud rotate-keys` has made more:",
        "",
        *(_encryption(unit, each) for each in unit.secrets if each.name in MADE_LATER),
        "",
        "Other files are read again by `systemctl reload`. A credential is read at the start alone: after",
        "its key was renewed, encrypt it anew and restart, which refuses nobody. To stop, name the socket:",
        f"`systemctl stop {socket}` ends both, and without it the next visitor starts the service.",
    ]


def _read_by_others(unit: Unit) -> Iterable[str]:
    if unit.files:
        yield "Its user reads these, so others must be able to (mode 644, in directories of mode 755):"
        yield ""
        yield from (shlex.quote(str(each)) for each in unit.files)
        yield ""


def _encryption(unit: Unit, secret: Secret) -> str:
    return f"systemd-creds encrypt --name={secret.name} {_paths(unit, secret)}"


def _paths(unit: Unit, secret: Secret) -> str:
    return shlex.join((str(secret.path), str(_stored(unit, secret))))


def _stored(unit: Unit, secret: Secret) -> Path:
    return CREDENTIALS / f"{unit.name}.{secret.name}"
