"""The desk: who may enter, what may be done there with a request, and what its person is told of it."""

import itertools
import re

import pytest

from host_tools import exit_codes
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.help import roles, states
from host_tools.cloud.pages import routes
from tests.host_tools.cloud_rig import PASSWORD
from tests.host_tools.test_cloud_admin import account, rig  # noqa: F401
from tests.host_tools.test_cloud_guards import address
from tests.host_tools.test_cloud_help import PNG, SERIAL, ask, content_of, only_file

GRACE, EMAIL = "grace@example.org", "ada@example.org"


@pytest.fixture
async def ada(rig):  # noqa: F811
    browser = rig.browser()
    await browser.join()
    return browser


async def staff(rig, role=roles.SUPPORT, email=GRACE):  # noqa: F811
    """Somebody with a role and a second factor."""
    browser = rig.browser()
    await browser.join(email)
    await browser.enrol()
    await give(rig, email, role)
    return browser


async def give(rig, email, role):  # noqa: F811
    assert await account(rig, "role", email, role or "none") == exit_codes.OK


@pytest.fixture
async def grace(rig):  # noqa: F811
    return await staff(rig)


def at_desk(path):
    return path.replace("/help/", "/desk/")


async def answer(grace, path, text="Hold the button for ten seconds."):
    return await grace.post(at_desk(path) + "/answer", form_page=at_desk(path), text=text)


def test_a_pair_that_is_not_in_the_table_is_refused_with_a_sentence():
    for state, deed in itertools.product(states.STATES, states.DEEDS):
        if (state, deed) not in states.TRANSITIONS:
            with pytest.raises(RefusedError, match=r"\.$"):
                states.after(state, deed)


def test_every_deed_of_the_table_is_somebodys():
    by_staff = frozenset().union(*roles.MAY.values())
    assert by_staff >= set(states.DEEDS) - {states.WRITE} and states.WRITE not in by_staff
    assert roles.MAY[roles.SUPPORT] < roles.MAY[roles.ADMIN]
    assert not any(roles.may(role, deed) for role in (None, "", "owner") for deed in by_staff)


STAFF_ROWS = [row for row in routes.ROUTES if row.who == routes.STAFF]


async def test_without_a_role_there_is_no_desk(rig, ada):  # noqa: F811
    path = (await ask(rig, ada, [("lamp.png", PNG)])).path
    for row in STAFF_ROWS:
        place = address(row).replace("a1", path.rsplit("/", 1)[-1])
        page = await (ada.get(place) if row.method == "GET" else ada.post(place, form_page="/help", text="x"))
        assert page.status == 404, row
        stranger = rig.browser()
        page = await (
            stranger.get(place)
            if row.method == "GET"
            else stranger.post(place, form_page="/sign-in", text="x")
        )
        assert page.path == "/sign-in", row
    assert "/desk" not in (await ada.get("/help")).text


async def test_without_two_factor_the_desk_is_shut(rig, ada):  # noqa: F811
    path = (await ask(rig, ada)).path
    mona = rig.browser()
    await mona.join("mona@example.org")
    await give(rig, "mona@example.org", roles.ADMIN)
    for place in ("/desk", at_desk(path)):
        page = await mona.get(place)
        assert page.status == 403 and "needs a second factor" in page.text
    assert (await mona.post(at_desk(path) + "/close", form_page="/help")).status == 403
    await mona.enrol()
    assert "No internet" in (await mona.get("/desk")).text


async def test_a_role_that_is_taken_away_is_gone_at_once(rig, grace):  # noqa: F811
    assert (await grace.get("/desk")).status == 200
    await give(rig, GRACE, "")
    assert (await grace.get("/desk")).status == 404


async def test_a_role_is_logged_and_told(rig, grace):  # noqa: F811
    rig.parts.post.wake()
    assert "The role among the staff was changed" in [mail.subject for mail in await rig.mails(GRACE)]
    assert "The role among the staff was changed: support" in (await grace.get("/security/log")).text


async def test_an_answer_comes_to_the_page_and_by_mail(rig, ada, grace):  # noqa: F811
    path = (await ask(rig, ada)).path
    assert (await answer(grace, path)).path == "/desk"
    page = await ada.get(path)
    assert "Hold the button" in page.text and "Answered" in page.text and "Grace" not in page.text
    mail = (await rig.mails(EMAIL))[0]
    assert mail.subject == "Support has answered: No internet"
    assert "Hold the button" in mail.body and path in mail.body


async def test_the_desk_lists_by_state_and_who_waits_longest_first(rig, ada, grace):  # noqa: F811
    first = (await ask(rig, ada, subject="The first")).path
    rig.clock.now += 60
    await ask(rig, ada, subject="The second")
    listed = (await grace.get("/desk")).text
    assert listed.index("The first") < listed.index("The second")
    await answer(grace, first)
    assert "The first" not in (await grace.get("/desk")).text
    assert "The first" in (await grace.get("/desk?state=answered")).text
    assert (await grace.get("/desk?state=nonsense")).status == 200


