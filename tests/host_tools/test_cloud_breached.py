"""Stolen passwords: the range protocol, the searched file and its making, and the forms that ask."""

import asyncio
import hashlib
import logging
import random
import re

import pytest
from aiohttp import web

from host_tools import cli, exit_codes
from host_tools.cloud.breached import breaker, making, range_service
from host_tools.cloud.breached.away import AwayError
from host_tools.cloud.breached.breaker import Breaker
from host_tools.cloud.breached.collection import STOLEN, BreachedPasswords, driver_of
from host_tools.cloud.breached.digest_file import ENTRIES_AT, ENTRY, DigestFile
from host_tools.cloud.breached.range_service import RangeService
from host_tools.errors import ToolError
from tests.fakes.password_ranges import PasswordRanges
from tests.host_tools.cloud_rig import PASSWORD, Rig, code_in, free_port
from tests.host_tools.test_cloud_resets import ask

STOLEN_ONE = "copper lantern by the quay"
FINE = "nine grey herons at dusk"


def digest_of(password):
    return hashlib.sha1(password.encode()).hexdigest().upper()


# --- the service ------------------------------------------------------------------------------------


async def test_five_digits_leave_and_nothing_else():
    async with PasswordRanges({STOLEN_ONE: 3}) as ranges:
        assert await RangeService(ranges.url).knows(digest_of(STOLEN_ONE))
        [(path, headers)] = ranges.asked
    assert path == f"/range/{digest_of(STOLEN_ONE)[:5]}"
    assert headers["Add-Padding"] == "true"
    assert set(headers) <= {"Host", "Add-Padding", "User-Agent", "Accept", "Accept-Encoding"}


async def test_padding_is_no_password():
    """A line with a count of zero was added for its length alone."""
    async with PasswordRanges({STOLEN_ONE: 0, FINE: 12}) as ranges:
        service = RangeService(ranges.url)
        assert [await service.knows(digest_of(each)) for each in (STOLEN_ONE, FINE, "x")] == [
            False,
            True,
            False,
        ]


async def test_a_group_is_asked_for_once_in_an_hour_and_few_are_kept(monkeypatch):
    monkeypatch.setattr(range_service, "KEPT_MAX", 2)
    async with PasswordRanges({}) as ranges:
        service = RangeService(ranges.url)
        for prefix in ("00000", "00000", "00001", "00002", "00001", "00000"):
            await service.knows(prefix + "A" * 35)
        assert [path[-5:] for path, _ in ranges.asked] == ["00000", "00001", "00002", "00000"]
        monkeypatch.setattr(range_service, "KEPT_S", -1)
        for _ in range(2):
            await service.knows("00009" + "A" * 35)
        assert len(ranges.asked) == 6


async def never(request):
    await asyncio.Event().wait()


async def endless(request):
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b"A" * 35 + b":1\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=503), web.Response(status=302, headers={"Location": "/range/AAAAA"}),
        web.Response(status=200, body=b"\x00" * (range_service.ANSWER_MAX + 1)), endless, never,
    ],
    ids=["503", "redirection", "too long", "endless", "silent"],
)  # fmt: skip
async def test_a_service_that_does_not_answer_as_it_should_is_away(monkeypatch, answer):
    if answer is never:
        monkeypatch.setattr(range_service, "TIMEOUT_S", 0.1)
    async with PasswordRanges({}) as ranges:
        ranges.answer = answer
        with pytest.raises(AwayError) as told:
            await RangeService(ranges.url).knows(digest_of(STOLEN_ONE))
    assert digest_of(STOLEN_ONE)[:5] not in str(told.value)


async def test_while_it_is_away_passwords_are_taken_and_the_log_says_so_once(caplog):
    caplog.set_level(logging.DEBUG)
    async with PasswordRanges({STOLEN_ONE: 3}) as ranges:
        breached = BreachedPasswords(RangeService(ranges.url))
        ranges.answer = web.Response(status=503)
        assert [await breached.fault(STOLEN_ONE) for _ in range(2)] == [None, None]
        ranges.answer = None
        assert await breached.fault(STOLEN_ONE) == STOLEN
    lines = [record.getMessage() for record in caplog.records if record.name == "cloud.breached"]
    assert len(lines) == 2 and "503" in lines[0] and "again" in lines[1]


