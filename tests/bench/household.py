"""A household's use: the link up, twenty sessions, one live page, and pages that are opened meanwhile."""

import contextlib

from gatelodge.core.sessions import MOST_SESSIONS

from tests.bench import boards, idle, live_page, owner

PAGES = ("/", "/devices", "/internet", "/cloud", "/security", "/system", "/about")
ROUNDS = 40  # of them: 280 pages take the garbage through its bound several times


def probe(lab):
    board = lab.board("host")
    first = boards.owner_of(board)
    first.close_connections()  # an earlier probe's has rested for longer than the router keeps one
    idle.wait_for_link(board)
    lab.tell(f"signing in {MOST_SESSIONS} times")
    browsers = signed_in(board, first)
    with live_page.opened(board, browsers[0]):
        lab.tell("opening pages beside a live one")
        for _ in range(ROUNDS):
            for path in PAGES:
                browsers[0].get(path)
        browsers[0].close_connections()
        assert all(has_session(browser) for browser in (first, *browsers))
        memory = idle.memory(board.pid)
    return {"rss_used": memory["VmRSS"] / 1024, "details": {"memory": memory}}


def signed_in(board, first):
    """As many browsers as may be beside the first; all but one skip the code, as a trusted browser does."""
    browsers = [owner.Owner(board.current, board.trust) for _ in range(MOST_SESSIONS - 1)]
    browsers[0].secret, browsers[0].last_step = first.secret, first.last_step
    browsers[0].sign_in(trust="yes")
    first.last_step = browsers[0].last_step
    for browser in browsers[1:]:
        browser.cookies = {owner.TRUST: browsers[0].cookies[owner.TRUST]}
        browser.post("/api/sign-in/password", password=owner.PASSWORD)
        browser.close_connections()
    return browsers


def has_session(browser):
    with contextlib.closing(browser.connection):
        return b"csrf_token" in browser.get("/api/session")
