"""How long a router that lost the time looks for two codes in a row, and how long one slice of that holds it.

The firmware's own search, at the raw REPL of an emulated board that is blank, and on this computer.
"""

import json
import os
import subprocess
import sys

from tests.bench import boards, power_on

SEARCH_TIMEOUT_S = 300

# Prints [seconds, ms of a slice (99 of 100 are no longer)] of each search: hint right, 30 days, a year.
SEARCHES = """
import json, time
from gatelodge.core import totp, two_codes

SECRET = b"12345678901234567890"
LAST_STEP = 60000000
DAY = two_codes.DAY_STEPS

def search(days, with_hint):
    step = LAST_STEP + days * DAY
    hint = step if with_hint else None
    keys = [(SECRET, LAST_STEP)]
    found = two_codes.Search(keys, totp.hotp(SECRET, step), totp.hotp(SECRET, step + 1), LAST_STEP, hint)
    began, slices, goes_on = time.ticks_ms(), [], True
    while goes_on:
        at = time.ticks_us()
        goes_on = found.next_slice()
        slices.append(time.ticks_diff(time.ticks_us(), at) / 1000)
    assert found.found == (0, step + 1)
    return time.ticks_diff(time.ticks_ms(), began) / 1000, sorted(slices)[len(slices) * 99 // 100]

print(json.dumps([search(400, True), search(30, False), search(365, False)]))
"""


def on_the_board(lab):
    """What SEARCHES prints on the emulated board."""
    script = os.path.join(lab.directory, "searches.py")
    with open(script, "w", encoding="utf-8") as file:
        file.write(SEARCHES)
    directory = os.path.join(lab.directory, "two-codes")
    board = boards.Board(power_on.BOARD, directory, lab.log_file("two-codes"), "--blank")
    try:
        port = board.wait_until_ready()["serial_port"]
        lab.tell("searching on the board")
        argv = [sys.executable, "-m", "mpremote", "connect", port, "run", script]
        return json.loads(subprocess.check_output(argv, stdin=subprocess.DEVNULL, timeout=SEARCH_TIMEOUT_S))
    finally:
        board.stop()


def on_this_computer(lab):
    argv = [*lab.micropython, "-c", SEARCHES]
    return json.loads(subprocess.check_output(argv, env=lab.environment, timeout=SEARCH_TIMEOUT_S))


def probe(lab):
    lab.tell("starting a blank board")
    board, host = on_the_board(lab), on_this_computer(lab)
    return {
        "two_codes_hint": board[0][0],
        "two_codes_month": board[1][0],
        "two_codes_year": board[2][0],
        "two_codes_slice": board[2][1],
        "two_codes_year_host": host[2][0],
        "details": {"board": board, "host": host},
    }
