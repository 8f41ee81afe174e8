"""The clock of an authenticator: each code for its own 30 seconds, and what two codes in a row tell.

The decisions with clocks that stand still at the edges of steps; then the same through the pages.
"""

import re

import pyotp
import pytest
import pytest_asyncio

from host_tools.cloud.accounts import drift, totp
from host_tools.cloud.accounts.totp import State
from tests.host_tools.cloud_rig import Rig

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # of RFC 6238, appendix B
STEP = 59_000_000
NEW = State()
START = STEP * 30  # when STEP begins, in seconds


def code(step):
    return pyotp.TOTP(SECRET).generate_otp(step)


def judged(step, now, state=NEW, by="a sign-in"):
    return totp.judge(SECRET, code(step), state, by, now)


@pytest.mark.parametrize("drift_s", [0, 34, -34])
def test_a_code_is_good_for_its_own_thirty_seconds_by_the_clock_of_its_authenticator(drift_s):
    state, begins = State(drift_s=drift_s), START - drift_s
    moments = (begins - 0.01, begins, begins + 29.99, begins + 30)
    verdicts = [judged(STEP, moment, state).verdict for moment in moments]
    assert verdicts == [totp.EARLY, totp.RIGHT, totp.RIGHT, totp.LATE]


@pytest.mark.parametrize("last_step", [STEP, STEP + 1])
def test_a_step_that_was_used_or_lies_before_a_used_one_is_used(last_step):
    for now in (START, START + 30):
        assert judged(STEP, now, State(last_step)).verdict == totp.USED


def test_a_code_that_is_not_there_yet_is_used_up_with_being_told_of():
    early = judged(STEP + 1, START + 29)
    assert early.verdict == totp.EARLY
    assert judged(STEP + 1, START + 30, early.state).verdict == totp.USED


@pytest.mark.parametrize("ahead_s", [34, 250, -34, -250])
def test_two_codes_in_a_row_tell_by_how_much_a_clock_is_off(ahead_s):
    """Each is typed when it shows: the drift is known to the second."""
    first = judged(STEP, START - ahead_s)
    assert first.verdict not in (totp.RIGHT, totp.LEARNED)
    second = judged(STEP + 1, START + 30 - ahead_s, first.state)
    assert second == (totp.LEARNED, State(STEP + 1, ahead_s), 0)
    assert judged(STEP + 2, START + 60 - ahead_s, second.state).verdict == totp.RIGHT


def test_of_two_codes_the_one_that_was_typed_quicker_tells_the_drift():
    first = judged(STEP, START - 34 + 20)
    second = judged(STEP + 1, START + 30 - 34 + 4, first.state)
    assert second.state.drift_s == 30
    third = judged(STEP + 2, START + 60 - 34 + 29, second.state)  # as late as the phone shows it
    assert third.verdict == totp.RIGHT


@pytest.mark.parametrize(
    "step, after_s, by",
    [
        (STEP + 1, 0, "a sign-in"),  # at the same moment: of no clock that ticks
        (STEP + 1, 60, "a sign-in"),  # too late to be the next one
        (STEP + 2, 30, "a sign-in"),  # one is missing between
        (STEP, 30, "a sign-in"),  # the same once more
        (STEP + 1, 30, "another sign-in"),
    ],
)
def test_codes_that_are_not_in_a_row_move_no_clock(step, after_s, by):
    now = START + 120
    first = judged(STEP, now)
    assert first.verdict == totp.BEHIND
    second = judged(step, now + after_s, first.state, by)
    assert second.verdict not in (totp.RIGHT, totp.LEARNED) and second.state.drift_s == 0


@pytest.mark.parametrize("steps", [-11, 11])
def test_a_clock_that_is_off_by_more_than_five_minutes_is_not_followed(steps):
    first = judged(STEP + steps, START)
    second = judged(STEP + steps + 1, START + 30, first.state)
    assert second.verdict == (totp.AHEAD if steps > 0 else totp.BEHIND) and second.state.drift_s == 0
    assert abs(second.off_s) == 330


def test_a_code_beyond_the_next_step_is_told_of_only_after_two():
    for steps in (2, 10, 20):
        first = judged(STEP + steps, START)
        assert first.verdict == totp.WRONG
        assert judged(STEP + steps, START + 1, first.state).verdict == totp.WRONG


def test_a_right_code_forgets_the_stray_one_before_it():
    late = judged(STEP, START + 30)
    right = judged(STEP + 1, START + 31, late.state)
    assert right.state == State(STEP + 1)


def test_a_clock_that_was_set_right_is_learned_anew():
    state = State(STEP - 100, 90)
    first = judged(STEP, START, state)
    assert first.verdict == totp.BEHIND and first.off_s == 0
    assert judged(STEP + 1, START + 30, first.state).state.drift_s == 0


@pytest.mark.parametrize(
    "step, now, drift_s",
    [
        (STEP, START, 0), (STEP, START + 29.9, 0), (STEP, START + 59.9, 0),  # typed late
        (STEP, START + 60, -60), (STEP, START - 1, 1), (STEP, START - 34, 34), (STEP, START - 300, 300),
    ],
)  # fmt: skip
def test_the_first_code_of_all_tells_the_drift(step, now, drift_s):
    assert totp.first(SECRET, code(step), now) == State(step, drift_s)


