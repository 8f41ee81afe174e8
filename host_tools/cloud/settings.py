"""What `gatelodge cloud serve` is told, checked."""

from __future__ import annotations

import argparse
import ipaddress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from host_tools import exit_codes
from host_tools.cloud.accounts.emails import check_email
from host_tools.cloud.accounts.passkeys_rule import NOBODY
from host_tools.cloud.accounts.totp import SHA1
from host_tools.cloud.accounts.totp_rule import CLASSIC, TotpRule
from host_tools.cloud.breached.digest_file import DigestFile
from host_tools.cloud.certificates import KeyPair
from host_tools.cloud.delivery import config
from host_tools.cloud.delivery.config import Delivery
from host_tools.cloud.delivery.given import LOCAL
from host_tools.cloud.log_to import target as log_to
from host_tools.cloud.log_to.target import Target
from host_tools.cloud.outside import config as outside
from host_tools.cloud.outside.config import Outside
from host_tools.errors import ToolError

SERVICE_CODE_KEY_BYTES = 32
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Origin(NamedTuple):
    url: str
    port: int

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "localhost"


@dataclass(frozen=True)
class Settings:
    data: Path
    bind: str
    port: int
    device_bind: str
    device_port: int
    public_url: str
    database_url: str
    devices: Path | None
    service_code_key: bytes
    factory_ca: Path | None
    development: bool
    delivery: Delivery = Delivery()
    outside: tuple[Outside, ...] = ()
    heartbeat_s: int | None = None  # None: 30, and 3 in development
    factory_crl: Path | None = None
    support_email: str = ""  # public: who hears of a new help request, and of lost factors; "" nobody
    certificate: KeyPair | None = None  # the operator's own, for browsers
    trusted_proxies: tuple[Network, ...] = ()
    help_url: str = ""  # of the help centre, where it has an address of its own
    help_port: int = 0
    portal_url: str = ""  # of the pages of routers, where they have an address of their own
    portal_port: int = 0
    strict_applications: bool = False  # ASVS level 3 of all of them (oidc/provider.py)
    passkeys_for: str = NOBODY  # who has to sign in with passkeys only (accounts/passkeys_rule.py)
    totp_rule: TotpRule = CLASSIC  # what new authenticators are made with
    clamd: str = ""  # who looks through attachments (help/scanner.py)
    log_to: Target | None = None  # where the log goes beside stderr
    breached_passwords: str = ""  # a service's address, or a file (breached/); "" neither

    @property
    def help_base(self) -> str:
        """What the addresses of help requests begin with."""
        return self.help_url or self.public_url

    @property
    def portal_base(self) -> str:
        """What the addresses of routers' pages begin with."""
        return self.portal_url or self.public_url

    @property
    def origins(self) -> dict[str, Origin]:
        """The addresses of their own that sites of ours have, by the site's name (sites/kinds.py)."""
        given = (
            ("help", Origin(self.help_url, self.help_port)),
            ("portal", Origin(self.portal_url, self.portal_port)),
        )
        return {name: origin for name, origin in given if origin.url}

    @property
    def public_host(self) -> str:
        return urlsplit(self.public_url).hostname or "localhost"


def from_arguments(args: argparse.Namespace) -> Settings:
    """Raises ToolError where a file is missing or settings contradict each other."""
    data = args.data.absolute()
    delivery = delivery_of(args.delivery, args.smtp, args.mail_from)
    if not (delivery.smtp or args.development):
        raise ToolError(
            "there is no way to send mail",
            "name a server with --smtp HOST:PORT or in the file of --delivery, "
            "or add --development for the outbox page",
            exit_codes.USAGE,
        )
    for path in filter(None, (args.factory_ca, args.factory_crl)):
        check_made_by_factory(path)
    return Settings(
        data=data,
        bind=args.bind,
        port=args.port,
        device_bind=args.device_bind,
        device_port=args.device_port,
        public_url=public_url(args.public_url or f"https://localhost:{args.port}"),
        database_url=database_url(data, args.database),
        devices=args.devices,
        service_code_key=service_code_key(args.service_code_key),
        factory_ca=args.factory_ca,
        development=args.development,
        delivery=delivery,
        outside=outside.load(args.outside) if args.outside else (),
        heartbeat_s=args.heartbeat,
        factory_crl=args.factory_crl,
        support_email=support_email(args.support_mail),
        certificate=key_pair(args.certificate, args.key),
        trusted_proxies=tuple(args.trusted_proxy),
        help_url=own_url("help", args.help_url, args.help_port),
        help_port=args.help_port or 0,
        portal_url=own_url("portal", args.portal_url, args.portal_port),
        portal_port=args.portal_port or 0,
        strict_applications=args.strict_applications,
        passkeys_for=passkeys_for(args.passkeys_for, args.public_url or ""),
        totp_rule=TotpRule(args.totp_algorithm, args.totp_classic or args.totp_algorithm == SHA1),
        clamd=args.clamd or "",
        log_to=log_to.target(
            args.log_to, args.log_ca, key_pair(args.log_certificate, args.log_key, "--log-")
        ),
        breached_passwords=breached_passwords(args.breached_passwords),
    )


