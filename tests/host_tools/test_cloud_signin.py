"""The sign-in's tables: every state with every event, every set of holdings, and long random walks."""

import itertools
import random

import pytest
from gatelodge.contract.errors import StateError

from host_tools.cloud.accounts import signin
from host_tools.cloud.accounts.signin import (
    ANSWERS,
    APPROVED,
    BY_NAME,
    CHALLENGE,
    EVENTS,
    FIRST,
    METHODS,
    SIGNED_IN,
    STATES,
    TRANSITIONS,
    VOID,
    Attempt,
    Holdings,
)

NOW = 1_000_000.0
EVERY = tuple(BY_NAME)
HOLDINGS = [
    Holdings(*counts) for counts in itertools.product((0, 1), repeat=len(Holdings._fields) - 2)
]  # every e-mail is confirmed
ONLY_PASSKEYS = [holdings._replace(passkeys_only=1) for holdings in HOLDINGS]


def after(state, event, method, asked, offered=EVERY, tries=0, now=NOW):
    """The attempt after the event; None where it cannot happen."""
    try:
        return signin.step(Attempt(state, asked, tries, NOW + 100), event, now, method, offered)
    except StateError:
        return None


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_only_what_the_table_holds_can_happen(state, event):
    for method, asked in itertools.product(("", *EVERY), repeat=2):
        found = after(state, event, method, asked)
        if state == VOID:
            assert found.state == VOID
        elif found is not None:
            assert found.state == TRANSITIONS[state, event]


@pytest.mark.parametrize("event", EVENTS)
def test_a_challenge_is_answered_only_in_the_way_of_the_method_that_was_asked(event):
    for method, asked in itertools.product(EVERY, repeat=2):
        found = after(CHALLENGE, event, method, asked)
        if found is not None and found.state in (SIGNED_IN, APPROVED):
            assert method == asked and event in ANSWERS[BY_NAME[asked].answer]


@pytest.mark.parametrize("event", [event for event in EVENTS if event != signin.DENIED])
def test_a_method_that_is_not_open_is_not_asked_and_answers_nothing(event):
    for method in EVERY:
        others = tuple(name for name in EVERY if name != method)
        assert after(CHALLENGE, event, method, method, others) is None


def test_two_events_lead_in_from_a_challenge_and_one_from_an_approval():
    ways = {pair for pair, state in TRANSITIONS.items() if state == SIGNED_IN}
    assert ways == {(FIRST, signin.PROVED), (CHALLENGE, signin.RIGHT), (APPROVED, signin.TAKEN)}


@pytest.mark.parametrize("event", EVENTS)
def test_nothing_happens_after_the_session(event):
    assert after(SIGNED_IN, event, "authenticator", "authenticator") is None


@pytest.mark.parametrize("holdings", HOLDINGS)
def test_something_that_may_stand_alone_is_always_open(holdings):
    offered = signin.open_methods(holdings)
    assert any(BY_NAME[name].alone for name in offered)
    assert all(getattr(holdings, BY_NAME[name].needs) for name in offered)


@pytest.mark.parametrize("holdings", HOLDINGS)
def test_mail_is_no_second_factor_where_one_was_chosen(holdings):
    assert ("mail" in signin.open_methods(holdings)) != signin.two_factor(holdings)


@pytest.mark.parametrize("holdings", HOLDINGS)
def test_voice_is_offered_only_beside_another_and_never_first(holdings):
    offered = signin.open_methods(holdings)
    if "voice" in offered:
        assert offered[0] != "voice" and any(BY_NAME[name].alone for name in offered)


def test_a_voice_call_alone_is_nothing_even_where_the_mail_is_missing():
    only_phones = Holdings(phones=1, callable_phones=1, email=0)
    assert signin.open_methods(only_phones) == ("sms", "voice")
    assert signin.open_methods(Holdings(recovery_codes=1, email=0)) == ()


def test_after_three_calls_it_is_a_text_message():
    asked = [signin.instead("voice", sends) for sends in range(5)]
    assert asked == ["voice", "voice", "voice", "sms", "sms"]
    assert {signin.instead(name, 99) for name in EVERY if name != "voice"} == set(EVERY) - {"voice"}
    assert signin.after_loss("voice", 2, EVERY) == "" and signin.after_loss("voice", 3, EVERY) == "sms"


@pytest.mark.parametrize("holdings", HOLDINGS)
def test_what_follows_a_loss_is_open_and_stands_alone(holdings):
    offered = signin.open_methods(holdings)
    for name in EVERY:
        following = signin.after_loss(name, 3, offered)
        assert following != name and (following == "" or BY_NAME[following].alone and following in offered)