async def test_a_service_that_keeps_failing_is_asked_seldom_and_nobody_waits_for_it(caplog):
    caplog.set_level(logging.INFO)
    now = [1000.0]
    async with PasswordRanges({STOLEN_ONE: 3}) as ranges:
        breached = BreachedPasswords(RangeService(ranges.url), lambda: now[0])
        ranges.answer = web.Response(status=503)
        for _ in range(100):
            assert await breached.fault(STOLEN_ONE) is None
        assert len(ranges.asked) == breaker.FAILURES
        now[0] += breaker.WAITS_S[0]
        await asyncio.gather(*(breached.fault(STOLEN_ONE) for _ in range(10)))
        assert len(ranges.asked) == breaker.FAILURES + 1  # one, for all
        ranges.answer = None
        assert await breached.fault(STOLEN_ONE) is None  # not yet
        now[0] += breaker.WAITS_S[1]
        assert await breached.fault(STOLEN_ONE) == STOLEN
    said = [record.getMessage() for record in caplog.records if record.name == "cloud.breached"]
    assert len(said) == 2 and said[1] == "new passwords are looked up again; 111 were not"


def test_a_breaker_waits_ever_longer_and_lets_one_ask():
    it, now = Breaker(), 0.0
    for _ in range(breaker.FAILURES):
        assert it.allows(now)
    for _ in range(10):  # of some that asked side by side
        it.failed(now)
    for wait_s in (*breaker.WAITS_S, breaker.WAITS_S[-1]):
        assert not it.allows(now + wait_s - 1)
        now += wait_s
        assert it.allows(now) and not it.allows(now)
        it.failed(now)
    now += breaker.WAITS_S[-1]
    assert it.allows(now) and not it.allows(now + breaker.ASKS_FOR_S - 1)
    assert it.allows(now + breaker.ASKS_FOR_S)  # who asked before is gone, and told nothing
    it.answered()
    assert all(it.allows(now) for _ in range(breaker.FAILURES))


def test_the_check_of_options_tells_of_a_service_that_is_away(tmp_path, capsys):
    place = f"https://localhost:{free_port()}"
    cli.main(["cloud", "check", "--data", str(tmp_path), "--development", "--breached-passwords", place])
    assert "advice: new passwords would not be looked up just now" in capsys.readouterr().err


async def test_a_service_that_nobody_runs_is_away():
    async with PasswordRanges({}) as ranges:
        gone = RangeService(ranges.url)
    with pytest.raises(AwayError):
        await gone.knows(digest_of(FINE))


# --- the file ---------------------------------------------------------------------------------------


def written(path, digests):
    path.write_text("".join(f"{digest}:{times}\r\n" for digest, times in sorted(digests)))
    return path


def made(folder, digests, at_least=1):
    making.make([written(folder / "download.txt", digests)], folder / "file", at_least)
    return DigestFile(folder / "file")


@pytest.mark.parametrize("count", [0, 1, 2, 20_000])
def test_all_that_is_in_the_file_is_found_and_nothing_else(tmp_path, count):
    digests = [digest_of(f"password {number}") for number in range(count)]
    file = made(tmp_path, [(each, 1) for each in digests])
    assert file.count == count and (tmp_path / "file").stat().st_size == ENTRIES_AT + ENTRY * count
    assert all(file.has(bytes.fromhex(each)) for each in digests)
    assert not any(file.has(bytes.fromhex(digest_of(f"other {number}"))) for number in range(2000))
    file.close()


def test_digests_that_are_not_spread_evenly_are_found_too(tmp_path):
    """All in one share, most of them side by side, and the first and the last there can be."""
    values = {0, 1, 2**40 - 1, *range(2**20, 2**20 + 3000), *(1 << bit for bit in range(40))}
    digests = ["ABCD" + f"{value:010X}" + "0" * 26 for value in values]
    file = made(tmp_path, [(each, 1) for each in digests])
    assert all(file.has(bytes.fromhex(each)) for each in digests)
    strangers = random.Random(1).sample(sorted(set(range(2**21)) - values), 2000)
    assert not any(file.has(bytes.fromhex("ABCD" + f"{value:010X}" + "0" * 26)) for value in strangers)
    assert not file.has(bytes.fromhex("ABCE" + "0" * 36))
    file.close()


