"""The cloud's decisions, without a database or a clock."""

import logging

import pyotp
import pytest

from host_tools.cloud.accounts import agents, passwords, recovery, throttle, totp
from host_tools.cloud.accounts.turnstile import network
from host_tools.cloud.delivery.progress import RETRY_AFTER_S, retry_after_s
from host_tools.cloud.verb_serve import OneLine

LIMIT = throttle.Limit("test", 3, 60)
NOW = 1_000_000.0
# RFC 6238 appendix B, the SHA-1 rows cut to six digits.
RFC_6238 = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924")]
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def attempts(count, due_at=None, now=NOW):
    verdicts = []
    for _ in range(count):
        verdict = throttle.next_attempt(due_at, LIMIT, now)
        due_at = verdict.due_at
        verdicts.append(verdict)
    return verdicts


def test_the_burst_is_allowed_and_the_next_attempt_waits():
    assert [verdict.allowed for verdict in attempts(4)] == [True, True, True, False]


def test_a_refused_attempt_says_how_long_to_wait_and_then_is_allowed():
    refused = attempts(4)[-1]
    assert refused.wait_s == pytest.approx(60)
    assert throttle.next_attempt(refused.due_at, LIMIT, NOW + refused.wait_s).allowed


def test_refused_attempts_do_not_push_the_next_one_away():
    assert attempts(50)[-1].wait_s == attempts(4)[-1].wait_s


def test_an_attempt_given_back_costs_nothing():
    due_at = attempts(3)[-1].due_at
    assert throttle.next_attempt(throttle.given_back(due_at, LIMIT), LIMIT, NOW).allowed


def test_every_guessable_thing_is_bounded_at_all_three_widths():
    for thing in ("sign_in", "code", "sign_up", "claim"):
        assert {f"{thing}.{width}" for width in ("account", "address", "all")} <= set(throttle.LIMITS)


def test_what_strangers_may_have_mailed_to_them_is_bounded_for_all_by_the_messages():
    """Their tries count at no width that somebody else's code counts at."""
    assert {"mailed_code.account", "mailed_code.address", "mailed_code.block"} <= set(throttle.LIMITS)
    assert "mailed_code.all" not in throttle.LIMITS
    assert {"sign_up.all", "reset.all"} <= set(throttle.LIMITS)


def test_addresses_of_one_ipv6_household_count_together():
    assert network("2001:db8::1") == network("2001:db8::ffff:2") != network("2001:db8:0:1::1")
    assert network("::ffff:192.0.2.7") == network("192.0.2.7") != network("192.0.2.8")


@pytest.mark.parametrize("now, code", RFC_6238)
def test_codes_are_those_of_rfc_6238(now, code):
    assert totp.judge(RFC_SECRET, code, totp.State(), "", now)[:2] == (totp.RIGHT, totp.State(now // 30))


def test_a_new_authenticator_key_holds_160_bits():
    assert len(pyotp.TOTP(totp.new_secret()).byte_secret()) == 20


@pytest.mark.parametrize(
    "password", ["short", "Password123!", "12345678", "aaaaaaaaaaaa", "abcdefgh", "x" * 200]
)
def test_a_guessable_password_is_refused_with_a_sentence(password):
    assert passwords.fault(password).endswith(".")


@pytest.mark.parametrize(
    "password", ["walnut tree by the gate", "k7fjw9qx", "Sommer-Regen-41", "пароль у ворот"]
)
def test_a_password_of_no_particular_composition_is_accepted(password):
    assert passwords.fault(password) is None


def test_a_password_with_ones_own_name_in_it_is_refused():
    assert passwords.fault("adalovelace-1815", personal=("Ada", "Lovelace")) is not None


def test_recovery_codes_are_ten_different_ones_and_forgive_how_they_are_typed():
    codes = recovery.new_codes()
    assert len(set(codes)) == recovery.COUNT
    assert recovery.canonical(" " + recovery.grouped(codes[0]).lower()) == codes[0]


def test_delivery_backs_off_and_then_gives_up():
    waits = [retry_after_s(attempt) for attempt in range(1, len(RETRY_AFTER_S) + 2)]
    assert waits == sorted(waits[:-1]) + [None]


def test_a_line_of_the_log_stays_one_line():
    said = ("no\r\n2026 forged\x1b[2J é",)
    record = logging.LogRecord("cloud", logging.INFO, "", 0, "it said %s", said, None)
    assert OneLine("%(message)s").format(record) == "it said no\\r\\n2026 forged\\x1b[2J é"


SAYS = "Gatelodge support (Anna)"


@pytest.mark.parametrize("header", [SAYS, "gatelodge cloud", "Gate\u200blodge\x1b support", "X/5 GATELODGE"])
def test_no_browser_bears_a_name_of_ours(header):
    """Whoever signs in as "Gatelodge support" is not who the person would think."""
    assert agents.browser_words(agents.said(header)) == "An unknown browser"


def test_support_bears_its_name_whatever_its_people_are_called():
    assert agents.browser_words(SAYS) == SAYS
    named = SAYS.replace("Anna", "Firefox/1 Linux")
    assert agents.browser_words(named) == named
    for operator in ("gatelodge cloud (grace)", "gatelodge cloud (uid 1001)", "gatelodge cloud"):
        assert agents.browser_words(operator) == operator and agents.said(operator) == ""
    assert agents.browser_words("gatelodge cloud (call +32 now)") == "gatelodge"


@pytest.mark.parametrize("header, told", [
    ("curl/8.5.0", "curl/8.5.0"), ("Dalvik (x)", "Dalvik"), ("Confirm at https://evil.example/", "Confirm"),
    ("evil.example/login", "An unknown browser"), ("<b>x", "An unknown browser"), ("", "An unknown browser"),
])  # fmt: skip
def test_a_browser_that_nobody_knows_is_told_by_its_product_alone(header, told):
    """Mails tell of it: no sentence and no address of a stranger is in one of ours."""
    assert agents.browser_words(header) == told


def test_a_browser_says_what_can_be_seen():
    assert agents.said("Firefox/1 \x1b[2J\u202e\xe9 Linux") == "Firefox/1 [2J Linux"