@pytest.mark.parametrize("now", [START - 301, START + 330])
def test_the_first_code_is_looked_for_within_five_minutes(now):
    assert totp.first(SECRET, code(STEP), now) is None


def test_what_shows_is_good_until_its_step_ends_on_the_phone():
    assert [totp.left_s(drift_s, START + 10) for drift_s in (0, 4, -12)] == [20, 16, 2]


def test_a_drift_is_said_with_its_side():
    assert "34 seconds ahead" in drift.learned(34) and "2 minutes behind" in drift.learned(-95)
    assert drift.learned(0) == ""


# --- through the pages ------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def rig(tmp_path):
    async with Rig(tmp_path) as rig:
        rig.clock.now = float(int(rig.clock.now) // 30 * 30 + 30)  # a step begins
        yield rig


async def at_the_code_page(rig):
    """(who owns the authenticator, a browser that is asked for its code, the phone: its code at a moment)"""
    ada = rig.browser()
    await ada.join()
    phone, _ = await ada.enrol()
    rig.clock.now += 600
    other = rig.browser()
    page = await other.sign_in()
    assert page.path == "/sign-in/code"
    return ada, other, lambda ahead_s=0: phone.at(int(rig.clock() + ahead_s))


async def enter(browser, typed):
    return await browser.post("/sign-in/code", code=typed)


async def test_a_code_that_has_run_out_is_told_so_and_the_present_one_lets_in(rig):
    _, browser, phone = await at_the_code_page(rig)
    page = await enter(browser, phone(-1))
    assert page.status == 422 and "That code has run out. Enter the one that your app shows now." in page.text
    assert (await enter(browser, phone())).path == "/routers"


async def test_a_code_that_is_not_valid_yet_is_told_so_and_the_next_one_lets_in(rig):
    _, browser, phone = await at_the_code_page(rig)
    page = await enter(browser, phone(30))
    assert page.status == 422 and "That code is not valid yet" in page.text
    rig.clock.now += 30
    assert "has been used" in (await enter(browser, phone())).text
    rig.clock.now += 30
    assert (await enter(browser, phone())).path == "/routers"


async def test_neighbours_count_as_failures(rig):
    _, browser, phone = await at_the_code_page(rig)
    for _ in range(4):
        assert (await enter(browser, phone(-1))).path == "/sign-in/code"
    assert (await enter(browser, phone(-1))).path != "/routers"
    assert "Sign in again from the start" in (await enter(browser, phone())).text


@pytest.mark.parametrize("ahead_s, said", [(94, "2 minutes ahead"), (-94, "2 minutes behind")])
async def test_two_codes_in_a_row_let_in_and_the_drift_is_said_and_shown(rig, ahead_s, said):
    ada, browser, phone = await at_the_code_page(rig)
    page = await enter(browser, phone(ahead_s))
    assert page.status == 422 and ("Enter the next code" in page.text) == (ahead_s < 0)
    rig.clock.now += 30
    page = await enter(browser, phone(ahead_s))
    assert page.path == "/routers" and "Your phone&#39;s clock is off" in page.text
    assert said in (await browser.get("/security")).text
    assert "The clock of an authenticator was learned" in (await browser.get("/security/log")).text
    rig.clock.now += 30
    other = rig.browser()
    await other.sign_in()
    assert (await enter(other, phone(ahead_s))).path == "/routers"


async def test_a_code_that_moved_a_clock_is_used_up(rig):
    _, browser, phone = await at_the_code_page(rig)
    other = rig.browser()
    await other.sign_in()
    await enter(browser, phone(94))
    rig.clock.now += 30
    typed = phone(94)
    assert (await enter(browser, typed)).path == "/routers"
    assert "has been used" in (await enter(other, typed)).text


async def test_the_code_page_says_how_long_the_code_is_good_for(rig):
    _, browser, _ = await at_the_code_page(rig)
    rig.clock.now += 13
    page = await browser.get("/sign-in/code")
    assert 'data-code-clock="17.0"' in page.text and ">0:17<" in page.text


async def test_an_authenticator_whose_clock_is_off_is_learned_as_it_is_added(rig):
    ada = rig.browser()
    await ada.join()
    page = await ada.get("/security/authenticators/add")
    phone = pyotp.TOTP(re.search(r'id="key">([A-Z2-7 ]+)<', page.text)[1].replace(" ", ""))
    fields = {"name": "My phone", "password": "walnut tree by the gate"}
    page = await ada.post("/security/authenticators/add", code=phone.at(int(rig.clock() + 34)), **fields)
    assert "Its clock is" in page.text and "ahead" in page.text
    rig.clock.now += 30
    other = rig.browser()
    await other.sign_in()
    assert (await enter(other, phone.at(int(rig.clock() + 34)))).path == "/routers"


async def test_proving_it_once_more_follows_a_clock_too(rig):
    ada, _, phone = await at_the_code_page(rig)
    await ada.post(
        "/security/prove/password", form_page="/security/prove", password="walnut tree by the gate"
    )
    page = await ada.get("/security/prove")
    assert "data-code-clock" in page.text
    for expected in ("/security/prove/code", "/security"):
        way = {"way": "authenticator", "code": phone(-94)}
        page = await ada.post("/security/prove/code", form_page="/security/prove", **way)
        assert page.path == expected
        rig.clock.now += 30
