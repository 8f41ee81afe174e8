"""Which of the two slots takes new firmware, and the record that puts it on trial.

The record is boot.json's; main.py, which reads it at every start, says what each field means. That file is in
the board's read-only part and knows nothing of a slot's code, so this side has its own few lines.
"""

from gatelodge.contract.errors import StateError

SLOTS = ("a", "b")
TRIAL_STARTS = 3  # a start that a power cut ends uses one up


def other(running):
    """Return the slot that does not run."""
    if running not in SLOTS:
        raise StateError("nothing runs in slot %r: start the router from one of its slots" % running)
    return SLOTS[1 - SLOTS.index(running)]


def on_trial(confirmed, slot):
    """Return the record under which `slot` is tried, and `confirmed` starts when it does not prove itself."""
    return {"confirmed": confirmed, "trial": slot, "attempts_left": TRIAL_STARTS, "failures": 0}
