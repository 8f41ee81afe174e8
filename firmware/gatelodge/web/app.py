"""The admin page, put together.

    web = build(owner, clock, router, cloud, identity, version, names, assets_path, power, updates,
                https_port, slot)

    owner         owner.owner.Owner
    clock         .now() unix s, .state, .source, .is_set
    router        router.linux.LinuxRouter or its like; its traffic.run() is the caller's task
    cloud         .state {state, since, owner, last_error}, .claim, .answer_claim(claim_id, approved),
                  .release(), .invitation, .invite(), .uninvite() as cloud/client.py has them; or None
    identity      {serial_number, model} at least
    version       text of the firmware
    names         DNS names of this router (board web.names); addresses are always served
    assets_path   the gatelodge package's directory, with contract/tokens.css, contract/logo.svg, web/assets/,
                  catalogues/
    power         power.Power: .restart(by), .power_off(by), .reset(by), each after the answer
    updates       owner.updates.Updates
    https_port    as browsers see it: plain HTTP is redirected there
    slot          the slot that runs, "a" or "b"

    await web.handle(stream)           # a connection of HTTPS, until it ends
    await web.handle_redirect(stream)  # a connection of plain HTTP

Both close the connection when it has ended and raise nothing but a cancellation.
"""

from gatelodge import compat, text
from gatelodge.web.guard import Guard
from gatelodge.web.pages.about import AboutPages
from gatelodge.web.pages.api import ApiPages
from gatelodge.web.pages.cloud import CloudPages
from gatelodge.web.pages.devices import DevicesPages
from gatelodge.web.pages.internet import InternetPages
from gatelodge.web.pages.languages import LanguagePages
from gatelodge.web.pages.overview import OverviewPages
from gatelodge.web.pages.security import SecurityPages
from gatelodge.web.pages.setup import SetupPages
from gatelodge.web.pages.shell import Shell
from gatelodge.web.pages.signin import SigninPages
from gatelodge.web.pages.system import SystemPages
from gatelodge.web.routes import Routes
from gatelodge.web.server import Redirect, WebServer
from gatelodge.web.static import Assets


class Site:
    """What every page may ask."""

    def __init__(self, owner, clock, router, cloud, identity, version, assets, power, slot, updates):
        self.owner = owner
        self.clock = clock
        self.router = router
        self.cloud = cloud
        self.identity = identity
        self.version = version
        self.assets = assets
        self.power = power
        self.slot = slot
        self.updates = updates
        self.shell = Shell(assets, owner)
        self.views = {}  # name of a page with live values -> its view.View
        self.rows = []  # routes.Row of every route, for the API's description
        self.open_streams = 0
        # Tells a page that has waited whether the daemon was started anew. Public, and says nothing else.
        self.run_id = "%08x" % int.from_bytes(compat.entropy(4), "big")


class Web:
    def __init__(self, server, redirect):
        self.handle = server.handle
        self.handle_redirect = redirect.handle


def build(
    owner,
    clock,
    router,
    cloud,
    identity,
    version,
    names,
    assets_path,
    power,
    updates,
    https_port=443,
    slot="",
):
    assets = Assets(assets_path)
    site = Site(owner, clock, router, cloud, identity, version, assets, power, slot, updates)
    rows = assets.rows()
    text.look_in(assets_path + "/catalogues")
    for pages in (
        SetupPages,
        SigninPages,
        OverviewPages,
        DevicesPages,
        InternetPages,
        CloudPages,
        SecurityPages,
        SystemPages,
        AboutPages,
        LanguagePages,
        ApiPages,
    ):
        rows = rows + pages(site).rows()
    site.rows = rows
    routes = Routes(owner, rows, site.shell.refusal_body)
    guard = Guard(names)
    return Web(WebServer(routes, guard, site.shell.refusal_body), Redirect(guard, https_port))