async def test_the_desk_closes_and_reopens_and_the_person_reopens_by_writing(rig, ada, grace):  # noqa: F811
    path = (await ask(rig, ada)).path
    desk = at_desk(path)
    await grace.post(desk + "/close", form_page=desk)
    assert "Closed" in (await ada.get(path)).text
    assert (await rig.mails(EMAIL))[0].subject == "Your request is closed: No internet"
    assert (await grace.post(desk + "/close", form_page=desk)).status == 422
    assert (await answer(grace, path)).status == 422
    await grace.post(desk + "/reopen", form_page=desk)
    assert (await grace.post(desk + "/reopen", form_page=desk)).status == 422
    assert "Waiting for support" in (await ada.get(path)).text
    await grace.post(desk + "/close", form_page=desk)
    assert "Waiting for support" in (await ada.post(path, text="Still red.")).text


async def test_a_note_is_support_s_alone(rig, ada, grace):  # noqa: F811
    path = (await ask(rig, ada)).path
    desk = at_desk(path)
    page = await grace.post(desk + "/note", form_page=desk, note="Third case this week.")
    assert "Third case this week." in page.text
    assert "Third case" not in (await ada.get(path)).text
    assert all("Third case" not in mail.body for mail in await rig.mails())


async def test_every_access_is_in_the_log_of_whose_request_it_is(rig, ada, grace):  # noqa: F811
    path = (await ask(rig, ada, [("lamp.png", PNG)])).path
    desk, file = at_desk(path), at_desk(await only_file(rig, ada, path))
    asked = (
        (None, "Support read a help request"),
        ("/answer", "Support answered a help request"),
        ("/note", "Support kept a note on a help request"),
        ("/close", "Support closed a help request"),
        ("/reopen", "Support reopened a help request"),
    )
    assert await content_of(rig, grace, file) == PNG
    told = (await ada.get("/security/log")).text
    assert told.count("Support read a help request") == 1
    for deed, words in asked:
        before = (await ada.get("/security/log")).text.count(words)
        if deed is None:
            await grace.get(desk)
        else:
            await grace.post(desk + deed, form_page=desk, text="An answer", note="A note")
        log = (await ada.get("/security/log")).text
        assert log.count(words) == before + 1 and "Gatelodge support (Ada)" in log
    assert "127.0.0.1" not in re.search(r"Support read.*?</li>", log, re.S)[0]
    assert "Support read" not in (await grace.get("/security/log")).text


async def test_a_failed_answer_is_not_in_the_log(rig, ada, grace):  # noqa: F811
    path = (await ask(rig, ada)).path
    await ada.post(path + "/close", form_page=path)
    await answer(grace, path)
    assert "Support answered" not in (await ada.get("/security/log")).text


async def test_the_desk_shows_the_router_while_it_is_the_person_s(rig, ada, grace):  # noqa: F811
    await rig.own_router(SERIAL, ada)
    path = (await ask(rig, ada, router=SERIAL)).path
    page = await grace.get(at_desk(path))
    assert "Lodge One" in page.text and "Until" in page.text and "Online" in page.text
    await ada.post(f"/routers/{SERIAL}/release", password=PASSWORD)
    page = await grace.get(at_desk(path))
    assert "Lodge One" not in page.text and "Online" not in page.text and SERIAL in page.text


async def test_only_an_admin_removes_and_then_nothing_is_left(rig, ada, grace):  # noqa: F811
    path = (await ask(rig, ada, [("lamp.png", PNG)])).path
    desk, file = at_desk(path), await only_file(rig, ada, path)
    assert (await grace.post(desk + "/remove", form_page=desk, sure="yes")).status == 404
    assert "Remove the request" not in (await grace.get(desk)).text
    mona = await staff(rig, roles.ADMIN, "mona@example.org")
    assert (await mona.post(desk + "/remove", form_page=desk)).status == 422
    await mona.post(desk + "/remove", form_page=desk, sure="yes")
    for browser, place in ((ada, path), (ada, file), (mona, desk)):
        assert (await browser.get(place)).status == 404
    assert "Support removed a help request: No internet" in (await ada.get("/security/log")).text


async def test_a_file_of_another_request_is_not_there(rig, ada, grace):  # noqa: F811
    first = (await ask(rig, ada, [("lamp.png", PNG)])).path
    second = (await ask(rig, ada)).path
    file_id = (await only_file(rig, ada, first)).rsplit("/", 1)[-1]
    assert (await grace.get(f"{at_desk(second)}/files/{file_id}")).status == 404
    assert (await grace.get("/desk/nobody")).status == 404
