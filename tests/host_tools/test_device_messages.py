"""What a router tells is acknowledged once it is kept, and not before."""

from host_tools.cloud.devices.registry import DeviceRecord
from tests.host_tools.device_hub_rig import HELLO, OWNER, SERIAL


async def test_a_claim_answer_is_acknowledged_once_it_is_kept(hub_rig):
    peer = await hub_rig.welcomed()
    hub_rig.database_fails = True
    await peer.say(type="claim_answer", claim_id="k1", approved=True)
    await peer.say(type="heartbeat", seq=1, uptime_s=1, load=0, memory_free_kb=1, wan_up=True)
    assert (await peer.hear())["type"] == "heartbeat_ack"
    hub_rig.database_fails = False
    await peer.say(type="claim_answer", claim_id="k1", approved=True)
    assert await peer.hear() == {"type": "claim_answer_ack", "claim_id": "k1"}
    assert hub_rig.answers == [(SERIAL, "k1", True)]


async def test_a_release_is_acknowledged_once_it_is_kept(hub_rig):
    peer = await hub_rig.welcomed()
    hub_rig.database_fails = True
    await peer.say(type="release", release_id="r1", account_id="a1", undo="u1")
    await peer.say(type="invite", invite_id="i1", service_code="CODE")
    assert (await peer.hear())["type"] == "invitation"  # so the release before it was heard
    hub_rig.database_fails = False
    await peer.say(type="release", release_id="r2", account_id="a1")
    assert (await peer.hear())["release_id"] == "r2"
    assert hub_rig.releases == [(SERIAL, "a1", None)]


async def test_a_notice_is_acknowledged_once_it_is_kept(hub_rig):
    peer = await hub_rig.welcomed()
    notice = {"account_id": "a1", "kind": "new_browser", "address": "", "browser": "", "dropped": 0}
    hub_rig.database_fails = True
    await peer.say(type="notice", notice_id="n1", **notice)
    await peer.say(type="invite", invite_id="i1", service_code="CODE")
    assert (await peer.hear())["type"] == "invitation"  # so the notice before it was heard
    hub_rig.database_fails = False
    await peer.say(type="notice", notice_id="n2", **notice)
    assert await peer.hear() == {"type": "notice_ack", "notice_id": "n2"}
    assert hub_rig.notices == [(SERIAL, "n2")]


async def test_an_invite_is_answered_with_a_link_or_with_a_reason(hub_rig):
    peer = await hub_rig.welcomed()
    await peer.say(type="invite", invite_id="i1", service_code="CODE")
    told = await peer.hear()
    assert (told["invite_id"], told["link"], told["expires_s"]) == ("i1", "https://cloud.test/x", 600)
    hub_rig.database_fails = True
    await peer.say(type="invite", invite_id="i2", service_code="CODE")
    told = await peer.hear()
    assert (told["invite_id"], told["link"]) == ("i2", None) and "Try again" in told["error"]
    assert hub_rig.invites == [(SERIAL, "CODE")]


async def test_a_withdrawal_is_passed_on_and_one_that_fails_leaves_the_link_up(hub_rig):
    peer = await hub_rig.welcomed()
    hub_rig.database_fails = True
    await peer.say(type="uninvite", invite_id="i1")
    await peer.say(type="invite", invite_id="i2", service_code="CODE")
    assert (await peer.hear())["type"] == "invitation"  # so the withdrawal before it was heard
    hub_rig.database_fails = False
    await peer.say(type="uninvite", invite_id="i2")
    await peer.say(type="invite", invite_id="i3", service_code="CODE")
    assert (await peer.hear())["invite_id"] == "i3"
    assert hub_rig.uninvites == [SERIAL]


async def test_a_reset_ends_the_ownership_before_the_welcome_acknowledges_it(hub_rig):
    peer = await hub_rig.connect()
    await peer.say(**HELLO | {"reset": "r1"})
    welcome = await peer.hear()
    assert (welcome["reset"], welcome["owner"], hub_rig.resets) == ("r1", None, [SERIAL])
    assert "reset" not in hub_rig.hub.online(SERIAL)
    await hub_rig.until(lambda: hub_rig.edges)
    assert hub_rig.edges == [("online", None)]


async def test_an_owner_of_null_is_no_reset(hub_rig):
    """The owner's approval may have reached us while the router was away."""
    peer = await hub_rig.connect()
    await peer.say(**HELLO | {"owner": None})
    welcome = await peer.hear()
    assert (welcome["owner"], welcome["reset"], hub_rig.resets) == (OWNER, None, [])


async def test_a_reset_that_could_not_be_kept_is_not_acknowledged(hub_rig):
    hub_rig.database_fails = True
    peer = await hub_rig.connect()
    await peer.say(**HELLO | {"reset": "r1"})
    assert (await peer.hear())["type"] == "goodbye"
    assert hub_rig.hub.online(SERIAL) is None
    hub_rig.database_fails = False
    again = await hub_rig.connect()
    await again.say(**HELLO | {"reset": "r1"})
    assert (await again.hear())["reset"] == "r1"


async def test_nobody_is_reset_by_a_router_with_another_certificate(hub_rig):
    hub_rig.registry.records = {SERIAL: DeviceRecord(SERIAL, "0" * 64, OWNER)}
    peer = await hub_rig.connect()
    await peer.say(**HELLO | {"reset": "r1"})
    assert (await peer.hear())["type"] == "goodbye"
    assert hub_rig.resets == []
