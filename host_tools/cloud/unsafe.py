"""What is unsafe in production: a table of checks, each of which says one sentence or nothing."""

from __future__ import annotations

import ipaddress
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from host_tools.cloud.credentials import holds, path_of
from host_tools.cloud.delivery.config import NONE
from host_tools.cloud.delivery.given import LOCAL
from host_tools.cloud.operators_certificate import OperatorsCertificate
from host_tools.cloud.settings import Settings
from host_tools.errors import ToolError

OTHERS = stat.S_IRWXG | stat.S_IRWXO
SENDERS_OF_NOBODY = ("localhost", "example.org", "example.com")
KEYS = ("*.key", "*.keys")
SECRET = (*KEYS, "cloud.db*")
PROXIES_MAX = 2**16  # addresses of a network that others may be in, too
ENCRYPTED = ("require", "verify-ca", "verify-full")


def faults(settings: Settings) -> list[str]:
    """One sentence each: what is unsafe, and what to do."""
    return [sentence for check in CHECKS for sentence in check(settings)]


def plain_secrets(settings: Settings) -> Iterator[str]:
    """An advice, and no fault: files that could be credentials of systemd (credentials.py)."""
    given = () if settings.certificate is None else (settings.certificate.key,)
    plain = [path.name for path in (*_secrets(settings), *given) if path.is_file() and not holds(path)]
    if plain:
        yield f"{', '.join(plain)}: plain files; 'gatelodge cloud unit' says how to make them credentials."


def _secrets(settings: Settings) -> Iterator[Path]:
    """The keys of the data directory that are read from there."""
    for pattern in KEYS:
        for path in sorted(settings.data.glob(pattern)):
            if path_of(settings.data, path.name) == path:
                yield path


def _development(settings: Settings) -> Iterator[str]:
    if settings.development:
        yield "--development shows every message, with its codes, on a page: leave it out."


def _name(settings: Settings) -> Iterator[str]:
    host = settings.public_host
    if host in LOCAL or host.endswith((".localhost", ".local")):
        yield f"--public-url names {host}, which nobody else can reach: name the address that people type."
    elif _is_address(host):
        yield f"--public-url names the address {host}: passkeys and certificates need a name."


def _proxies(settings: Settings) -> Iterator[str]:
    for network in settings.trusted_proxies:
        if network.is_global and network.num_addresses > PROXIES_MAX:
            yield f"--trusted-proxy {network} trusts strangers to say who they are: name the proxy alone."


def _origins(settings: Settings) -> Iterator[str]:
    taken = {settings.public_host: "--public-url"}
    for name, origin in settings.origins.items():
        option, host = f"--{name}-url", origin.host
        if host in LOCAL or host.endswith((".localhost", ".local")):
            yield f"{option} names {host}, which nobody else can reach: name the address that people type."
        elif host in taken:
            yield f"{option} has the name of {taken[host]}, and cookies know no ports: give it another name."
        taken[host] = option


def _certificate(settings: Settings) -> Iterator[str]:
    if settings.certificate is None:
        if not settings.trusted_proxies:  # else browsers see the proxy's
            yield "--certificate is missing, and browsers warn of the cloud's own: name one that they know."
        return
    try:
        OperatorsCertificate(settings.certificate, settings.public_host)
    except ToolError as error:
        yield f"{error}."


def _mail(settings: Settings) -> Iterator[str]:
    smtp = settings.delivery.smtp
    if smtp is None:
        return  # the development's own fault
    if smtp.security == NONE and smtp.host not in LOCAL:
        yield f"mail goes to {smtp.host} without encryption, codes and all: use STARTTLS or TLS."
    if smtp.sender.rpartition("@")[2].lower() in SENDERS_OF_NOBODY:
        yield f"mail comes from {smtp.sender}, which nobody can answer or trust: name a sender of your own."


def _database(settings: Settings) -> Iterator[str]:
    url = urlsplit(settings.database_url)
    if url.password:
        yield "--database holds a password, which every process here can read: put it into ~/.pgpass."
    if url.scheme.startswith("postgresql") and url.hostname and url.hostname not in LOCAL:
        asked = parse_qs(url.query).get("ssl", [""])[0]
        if asked not in ENCRYPTED:
            yield f"the database at {url.hostname} is reached without encryption: add ?ssl=verify-full."


def _files(settings: Settings) -> Iterator[str]:
    data = settings.data
    if not data.is_dir():
        return  # the first start makes it, for its owner alone
    for path in (data, *(found for name in SECRET for found in sorted(data.glob(name)))):
        if path.stat().st_mode & OTHERS:
            kept = "700" if path.is_dir() else "600"
            yield f"{path} can be read by others on this computer: chmod {kept} it."
        if path.is_symlink():
            yield f"{path} is a link to another place: put the file itself there."


def _breached(settings: Settings) -> Iterator[str]:
    if not settings.breached_passwords:
        yield (
            "--breached-passwords is missing, and passwords that were stolen elsewhere are taken: name the "
            "service https://api.pwnedpasswords.com, or a file of 'gatelodge cloud breached-passwords'."
        )


def _factory(settings: Settings) -> Iterator[str]:
    if settings.factory_ca is None and settings.device_bind not in LOCAL:
        yield "--device-bind is open and no --factory-ca says whose routers they are: name both or neither."


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


CHECKS: tuple[Callable[[Settings], Iterator[str]], ...] = (
    _development, _name, _origins, _certificate, _proxies, _mail, _database, _files, _factory, _breached,
)  # fmt: skip
