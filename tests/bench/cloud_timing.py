"""What the time of an answer tells a stranger: whether an e-mail has an account.

One known and one unknown e-mail are asked about in a drawn order. Of the two times, that of the known one is
the longer in half of all pairs if time tells nothing (the area under the ROC curve, Mann and Whitney's U).
"""

import contextlib
import random
import sqlite3

from tests.bench import cloud_service

UNKNOWN = "nobody@example.org"
QUESTIONS = (
    ("cloud_told_sign_in", "/sign-in", {"password": "a wrong password"}),
    ("cloud_told_forgotten", "/forgotten", {}),
    ("cloud_told_sign_up", "/sign-up", cloud_service.PERSON),
)


def forget_attempts(service):
    """Else the throttle would answer after a few."""
    with contextlib.closing(sqlite3.connect(service.database, timeout=10)) as database, database:
        database.execute("DELETE FROM throttles")


def told(known, unknown):
    """How often one time tells right which e-mail it was, in percent, by the better of the two guesses."""
    pairs = len(known) * len(unknown)
    longer = sum((one > other) + (one == other) / 2 for one in known for other in unknown)
    return 100 * max(longer, pairs - longer) / pairs


def times(service, path, fields, count, clock):
    """{e-mail: [seconds of each answer]}."""
    person = cloud_service.Person(service)
    bodies = {one: person.form(path, email=one, **fields) for one in (cloud_service.EMAIL, UNKNOWN)}
    found = {one: [] for one in bodies}
    draw = random.Random(path)  # noqa: S311 - an order
    for _ in range(count):
        for email in draw.sample(sorted(bodies), 2):
            forget_attempts(service)
            person.ask("GET", "/health")
            began = clock()
            status, _ = person.ask("POST", path, bodies[email])
            found[email].append(clock() - began)
            if status not in (303, 422):
                raise LookupError(f"{path} answered {status}")
    return found


def measure(service, count, clock):
    """{figure: percent}."""
    figures = {}
    for name, path, fields in QUESTIONS:
        found = times(service, path, fields, count, clock)
        figures[name] = told(found[cloud_service.EMAIL], found[UNKNOWN])
    return figures
