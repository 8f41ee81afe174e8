"""The cloud goes away and comes back: the router returns by itself, and its own page never waits."""

import contextlib
import http.client
import re
import threading

import pytest

from tests.system.people import Owner, fresh_tab
from tests.system.rig import fetch

VISIT_EVERY_S = 0.2


@pytest.fixture(scope="module")
def owner(browser, house):
    """Looks at the overview, and the router is connected."""
    with fresh_tab(browser) as tab:
        owner = Owner(tab, house).set_up()
        owner.sees("cloud.title", "Connected")
        yield owner


@contextlib.contextmanager
def visits(house):
    """Somebody asks for the admin page again and again. A list of the answers: 200, or what went wrong."""
    answers, over = [], threading.Event()
    page = house.current["admin_url"] + "/signin", house.trust

    def come_again():
        while not over.wait(VISIT_EVERY_S):
            answers.append(answer_of(*page))

    visitor = threading.Thread(target=come_again)
    visitor.start()
    try:
        yield answers
    finally:
        over.set()
        visitor.join()


def answer_of(url, trust):
    try:
        return fetch(url, trust)[0]
    except (OSError, http.client.HTTPException) as error:
        return repr(error)


def test_the_admin_page_answers_while_the_cloud_is_gone_and_the_router_returns_by_itself(house, owner):
    before = house.times_online()
    with visits(house) as answers:
        with house.without_cloud():
            owner.sees("cloud.title", "Not connected")
            owner.sees("cloud.detail", re.compile(r"This page does not need the cloud\."))
        owner.sees("cloud.title", "Connected")
    assert set(answers) == {200}
    assert house.times_online() > before


def test_a_cloud_that_falls_silent_counts_as_gone_and_is_found_again(house, owner):
    with visits(house) as answers:
        with house.frozen("cloud"):
            owner.sees("cloud.title", "Not connected")
        owner.sees("cloud.title", "Connected")
    assert set(answers) == {200}


def test_an_approval_that_was_given_during_an_outage_counts_after_it(house, owner, ada):
    number = ada.ask_for(house.current["service_code"])
    assert owner.number_of_claim() == number
    with house.without_cloud():
        owner.sees("cloud.title", "Not connected")
        owner.approve()
    ada.sees_that_it_is_theirs()
    owner.sees("cloud.detail", "This router belongs to the account of Ada Bell.")
    ada.open_router()
    ada.sees_router("Online")
