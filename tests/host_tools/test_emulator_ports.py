import json
import os
import socket

import pytest

from host_tools import exit_codes
from host_tools.emulator import ports
from host_tools.errors import ToolError


@pytest.fixture
def held():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_automatic_ports_are_free_different_and_kept(tmp_path):
    chosen = ports.choose(tmp_path, automatic=True)
    assert sorted(chosen) == sorted(row.name for row in ports.ROWS)
    assert len(set(chosen.values())) == len(ports.ROWS)
    assert ports.choose(tmp_path) == chosen


def test_a_taken_port_is_refused_with_who_has_it(tmp_path, held):
    kept = {row.name: held for row in ports.ROWS}
    (tmp_path / ports.FILE).write_text(json.dumps(kept))
    with pytest.raises(ToolError) as caught:
        ports.choose(tmp_path)
    assert caught.value.exit_code == exit_codes.PORT_TAKEN
    assert f"port {held}/tcp" in str(caught.value)
    assert f"(process {os.getpid()})" in str(caught.value)


def test_a_directory_of_before_keeps_its_ports_and_gets_those_that_are_new(tmp_path):
    chosen = ports.choose(tmp_path, automatic=True)
    (tmp_path / ports.FILE).write_text(json.dumps({"admin": chosen["admin"], "cloud": chosen["cloud"]}))
    again = ports.choose(tmp_path, automatic=True)
    assert (again["admin"], again["cloud"]) == (chosen["admin"], chosen["cloud"])
    assert sorted(again) == sorted(chosen)


def test_a_base_gives_consecutive_ports(tmp_path):
    base = ports.choose(tmp_path / "a", automatic=True)["admin"]
    chosen = ports.choose(tmp_path / "b", base=base)
    assert list(chosen.values()) == list(range(base, base + len(ports.ROWS)))


def test_other_ports_than_the_router_was_provisioned_with_are_refused(tmp_path):
    kept = ports.choose(tmp_path, automatic=True)
    with pytest.raises(ToolError) as caught:
        ports.choose(tmp_path, base=kept["admin"] + 100)
    assert caught.value.exit_code == exit_codes.USAGE


def test_nobody_holds_a_port_that_is_free(held):
    assert ports.who_holds("udp", held) == ""
