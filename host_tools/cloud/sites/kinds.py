"""What the sites of ours differ in that can have an address, and then a session, of their own."""

from __future__ import annotations

from typing import NamedTuple

from host_tools.cloud.languages.text import N_

PATH_MAX = 200


class Kind(NamedTuple):
    """One of them. `name`: in the table of routes, in the settings and in its cookies' names."""

    name: str
    client_id: str
    title: str  # as the provider calls it
    key: str  # the name that the client's key is kept by
    paths: tuple[str, ...]  # what is there; the first one is where everybody arrives
    signed_out: str  # message id

    @property
    def home(self) -> str:
        return self.paths[0]

    # Cookies know no ports: each site's have names of their own.
    @property
    def session_cookie(self) -> str:
        return f"__Host-{self.name}-session"

    @property
    def browser_cookie(self) -> str:
        return f"__Host-{self.name}-browser"

    @property
    def question_cookie(self) -> str:
        return f"__Host-{self.name}-question"

    def own_path(self, to: str) -> str:
        """A path of this site, whatever it was: nobody is led to another one."""
        is_path = any(to == path or to.startswith(path + "/") for path in self.paths)
        is_plain = len(to) <= PATH_MAX and to.isascii() and to.isprintable()
        return to if is_path and is_plain and not any(each in to for each in "\\?#") else self.home


HELP = Kind(
    name="help",
    client_id="help-centre",
    title="Gatelodge help",
    key="help centre's client key",
    paths=("/help", "/desk"),
    signed_out=N_("You are signed out of the help centre"),
)
PORTAL = Kind(
    name="portal",
    client_id="portal",
    title="Gatelodge portal",
    key="portal's client key",
    paths=("/routers",),
    signed_out=N_("You are signed out of the portal"),
)
KINDS = (HELP, PORTAL)
