"""What an operator's file may say, whatever it is about: addresses, secrets and certificates, each checked.

Every failure is a ToolError: one sentence that names the key, and never a value of a secret.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from host_tools import exit_codes
from host_tools.cloud.credentials import holds, path_of
from host_tools.errors import ToolError

LOCAL = ("localhost", "127.0.0.1", "::1")
OTHERS_MAY = 0o077


def fault(what: str, remedy: str) -> ToolError:
    return ToolError(what, remedy, exit_codes.USAGE)


def reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def read_secret(
    folder: Path, name: str, key: str, values: Mapping[str, object], environment: Mapping[str, str]
) -> str | None:
    """The key of a section, from the environment, else from the file that is named; None where neither is.

    name: the section's ("smtp", "smtp.oauth"). Raises ToolError.
    """
    if variable(name, key) in environment:
        return environment[variable(name, key)]
    named = values.get(f"{key}_file")
    if named is None:
        return None
    return read_private(path_of(folder, str(named)), secret_remedy(name, key))


def read_private(path: Path, remedy: str) -> str:
    """The text of a file that only its owner may read. Raises ToolError."""
    try:
        text = path.read_text(encoding="utf-8")
        check_private(path)
    except (OSError, UnicodeDecodeError) as error:
        raise fault(f"{path} cannot be read ({reason(error)})", remedy) from error
    return text.strip()


def check_private(path: Path) -> None:
    if path.stat().st_mode & OTHERS_MAY and not holds(path):
        raise fault(f"{path} can be read by others", f"run chmod 600 {path}")


def check_address(name: str, key: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:  # an address or a port that is none
        host = None
    if not host or parts.scheme != "https" and host not in LOCAL or parts.query or "@" in parts.netloc:
        raise fault(f"{key} of [{name}] is {url!r}", "write it as https://NAME")


def check_ca_file(path: str) -> None:
    if path and not Path(path).is_file():
        raise fault(f"there is no file {path}", "name the authorities' certificates in PEM")


def check_pair(name: str, certificate_file: str, key_file: str, remedy: str) -> None:
    """A certificate that we show, and its key."""
    for path in (Path(certificate_file), Path(key_file)):
        if not path.is_file():
            raise fault(f"there is no file {path}", remedy)
    check_private(Path(key_file))
    try:  # a key that wants a password is refused: nobody is there to be asked
        ssl.create_default_context().load_cert_chain(certificate_file, key_file, password=lambda: "")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        what = f"[{name}] certificate_file and key_file do not fit ({reason(error)})"
        raise fault(what, "name a certificate and its own key in PEM, without a password") from error


def secret_remedy(name: str, key: str) -> str:
    return f"put it into a file that {key}_file names, or into {variable(name, key)}"


def variable(name: str, key: str) -> str:
    return f"GATELODGE_{name}_{key}".replace(".", "_").upper()
