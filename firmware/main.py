"""The loader: picks a slot, counts the attempt, starts the daemon.

    micropython main.py ROOT BOARD_JSON

ROOT holds slots/a, slots/b, boot.json and state/. This file is in the board's read-only part and is never
updated over the air, so it is small and imports nothing of a slot before it has chosen one.

boot.json: {"confirmed": "a" or "b" or null, "trial": the same, "attempts_left": n, "failures": n}

A slot on trial has a number of starts to call `boot.confirm()`; each is counted before it begins, so a power
cut uses one up too, and is ended after TRIAL_S, so a hang does. The confirmed slot that fails again and again
takes turns with the other one.

Exit codes: 0 stop, 64 start me again; the daemon returns one of them.

No Ctrl-C on the serial line disturbs a start, whatever state the last process left it in: MicroPython's unix
port would raise KeyboardInterrupt anywhere, and may then wait for ever. The daemon's console hears them.
"""

import json
import os
import sys
import time

STOP, START_AGAIN = 0, 64
SIGINT, SIG_IGN = 2, 1  # as every Linux has them

SLOTS = ("a", "b")
FAILURES_PER_TURN = 3  # in a row, before the other slot has its turn
LONGEST_REST_S = 60  # before the next start after a failure
TRIAL_S = 180  # for a start on trial to confirm itself: the reference board takes 2, a slow flash a minute
NEW_RECORD = {"confirmed": None, "trial": None, "attempts_left": 0, "failures": 0}

# What may be found at boot, and what follows from it.
TRIAL = "trial"  # a slot on trial with attempts left
SPENT = "spent"  # a slot on trial without, or without its files
CONFIRMED = "confirmed"  # the confirmed slot
FAILING = "failing"  # the confirmed slot, and it is the other's turn
NEW = "new"  # firmware, but no record of a confirmed slot: a blank flash was filled
EMPTY = "empty"  # no firmware at all


def situation(record, present):
    """One of the above. `present`: the slots that hold firmware."""
    if record["trial"] is not None:
        return TRIAL if record["attempts_left"] > 0 and record["trial"] in present else SPENT
    if not present:
        return EMPTY
    if record["confirmed"] not in present:
        return NEW
    other_turn = record["failures"] // FAILURES_PER_TURN % 2 == 1
    return FAILING if other_turn and len(present) > 1 else CONFIRMED


# situation -> what changes in the record before the start, and which slot starts, of (record, present).
# SPENT starts nothing: the record that it leaves is looked at again. The failures were the trial's: counted
# against the confirmed slot, they would give the one that has just failed another turn.
_TABLE = {
    TRIAL: (lambda r: {"attempts_left": r["attempts_left"] - 1}, lambda r, present: r["trial"]),
    SPENT: (lambda r: {"trial": None, "attempts_left": 0, "failures": 0}, lambda r, present: None),
    CONFIRMED: (lambda r: {}, lambda r, present: r["confirmed"]),
    FAILING: (lambda r: {}, lambda r, present: [slot for slot in present if slot != r["confirmed"]][0]),
    NEW: (lambda r: {}, lambda r, present: present[0]),
    EMPTY: (lambda r: {}, lambda r, present: None),
}


def choose(record, present):
    """(slot or None, the record to persist before it starts)."""
    found = situation(record, present)
    change, pick = _TABLE[found]
    after = dict(record)
    after.update(change(record))
    if found == SPENT:
        return choose(after, present)
    return pick(record, present), after


class Boot:
    """What the daemon is told of its start. `confirm()` says that it works: call it once it serves."""

    def __init__(self, root, slot, version, record):
        self.slot = slot
        self.version = version
        self._path = root + "/boot.json"
        self._record = record

    @property
    def on_trial(self):
        return self._record["trial"] == self.slot

    def confirm(self):
        set_alarm(0)
        record = dict(NEW_RECORD)
        record["confirmed"] = self.slot
        if record != self._record:
            write_record(self._path, record)
            self._record = record

    def failed(self):
        """Counts a failure; returns how many there were in a row."""
        record = read_record(self._path)  # the daemon may have put the other slot on trial
        record["failures"] += 1
        write_record(self._path, record)
        return record["failures"]