def test_without_a_chosen_factor_trusted_browsers_are_asked_and_else_the_mail():
    assert signin.open_methods(Holdings(trusted=2)) == ("push", "mail")
    assert signin.open_methods(Holdings()) == ("mail",)


@pytest.mark.parametrize(
    "proved, how, trusted, event",
    [
        (False, signin.PASSWORD, True, signin.WRONG),
        (True, signin.PASSWORD, False, signin.PROVED_MORE),
        (True, signin.OUTSIDE, False, signin.PROVED_MORE),
        (True, signin.PASSWORD, True, signin.PROVED),
        (True, signin.PASSKEY, False, signin.PROVED),
    ],
)
def test_a_first_step_is_enough_from_a_trusted_browser_or_by_a_passkey(proved, how, trusted, event):
    assert signin.first_event(proved, how, trusted, False) == event


@pytest.mark.parametrize("how", [signin.PASSWORD, signin.PASSKEY, signin.OUTSIDE])
def test_where_only_passkeys_sign_in_every_other_first_step_is_wrong_also_in_a_trusted_browser(how):
    for proved, trusted in itertools.product((False, True), repeat=2):
        right = proved and how == signin.PASSKEY
        assert signin.first_event(proved, how, trusted, True) == (signin.PROVED if right else signin.WRONG)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_where_only_passkeys_sign_in_nothing_is_between_the_steps(state, event):
    """Every state, event and method: an attempt of before the setting, and one that has slipped past it."""
    offered = [signin.open_methods(holdings) for holdings in ONLY_PASSKEYS]
    assert set(offered) == {()}
    for method, asked in itertools.product(("", *EVERY), repeat=2):
        found = after(state, event, method, asked, offered[0])
        if found is not None and found.state == SIGNED_IN:
            assert (state, event) == (FIRST, signin.PROVED)
        assert found is None or found.state in (FIRST, SIGNED_IN, VOID)


def test_five_wrong_codes_void_the_attempt_and_a_right_one_revives_nothing():
    attempt = Attempt(CHALLENGE, "authenticator", 0, NOW + 100)
    for _ in range(signin.TRIES):
        attempt = signin.step(attempt, signin.WRONG, NOW, "authenticator", EVERY)
    assert attempt.state == VOID
    assert signin.step(attempt, signin.RIGHT, NOW, "authenticator", EVERY).state == VOID


def test_choosing_another_method_gives_no_tries_back():
    attempt = Attempt(CHALLENGE, "authenticator", 4, NOW + 100)
    attempt = signin.step(attempt, signin.CHOSEN, NOW, "sms", EVERY)
    assert signin.step(attempt, signin.WRONG, NOW, "sms", EVERY).state == VOID


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_an_attempt_that_is_too_old_is_void_whatever_happens(state, event):
    assert after(state, event, "mail", "mail", now=NOW + 100).state == VOID


def test_every_way_of_answering_is_the_way_of_some_method_and_every_row_says_who_asks():
    assert {method.answer for method in METHODS} == set(ANSWERS)
    assert all(method.asked_by for method in METHODS)
    asked = {row for method in METHODS for row in method.asked_by}
    assert {"N4", "A1", "A2", "A6", "H4", "H7"} <= asked


@pytest.mark.parametrize("seed", range(40))
def test_however_events_come_only_a_right_answer_to_what_was_asked_leads_in(seed):
    """A walk of random events: whenever it ends in a session, the last event answered the method asked."""
    chance = random.Random(seed)
    for _ in range(100):
        holdings = chance.choice(HOLDINGS + ONLY_PASSKEYS)
        offered = signin.open_methods(holdings)
        attempt, wrong, before = signin.begin(NOW), 0, None
        while attempt.state not in (SIGNED_IN, VOID) and wrong < 200:
            event, method = chance.choice(EVENTS), chance.choice(("", *EVERY))
            before, wrong = attempt, wrong + 1
            try:
                attempt = signin.step(attempt, event, NOW, method, offered)
            except StateError:
                continue
            if attempt.state == APPROVED and before.state == CHALLENGE:
                assert (event, method) == (signin.AGREED, before.method) and method in offered
        if attempt.state == SIGNED_IN:
            assert before.state == FIRST or not holdings.passkeys_only
            ways = {FIRST: signin.PROVED, APPROVED: signin.TAKEN, CHALLENGE: signin.RIGHT}
            assert event == ways[before.state]
            assert before.state != CHALLENGE or (method == before.method and method in offered)
            assert attempt.tries < signin.TRIES
