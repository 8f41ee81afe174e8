"""Whoever has something that ends by itself hears of it before, once (OWASP ASVS 5, 6.4.5)."""

from host_tools.cloud.accounts import reminders
from host_tools.cloud.accounts.reminders import AHEAD_S
from host_tools.cloud.accounts.trusted import TRUSTED_S
from host_tools.cloud.pruning import prune
from tests.host_tools.cloud_rig import PASSWORD

EMAIL = "ada@example.org"
TOKEN, BROWSER = "A personal token ends soon", "A browser is trusted no longer soon"
DAY_S = 24 * 3600


async def reminded(rig):
    """The reminders of a sweep, the last first."""
    before = len(await rig.mails(EMAIL))
    await prune(rig.parts)
    mails = await rig.mails(EMAIL)
    return [mail for mail in mails[: len(mails) - before] if mail.subject in (TOKEN, BROWSER)]


async def test_a_token_is_told_of_a_week_before_its_end_and_once(rig, ada):
    fields = {"name": "My script", "days": "90", "account:read": "yes", "password": PASSWORD}
    await ada.post("/security/tokens", **fields)
    made_at = rig.clock.now
    rig.clock.now = made_at + 90 * DAY_S - AHEAD_S - 1
    assert TOKEN not in [mail.subject for mail in await reminded(rig)]
    rig.clock.now += 1
    (mail,) = [mail for mail in await reminded(rig) if mail.subject == TOKEN]
    assert "“My script”" in mail.body and "/security/tokens" in mail.body
    assert await reminded(rig) == []
    rig.clock.now += AHEAD_S
    assert TOKEN not in [mail.subject for mail in await reminded(rig)]


async def test_a_trusted_browser_is_told_of_again_after_it_was_used(rig, ada):
    for _ in range(2):
        rig.clock.now += TRUSTED_S - AHEAD_S
        (mail,) = await reminded(rig)
        assert mail.subject == BROWSER and await reminded(rig) == []
        rig.clock.now += 1
        assert (await ada.sign_in()).path == "/routers"  # the password is enough: it is trusted still


async def test_a_sweep_sends_so_many_and_the_next_the_rest(rig, ada, monkeypatch):
    monkeypatch.setattr(reminders, "AT_ONCE", 1)
    await rig.browser(**{"User-Agent": "Firefox"}).enter()
    rig.clock.now += TRUSTED_S - AHEAD_S
    assert [len(await reminded(rig)) for _ in range(3)] == [1, 1, 0]


async def test_it_is_in_the_language_of_the_account(rig, ada):
    fields = {"first_name": "Ada", "last_name": "Bell", "country": "BE", "time_zone": "Europe/Brussels"}
    await ada.post("/profile", language="tr", **fields)
    rig.clock.now += TRUSTED_S - AHEAD_S
    await prune(rig.parts)
    mail = (await rig.mails(EMAIL))[0]
    assert mail.subject != BROWSER and "taray" in mail.body