def read_record(path):
    """The record in boot.json; a new one when there is none or it makes no sense."""
    record = dict(NEW_RECORD)
    try:
        with open(path) as file:
            found = json.load(file)
        for key in record:
            record[key] = found[key]
    except OSError:
        return dict(NEW_RECORD)
    except (ValueError, KeyError, TypeError):
        say(path + " cannot be read and is begun anew")
        return dict(NEW_RECORD)
    return record if _makes_sense(record) else dict(NEW_RECORD)


def _makes_sense(record):
    slots = (None,) + SLOTS
    counts = (record["attempts_left"], record["failures"])
    return (
        record["confirmed"] in slots
        and record["trial"] in slots
        and all(isinstance(count, int) and count >= 0 for count in counts)
    )


def write_record(path, record):
    """After a crash at any moment boot.json is the old one or this one."""
    with open(path + ".new", "w") as file:
        file.write(json.dumps(record))
        _sync(file)
    os.rename(path + ".new", path)
    if not hasattr(os, "fsync"):
        with open(path.rsplit("/", 1)[0]) as directory:  # MicroPython opens a directory, to sync it
            _sync(directory)


def _sync(file):
    file.flush()  # on MicroPython's unix port this is fsync
    if hasattr(os, "fsync"):
        os.fsync(file.fileno())


def present_slots(root):
    """The slots that hold firmware: the manifest is the last file that is written into one."""
    return [slot for slot in SLOTS if version_of(root, slot) is not None]


def version_of(root, slot):
    try:
        with open(root + "/slots/" + slot + "/manifest.json") as file:
            return json.load(file)["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def set_alarm(seconds):
    """SIGALRM ends this process after so long; 0 takes it back. Nothing happens without the C library."""
    _call_c("alarm", "I", seconds)


def ignore_interrupts():
    """SIGINT does nothing. Without the C library, what init has set on the line must do."""
    _call_c("signal", "iL", SIGINT, SIG_IGN)


def _call_c(name, types, *values):
    try:
        import ffi
    except ImportError:
        return
    for library in (None, "libc.so.6", "libc.so"):  # the interpreter itself; glibc; musl
        try:
            ffi.open(library).func("v", name, types)(*values)
            return
        except OSError:
            continue


def say(text):
    print("loader: " + text, file=sys.stderr)


def start_daemon(root, board, boot):
    """Imports the daemon from the chosen slot and runs it. Returns its exit code."""
    sys.path.insert(0, root + "/slots/" + boot.slot)
    from gatelodge import daemon

    return daemon.main(root, board, boot)


def run(root, board_path, start=start_daemon, rest=time.sleep):
    """One start. `start` and `rest` are parameters for the tests. Returns the exit code."""
    record, present = read_record(root + "/boot.json"), present_slots(root)
    slot, after = choose(record, present)
    if slot is None:
        return _rest_and_again("there is no firmware in %s/slots: install it" % root, LONGEST_REST_S, rest)
    if after != record:
        write_record(root + "/boot.json", after)
    boot = Boot(root, slot, version_of(root, slot), after)
    try:
        with open(board_path) as file:
            board = json.load(file)
        if boot.on_trial:
            set_alarm(TRIAL_S)
        return start(root, board, boot)
    except KeyboardInterrupt:
        return START_AGAIN  # Ctrl-C on the serial line stops no router
    except Exception as error:
        _print_exception(error)
        failures = boot.failed()
        text = "firmware %s in slot %s failed, %d in a row" % (boot.version, slot, failures)
        return _rest_and_again(text, min(LONGEST_REST_S, 2 ** min(failures - 1, 6)), rest)


def _rest_and_again(text, seconds, rest):
    """Says it in the log, and on the serial line, where somebody may be looking for the reason."""
    text = "%s; the next start is in %d s" % (text, seconds)
    say(text)
    print("Gatelodge: " + text)
    rest(seconds)
    return START_AGAIN


def _print_exception(error):
    if hasattr(sys, "print_exception"):
        sys.print_exception(error, sys.stderr)
    else:
        sys.excepthook(type(error), error, error.__traceback__)


def main(arguments):
    if len(arguments) != 2:
        say("usage: main.py ROOT BOARD_JSON")
        return 2
    ignore_interrupts()
    return run(arguments[0], arguments[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