def support_email(text: str) -> str:
    if text and check_email(text):
        raise ToolError(f"{text!r} is no e-mail address", "write it as name@example.com", exit_codes.USAGE)
    return text


def breached_passwords(text: str) -> str:
    """Raises ToolError."""
    if "://" not in text:
        if text:
            DigestFile(Path(text)).close()
        return text
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:  # an address or a port that is none
        host = None
    if host and not parts.query and (parts.scheme == "https" or host in LOCAL):
        return text
    remedy = "write it as https://NAME, or name a file"
    raise ToolError(f"{text!r} is no service of breached passwords", remedy, exit_codes.USAGE)


def key_pair(certificate: Path | None, key: Path | None, prefix: str = "--") -> KeyPair | None:
    """Of the options that begin with the prefix. Raises ToolError."""
    if (certificate is None) != (key is None):
        remedy = f"name both, {prefix}certificate and {prefix}key, or neither"
        raise ToolError("a certificate needs its key, and a key its certificate", remedy, exit_codes.USAGE)
    return KeyPair(certificate, key) if certificate and key else None


def passkeys_for(rule: str, url: str) -> str:
    """Browsers make passkeys for a name: at an address the rule would let nobody in."""
    host = urlsplit(url).hostname or ""
    if rule != NOBODY and (":" in host or host.replace(".", "").isdigit()):
        remedy = "name the cloud with --public-url https://NAME"
        raise ToolError(f"--passkeys-for {rule} needs a name, not {host}", remedy, exit_codes.USAGE)
    return rule


def own_url(site: str, given: str | None, port: int | None) -> str:
    """The site's own address; "" where it is a part of the account."""
    if port is None and given is not None:
        remedy = f"name its port with --{site}-port"
        raise ToolError(f"--{site}-url has no listener", remedy, exit_codes.USAGE)
    return public_url(given or f"https://localhost:{port}") if port is not None else ""


def database_url(data: Path, given: str | None) -> str:
    """Of the database in the data directory, unless another one is given."""
    return given or f"sqlite+aiosqlite:///{data / 'cloud.db'}"


def check_made_by_factory(path: Path) -> None:
    if not path.is_file():
        remedy = "make it with 'gatelodge factory init'"
        raise ToolError(f"there is no file {path}", remedy, exit_codes.USAGE)


def public_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # an address or a port that is none
        named = False
    if not named or parts.scheme != "https" or parts.path not in ("", "/") or parts.query:
        raise ToolError(
            f"{text!r} is no public URL", "write it as https://NAME or https://NAME:PORT", exit_codes.USAGE
        )
    return f"https://{parts.netloc}"


def service_code_key(path: Path | None) -> bytes:
    """The key shared with the factory. Empty where the file is not named: then no service code can match."""
    if path is None:
        return b""
    check_made_by_factory(path)
    key = path.read_bytes()
    if len(key) != SERVICE_CODE_KEY_BYTES:
        raise ToolError(
            f"{path} holds {len(key)} bytes, not {SERVICE_CODE_KEY_BYTES}",
            "name the service_code.key of the factory's directory",
            exit_codes.USAGE,
        )
    return key


def delivery_of(path: Path | None, smtp: str | None, sender: str) -> Delivery:
    """The file's ways to send; `smtp` names the mail server beside it, or alone."""
    delivery = config.load(path) if path else Delivery()
    if smtp is None:
        return delivery
    return replace(delivery, smtp=config.smtp_server(smtp, sender))
