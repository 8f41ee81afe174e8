"""Run the cloud: the account portal for browsers, and the routers' own listener.

Everything it keeps is in the data directory, which it makes at the first start: its authority
(cloud-ca.pem verifies both listeners), the database, and keys that only their owner may read.
SIGTERM and Ctrl-C end it within three seconds.
"""

from __future__ import annotations

import argparse
import errno
import faulthandler
import ipaddress
import logging
import os
import sys
import time
import warnings
from pathlib import Path

import uvloop
from aiohttp import BadContentDispositionHeader, BadContentDispositionParam

from host_tools import exit_codes
from host_tools.cloud.accounts.passkeys_rule import NOBODY, RULES
from host_tools.cloud.accounts.totp import ALGORITHMS, SHA1
from host_tools.cloud.delivery.config import SENDER
from host_tools.cloud.log_to import target as log_to
from host_tools.cloud.service import Service
from host_tools.cloud.settings import Network, Settings, from_arguments
from host_tools.cloud.store.outage import OncePerOutage
from host_tools.cloud.systemd import journal
from host_tools.cloud.systemd.notify import Notifier, status
from host_tools.cloud.systemd.sockets import inherited
from host_tools.errors import ToolError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="the data directory")
    add("--port", type=int, default=8444, metavar="N", help="the account's port (default 8444)")
    add("--device-port", type=int, default=8445, metavar="N", help="the routers' port (default 8445)")
    add("--bind", default="127.0.0.1", metavar="ADDRESS", help="the portal's address (default 127.0.0.1)")
    add(
        "--device-bind",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="the routers' address (default 127.0.0.1)",
    )
    add("--public-url", metavar="URL", help="what people type (default https://localhost:PORT)")
    add("--portal-port", type=int, metavar="N", help="give routers' pages a port and a sign-in of their own")
    text = "what people type for them (default https://localhost:PORTAL_PORT)"
    add("--portal-url", metavar="URL", help=text)
    add("--help-port", type=int, metavar="N", help="give the help centre a port, and a sign-in, of its own")
    add("--help-url", metavar="URL", help="what people type for it (default https://localhost:HELP_PORT)")
    add(
        "--database",
        metavar="URL",
        help="sqlite+aiosqlite:///FILE (default) or postgresql+asyncpg://HOST/NAME",
    )
    add(
        "--devices", type=Path, metavar="FILE", help="the factory's devices.jsonl; read again when it changes"
    )
    add("--service-code-key", type=Path, metavar="FILE", help="the key shared with the factory, 32 bytes")
    add("--factory-ca", type=Path, metavar="FILE", help="the authority (PEM) that signed the routers' keys")
    add("--factory-crl", type=Path, metavar="FILE", help="what it revoked (PEM); read again when it changes")
    add("--delivery", type=Path, metavar="FILE", help="how messages leave (TOML; see delivery/README.md)")
    add("--outside", type=Path, metavar="FILE", help="whose accounts may sign in (TOML, outside/config.py)")
    add("--smtp", metavar="HOST:PORT", help="a mail server that asks for no password")
    add("--mail-from", default=SENDER, metavar="ADDRESS", help="the sender of its mails")
    text = "support's public address: mailed of each new help request, shown where a second factor is asked"
    add("--support-mail", default="", metavar="ADDRESS", help=text)
    text = "ClamAV's daemon, which looks through attachments: its socket, or HOST:PORT"
    add("--clamd", type=clamd, metavar="ADDRESS", help=text)
    text = "who knows stolen passwords: https://api.pwnedpasswords.com, or a file (cloud breached-passwords)"
    add("--breached-passwords", default="", metavar="URL|FILE", help=text)
    add("--development", action="store_true", help="keep mails on the page /outbox, for this computer only")
    text = "a certificate for browsers, and those between it and its authority (PEM); read again when renewed"
    add("--certificate", type=Path, metavar="FILE", help=text)
    add("--key", type=Path, metavar="FILE", help="its key (PEM)")
    text = "a proxy in front, which says by X-Forwarded-For who asks (may be repeated)"
    add("--trusted-proxy", type=network, action="append", default=[], metavar="NETWORK", help=text)
    text = "let no application in that is an exception (cloud clients --plain), however it was registered"
    add("--strict-applications", action="store_true", help=text)
    text = "who has to sign in with passkeys only (default nobody; staff: whoever has a role)"
    add("--passkeys-for", choices=RULES, default=NOBODY, help=text)
    text = "what codes of new authenticators are made with (default SHA1, which every app knows)"
    add("--totp-algorithm", choices=tuple(ALGORITHMS), default=SHA1, help=text)
    text = "let people whose app knows no other algorithm choose SHA1 all the same"
    add("--totp-classic", action="store_true", help=text)
    text = "how often a router reports (default 30; 3 with --development)"
    add("--heartbeat", type=heartbeat_s, metavar="SECONDS", help=text)
    log_to.add_arguments(parser)


def clamd(text: str) -> str:
    """Raises ArgumentTypeError."""
    host, _, port = text.rpartition(":")
    if text.startswith("/") or (host and port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is no address of clamd: name its socket, or HOST:PORT")


def heartbeat_s(text: str) -> int:
    """Raises ArgumentTypeError for what no router would take (contract/messages.py, `welcome`)."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 3600):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds from 1 to 3600")
    return int(text)


def network(text: str) -> Network:
    """Raises ArgumentTypeError."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no address, and no network like 192.0.2.0/24") from None


def run(args: argparse.Namespace) -> int:
    notifier = Notifier(os.environ)
    try:
        settings = from_arguments(args)
        configure_log()
        _serve(settings)
    except ToolError as error:
        notifier.send(status(str(error)))
        raise
    return exit_codes.OK


def _serve(settings: Settings) -> None:
    faulthandler.enable()  # where the watchdog ends us (SIGABRT), the log says what we hung in
    try:
        uvloop.run(Service(settings, inherited(os.environ)).serve())
    except OSError as error:
        raise tool_error(error, settings) from error


def tool_error(error: OSError, settings: Settings) -> ToolError:
    """What the system refused us at the start, as one sentence."""
    if error.errno == errno.ENOSPC:
        remedy = "free some space"
        return ToolError(f"the disk that holds {settings.data} is full", remedy, exit_codes.DISK_FULL)
    where = error.filename or f"{settings.bind} or {settings.device_bind}"
    remedy = "check the options --data, --bind and --device-bind"
    return ToolError(f"{where}: {error.strerror or error}", remedy, exit_codes.CLOUD_DID_NOT_START)


class OneLine(logging.Formatter):
    """What a router says in an error must not forge a line, nor speak to the terminal that shows it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in super().formatMessage(record))


def configure_log() -> None:
    """Lines on stderr, as the router writes them: `2026-11-21T17:20:00Z info cloud.delivery: text`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter())
    handler.addFilter(OncePerOutage())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for level in (logging.INFO, logging.WARNING, logging.ERROR):
        logging.addLevelName(level, logging.getLevelName(level).lower())
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # A form's odd head would be a line of its own there, as its sender wrote it, and be kept for ever.
    warnings.filterwarnings("ignore", category=BadContentDispositionHeader)
    warnings.filterwarnings("ignore", category=BadContentDispositionParam)


def _formatter() -> logging.Formatter:
    if journal.is_journal(sys.stderr, os.environ):
        return journal.Prioritised(OneLine("%(name)s: %(message)s"))
    formatter = OneLine("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    return formatter
