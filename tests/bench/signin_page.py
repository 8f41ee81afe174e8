"""The sign-in page of the emulated board in Chromium, from an empty cache to where its owner can type.

`interactive` is the end of DOMContentLoaded (Navigation Timing Level 2), counted from the navigation's start:
the connection and its TLS handshake are in it, and the page's script, which is deferred, has run by then. The
password field has to be focused at that moment, or it is no figure.
"""

import contextlib
import os
import statistics
import urllib.parse

from playwright.sync_api import sync_playwright

from tests.bench import boards, power_on

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE_MS = 30_000

# What the page itself saw, in ms from the start of its navigation.
TIMING = """() => {
  const told = performance.getEntriesByType("navigation")[0];
  return {
    connected: told.connectEnd,
    answered: told.responseEnd,
    interactive: told.domContentLoadedEventEnd,
    loaded: told.loadEventEnd,
    bytes: performance.getEntriesByType("resource").reduce((sum, one) => sum + one.transferSize,
      told.transferSize),
    focused: document.activeElement.name,
  };
}"""


class NotReadyError(Exception):
    pass


@contextlib.contextmanager
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()


def first_visit(chromium, url):
    """TIMING of one visit by a browser that was never here: no cache, no cookie, no connection, no ticket."""
    context = chromium.new_context(ignore_https_errors=True)
    try:
        tab = context.new_page()
        tab.goto(url, timeout=PATIENCE_MS)
        told = tab.evaluate(TIMING)
    finally:
        context.close()
    if told["focused"] != "password":
        raise NotReadyError(f"the field {told['focused']!r} was focused, and not the password's")
    return told


def probe(lab):
    lab.tell("starting the emulated board")
    with boards.running(lab, power_on.BOARD, os.path.join(lab.directory, "signin-page")) as board:
        boards.owner_of(board).close_connections()
        url = urllib.parse.urljoin(board.current["admin_url"], "/signin")
        visits = []
        with browser() as chromium:
            for number in range(3 if lab.quick else 7):
                lab.tell(f"visit {number + 1}")
                visits.append(first_visit(chromium, url))
    took_s = [visit["interactive"] / 1000 for visit in visits]
    return {"signin_page": statistics.median(took_s), "details": {"visits": visits}}