def test_several_downloads_are_merged_and_rare_passwords_left_out(tmp_path):
    halves = [
        written(tmp_path / "1", [(digest_of("a"), 5), (digest_of("b"), 1), (digest_of("c"), 0)]),
        written(tmp_path / "2", [(digest_of("a"), 5), (digest_of("d"), 9)]),
    ]
    arguments = ["cloud", "breached-passwords", *map(str, halves), "--output", str(tmp_path / "file")]
    assert cli.main(arguments) == exit_codes.OK
    assert known(tmp_path / "file") == "abd"
    assert cli.main([*arguments, "--at-least", "2"]) == exit_codes.OK
    assert known(tmp_path / "file") == "ad"


def known(path):
    file = DigestFile(path)
    found = "".join(each for each in "abcd" if file.has(bytes.fromhex(digest_of(each))))
    assert file.count == len(found)
    file.close()
    return found


@pytest.mark.parametrize(
    "text, said",
    [
        ("A" * 40 + ":1\n" + "9" * 40 + ":1\n", "download.txt:2: the line is out of order"),
        ("A" * 39 + ":1\n", "download.txt:1: the line is not a SHA-1"),
        ("A" * 40 + "\n", "is not a SHA-1"), ("hunter2\n", "is not a SHA-1"),
        ("Ã" * 40 + ":1\n", "is not a SHA-1"),
    ],
)  # fmt: skip
def test_a_download_that_is_none_is_refused_with_its_line_and_the_old_file_stays(
    tmp_path, capsys, text, said
):
    made(tmp_path, [(digest_of("a"), 1)]).close()
    (tmp_path / "download.txt").write_text(text, "utf-8")
    arguments = [str(tmp_path / "download.txt"), "--output", str(tmp_path / "file")]
    assert cli.main(["cloud", "breached-passwords", *arguments]) == exit_codes.FAILED
    assert said in capsys.readouterr().err and known(tmp_path / "file") == "a"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["download.txt", "file"]


@pytest.mark.parametrize("damage", [lambda whole: whole[:-1], lambda whole: b"X" + whole[1:], lambda _: b""])
def test_a_damaged_file_is_one_sentence(tmp_path, damage):
    made(tmp_path, [(digest_of("a"), 1)]).close()
    whole = (tmp_path / "file").read_bytes()
    (tmp_path / "file").write_bytes(damage(whole))
    with pytest.raises(ToolError, match="gatelodge cloud breached-passwords"):
        driver_of(str(tmp_path / "file"))


@pytest.mark.parametrize(
    "place",
    ["http://range.example.net", "ftp://range.example.net", "/nowhere", "https://", "https://[", "https://a:x"],
)
def test_a_place_that_cannot_be_asked_is_refused_at_the_start(tmp_path, capsys, place):
    options = ["--data", str(tmp_path), "--development", "--breached-passwords", place]
    assert cli.main(["cloud", "check", *options]) != exit_codes.OK
    said = capsys.readouterr().err
    assert "breached" in said and "unsafe" not in said


# --- the forms --------------------------------------------------------------------------------------


async def test_a_stolen_password_is_refused_at_sign_up_at_a_change_and_after_a_reset(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    made(tmp_path, [(digest_of(STOLEN_ONE), 1)]).close()
    async with Rig(tmp_path, breached_passwords=str(tmp_path / "file")) as rig:
        ada = rig.browser()
        page = await ada.sign_up(password=STOLEN_ONE)
        assert page.status == 422 and "stolen elsewhere" in page.text
        await ada.join()
        form = {"password": PASSWORD, "new_password": STOLEN_ONE}
        page = await ada.post("/security/password", **form)
        assert page.status == 422 and "stolen elsewhere" in page.text
        await ada.sign_out()
        await ada.post("/forgotten/code", code=code_in(await ask(rig, ada)))
        page = await ada.post("/forgotten/password", new_password=STOLEN_ONE)
        assert page.status == 422 and "stolen elsewhere" in page.text
        page = await ada.post("/forgotten/password", new_password=FINE)
        assert page.path != "/forgotten/password"
    said = " ".join(record.getMessage() for record in caplog.records)
    assert not re.search(digest_of(STOLEN_ONE)[:5], said, re.IGNORECASE) and STOLEN_ONE not in said
