"""Whom the cloud calls because somebody named them: the internet, and no door behind our own firewall."""

import socket

import pytest
from aiohttp import ClientSession, TCPConnector
from aiohttp.abc import AbstractResolver

from host_tools.cloud.oidc.described import Changed, Described
from host_tools.cloud.public_addresses import PublicResolver, is_public, names_public
from host_tools.cloud.store.oidc_models import OidcClient
from tests.host_tools.oidc_rig import BACK, App, signed_in
from tests.host_tools.test_cloud_oidc_logout import Receiver

INSIDE = (
    "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "fe80::1", "fec0::1", "fd00::1",
    "ff02::1", "ff0e::1", "::ffff:0:127.0.0.1", "5f00::1",
)  # fmt: skip
OUTSIDE = ("93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822", "2002:5db8:d822::1")


class Names(AbstractResolver):
    """A name server that tells what it likes, another time another thing."""

    def __init__(self, *answers):
        self._answers = list(answers)

    async def resolve(self, host, port=0, family=socket.AF_INET):
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        about = {"hostname": host, "port": port, "proto": 0, "flags": 0}
        return [{**about, "host": each, "family": socket.AF_INET} for each in found]

    async def close(self):
        pass


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_of_the_inside_is_known_however_it_is_wrapped(address):
    literal = f"[{address}]" if ":" in address else address
    assert not is_public(address) and not names_public(f"https://{literal}/")


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "2130706433",
        "127.0.0.1.",
        "127.0.0.1..",
        "\uff11\uff12\uff17.0.0.1",
        "",
        "[::1",
        "\uff11\uff12\uff17.1",
    ],
)
def test_what_is_called_without_a_look_up_is_no_name(host):
    """As the system reads an address (inet_aton(3)), and as the client reads its digits."""
    assert not names_public(f"https://{host}/")


def test_a_name_may_begin_with_digits_and_is_looked_up():
    assert names_public("https://1e100.example.org/") and names_public("https://0x7f.1/")


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_internet_is_one(address):
    assert is_public(address)


async def test_of_a_name_only_addresses_of_the_internet_are_connected_to():
    found = await PublicResolver(Names(["10.0.0.1", OUTSIDE[0]])).resolve("app.example.org", 443)
    assert [each["host"] for each in found] == [OUTSIDE[0]]
    with pytest.raises(OSError, match="no public network"):
        await PublicResolver(Names(["10.0.0.1", "127.0.0.1"])).resolve("app.example.org", 443)


@pytest.mark.parametrize("named", ["app.example.org", "127.0.0.1"])
@pytest.mark.parametrize("public_only, told", [(True, 0), (False, 1)])
async def test_who_was_registered_by_staff_is_told_of_nothing_inside(rig, ada, named, public_only, told):
    """Its name led to the internet when it was registered, and leads to this computer now."""
    receiver = Receiver()
    inside, outside = Names(["127.0.0.1"]), PublicResolver(Names(["127.0.0.1"]))
    async with (
        receiver.server as server,
        ClientSession(connector=TCPConnector(resolver=inside)) as anywhere,
        ClientSession(connector=TCPConnector(resolver=outside)) as public,
    ):
        address = f"http://{named}:{server.port}/logout"
        described = Described("app", "Garden App", [BACK], plain=True, public_only=public_only)
        app = App(rig, await rig.parts.oidc.clients.add(described))
        async with rig.parts.database.write() as session:  # a form takes https only, which nobody has here
            (await session.get(OidcClient, "app")).logout_uri = address
        await signed_in(app, ada)
        await ada.post("/sign-out", form_page="/security")
        await rig.parts.oidc.logins.tell(anywhere, public)
    assert len(receiver.heard) == told


async def test_an_operator_who_names_another_address_may_name_one_inside(rig):
    clients = rig.parts.oidc.clients
    await clients.add(Described("app", "Garden App", [BACK], plain=True, public_only=True))
    await clients.change("app", Changed(logout_uri="https://app.internal/", public_only=False))
    assert [(each.logout_uri, each.public_only) for each in await clients.all()] == [
        ("https://app.internal/", False)
    ]
