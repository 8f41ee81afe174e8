"""Who may talk to the admin page at all: the host asked for, the origin of a change, our cookies.

Host: a page of an attacker may give its own name our address (DNS rebinding), and would then be of our
origin. So only the router's own names are served. An address is not a name that somebody else can point at
us: any address is fine.
"""

from gatelodge.text import N_
from gatelodge.web.wire import Refusal

SAFE_METHODS = ("GET", "HEAD")
SESSION = "__Host-session"
SIGNIN = "__Host-signin"
SETUP = "__Host-setup"
TRUST = "__Host-trust"


def host_name(host):
    """The name in a Host field, without its port and in lower case; "" when it is malformed."""
    host = host.lower()
    if host.startswith("["):
        end = host.find("]")
        name, rest = (host[: end + 1], host[end + 1 :]) if end > 0 else ("", "")
    else:
        colon = host.find(":")
        name, rest = (host[:colon], host[colon:]) if colon >= 0 else (host, "")
    if rest and not (rest[0] == ":" and rest[1:].isdigit() and len(rest) <= 6):
        return ""
    return name


def is_address(name):
    """Whether a host name is an IPv4 address, or an IPv6 address in its brackets."""
    if name.startswith("["):
        return all(character in "[]:.0123456789abcdef" for character in name)
    parts = name.split(".")
    return len(parts) == 4 and all(part.isdigit() and len(part) < 4 and int(part) < 256 for part in parts)


def bearer(headers):
    """The token of an Authorization field of the kind Bearer (RFC 6750 section 2.1), or None."""
    field = headers.get("Authorization")
    if not field or field[:7].lower() != "bearer ":
        return None
    return field[7:].strip()


def challenge(error="", scope=""):
    """The value of WWW-Authenticate (RFC 6750 section 3)."""
    parts = ['Bearer realm="Gatelodge"']
    if error:
        parts.append('error="%s"' % error)
    if scope:
        parts.append('scope="%s"' % scope)
    return ", ".join(parts)


class Guard:
    """names: the DNS names of this router."""

    def __init__(self, names, scheme="https"):
        self._names = [name.lower() for name in names] + ["localhost"]
        self._scheme = scheme
        self._last_host = None

    def check_host(self, host):
        if host == self._last_host:  # a browser names the same one with each request
            return
        name = host_name(host)
        if not (name in self._names or is_address(name)):
            raise Refusal(421, N_("This router does not answer to that name. Use its address."))
        self._last_host = host

    def check_origin(self, method, host, headers):
        """A change has to come from our own page. A client that is no browser sends neither field, and has
        no cookies that it was not given; the session's token is asked for as well."""
        if method in SAFE_METHODS:
            return
        site = headers.get("Sec-Fetch-Site")
        origin = headers.get("Origin")
        if site not in (None, "same-origin") or origin not in (None, self._scheme + "://" + host):
            raise Refusal(403, N_("That request came from another site and was refused."))


def cookie(name, value, max_age_s=None):
    """A Set-Cookie value. The __Host- prefix makes browsers insist on Secure, on Path=/ and on no Domain."""
    text = name + "=" + value + "; Path=/; Secure; HttpOnly; SameSite=Strict"
    return text if max_age_s is None else text + "; Max-Age=%d" % max_age_s


def no_cookie(name):
    return cookie(name, "", 0)
