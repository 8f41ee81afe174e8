"""A blank router in a laboratory. Run in labgrid's environment, which knows nothing of this project's.

system/test_labgrid.py has the command.
"""

import json

import pytest

IDENTIFY = """
import binascii
text = "identify {}"
print(bench.exchange("%08x %s" % (binascii.crc32(text.encode()), text)))
"""


@pytest.fixture(scope="module")
def board(target):
    power = target.get_driver("PowerProtocol")
    power.on()
    yield target.get_driver("CommandProtocol")
    power.off()


def test_it_runs_python_and_tells_output_from_faults(board):
    assert board.run("print(6 * 7)") == (["42"], [], 0)
    lines, traceback, status = board.run("print('before'); 1 / 0")
    assert (lines, status) == (["before"], 1)
    assert traceback[-1].startswith("ZeroDivisionError")


def test_it_is_the_board_that_it_says_and_blank(board):
    (sealed,) = board.run_check(IDENTIFY)
    found = json.loads(sealed[9:])["ok"]
    assert (found["board"], found["state"], found["serial_number"]) == ("qemu-virt-aarch64", "blank", "")


def test_what_is_on_its_flash_outlives_a_power_cycle(target, board):
    board.run_check("file = open('/flash/mark', 'w'); file.write('here'); file.flush()")  # is fsync
    # The cable is plugged in anew with the board: whoever holds the port lets go of it.
    target.deactivate(target.get_driver("SerialDriver"))
    target.get_driver("PowerProtocol").cycle()
    target.activate(board)
    assert board.run_check("print(open('/flash/mark').read())") == ["here"]
