"""How often routers report is the operator's to say, within what a router takes."""

import argparse

import pytest
from gatelodge.contract import messages

from host_tools.cloud import verb_serve


@pytest.mark.parametrize("text", ["0", "-1", "3601", "1.5", "often", "", "٣"])
def test_what_no_router_would_take_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="from 1 to 3600"):
        verb_serve.heartbeat_s(text)


@pytest.mark.parametrize("seconds", [1, 30, 3600])
def test_what_is_taken_is_what_a_welcome_may_say(seconds):
    assert verb_serve.heartbeat_s(str(seconds)) == seconds
    messages.check(welcome(seconds), messages.CLOUD)


def welcome(heartbeat_s):
    told = {"type": "welcome", "time_ms": 0, "heartbeat_s": heartbeat_s, "reconnect_window_s": 1}
    return {**told, "owner": None}
