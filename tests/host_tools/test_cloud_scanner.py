"""Attachments are looked through by clamd, where the operator has one (OWASP ASVS 5, 5.4.3)."""

import argparse

import pytest

from host_tools.cloud import verb_serve
from host_tools.cloud.help import scanner
from tests.fakes.clamd import EICAR, Clamd
from tests.host_tools.cloud_rig import Rig
from tests.host_tools.test_cloud_help import PNG, ask, content_of, only_file

LARGE = PNG + b"\x00" * (3 * scanner.CHUNK)


@pytest.fixture
async def clamd(tmp_path):
    async with Clamd(tmp_path / "clamd.ctl") as clamd:
        yield clamd


@pytest.fixture
async def ada(tmp_path, clamd):
    async with Rig(tmp_path, clamd=str(clamd.path)) as rig:
        browser = rig.browser()
        await browser.join()
        browser.rig = rig
        yield browser


async def test_a_clean_file_is_kept_after_all_of_it_was_seen(ada, clamd):
    page = await ask(ada.rig, ada, [("lamp.png", LARGE), ("notes.txt", b"The lamp is red.")])
    assert page.status == 200 and clamd.seen == [LARGE, b"The lamp is red."]
    await ask(ada.rig, ada)  # without a file nobody is asked
    assert len(clamd.seen) == 2
    page = await ask(ada.rig, ada, [("lamp.png", PNG)])
    assert await content_of(ada.rig, ada, await only_file(ada.rig, ada, page.path)) == PNG


async def test_malware_is_refused_by_name_and_nothing_of_the_message_is_kept(ada):
    page = await ask(ada.rig, ada, [("lamp.png", PNG), ("notes.txt", b"X " + EICAR)])
    assert page.status == 422 and "“notes.txt” holds malware, and was not kept" in page.text
    assert "The lamp is red." in page.text  # what was written is not lost
    assert "No internet" not in (await ada.get("/help")).text


@pytest.mark.parametrize(
    "says", [b"INSTREAM size limit exceeded. ERROR", b"", b"stream: OK and more", b"\xff\n" * 100]
)
async def test_what_nobody_could_look_through_is_not_taken(ada, clamd, says):
    clamd.says = says
    page = await ask(ada.rig, ada, [("lamp.png", PNG)])
    assert page.status == 422 and "cannot be looked through just now" in page.text


@pytest.mark.parametrize("address", ["/nowhere/clamd.ctl", "127.0.0.1:1"])
async def test_a_scanner_that_is_away_lets_the_message_through_without_its_files(ada, address):
    ada.rig.parts.scanner._address = address
    assert (await ask(ada.rig, ada, [("lamp.png", PNG)])).status == 422
    assert (await ask(ada.rig, ada)).status == 200


def test_the_operator_names_a_socket_or_a_host_with_its_port():
    for right in ("/run/clamav/clamd.ctl", "127.0.0.1:3310", "scanner.example.org:3310"):
        assert verb_serve.clamd(right) == right
    for wrong in ("", "clamd.ctl", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", ":3310", "a:b"):
        with pytest.raises(argparse.ArgumentTypeError, match="clamd"):
            verb_serve.clamd(wrong)
