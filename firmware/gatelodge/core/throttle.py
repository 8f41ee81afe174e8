"""How soon a secret may be tried again: a count of failures for the account and for each client address.

Each factor has budgets of its own: failing the code does not use up the password. Two kinds of budget:

- A client from which the owner has signed in before (*known*) is judged by its own record alone.
- All others are judged by their own record **and** by one record for the account.

So guesses from many addresses share the account's back-off, and cannot keep the owner out on the
phone or laptop that is always used. A success clears the records that the attempt was judged by.

After a hundred failures in a row a budget is closed: no wait opens it, only presence does (core/presence.py:
the router's button, or `unlock` at its serial console), and a success then clears it. The serial console is
presence itself, so it is never closed; it waits by its own record.

The odds of guessing, with the password already known and every try that the tables allow taken;
tests/firmware/test_throttle.py computes them. A guess at a code is right 3 times in a million:

    strangers, however many addresses and years      100 guesses    0.03 %
    one who can also take all 8 known addresses      900 guesses    0.27 %
    each grant of presence, with a whole /24 taken   256 guesses    0.08 %, and one try a minute at most
    a recovery code, in any of these                                under 10 ^ -11

A password is guessed at as seldom: 100 tries by strangers, ever, and the commonest are refused when it is
set.

Time here is seconds since the router started, never the wall clock, which may be unset, jump years ahead, or
run from its floor. Only the counts are stored. After a restart each wait begins again in full: pulling
the plug forgives nothing, and nothing can wait longer than its table says.
"""

from gatelodge.contract.errors import OurError

FACTORS = ("password", "code", "recovery_code", "service_code")

MOST_CLIENTS = 32  # records kept: more than a home has browsers. The account's record bounds the rest
MOST_KNOWN = 8  # each known client is a budget of its own, so few of them

# (failures, wait in seconds): the wait after that many failures in a row. The first are free: people mistype.
CLIENT_WAITS = ((5, 10), (7, 30), (10, 60), (15, 300), (20, 900))
ACCOUNT_WAITS = ((10, 60),)
# Whoever guesses a code has the password already: slower, in the end once a day.
CODE_CLIENT_WAITS = ((5, 30), (8, 120), (10, 600), (15, 3600), (30, 86400))
CODE_ACCOUNT_WAITS = ((10, 60), (20, 600), (50, 3600))

CLOSED_FROM = 100  # failures of a factor in a row; from here on presence is needed

# 80 random bits: nobody guesses them, so nothing is shared and nothing closes, and a stranger in the network
# cannot put off the first set-up. Who mistypes waits by their own record.
UNGUESSABLE = ("service_code",)

CONSOLE = "console"  # the serial console's name among the clients: no network address

CLIENT_TABLES = {"code": CODE_CLIENT_WAITS}
ACCOUNT_TABLES = {"code": CODE_ACCOUNT_WAITS}

COUNT_LIMIT = 1000000  # the stored number stays small; every table has ended long before


def wait_after(failures, waits):
    """Return the seconds that follow this many failures in a row, by a table of (failures, wait)."""
    wait_s = 0
    for threshold, seconds in waits:
        if failures >= threshold:
            wait_s = seconds
    return wait_s


def next_attempt(record, waits, now_s):
    """Return 0 when the next attempt may be judged now, else the whole seconds to wait.

    record: [failures, seconds since start at the last of them] or None.
    """
    if record is None:
        return 0
    failures, since_s = record
    left_s = wait_after(failures, waits) - (now_s - since_s)
    return max(0, -int(-left_s // 1))


class Throttle:
    """The records of every factor. saved: what .saved() returned before the restart, or None."""

    def __init__(self, saved, now_s):
        saved = saved or {}
        self._account = _restored(saved.get("account", {}), now_s)
        self._clients = []  # [address, known, {factor: record}], least recently used first
        for address, known, counts in saved.get("clients", ()):
            self._clients.append([address, bool(known), _restored(counts, now_s)])

    def wait_s(self, factor, client, now_s):
        """Return 0 when this client may try this factor now, else the whole seconds to wait."""
        _check(factor)
        row = self._find(client)
        own = row[2].get(factor) if row else None
        own_wait_s = next_attempt(own, CLIENT_TABLES.get(factor, CLIENT_WAITS), now_s)
        if _is_judged_alone(client, row) or factor in UNGUESSABLE:
            return own_wait_s
        shared = ACCOUNT_TABLES.get(factor, ACCOUNT_WAITS)
        return max(own_wait_s, next_attempt(self._account.get(factor), shared, now_s))

    def is_closed(self, factor, client):
        """Return whether this client needs presence before it may try this factor again, wait or no wait."""
        _check(factor)
        if factor in UNGUESSABLE:
            return False
        row = self._find(client)
        records = [row[2]] if row else []
        if not _is_judged_alone(client, row):
            records.append(self._account)
        most = max([kept[factor][0] for kept in records if factor in kept] or [0])
        return most >= CLOSED_FROM and client != CONSOLE

    def is_any_closed(self):
        """Whether somebody needs presence to try some factor: a press of the button then means that."""
        kept = [self._account] + [row[2] for row in self._clients if row[0] != CONSOLE]
        factors = [factor for factor in FACTORS if factor not in UNGUESSABLE]
        return any(records.get(factor, (0,))[0] >= CLOSED_FROM for records in kept for factor in factors)

    def failed(self, factor, client, now_s):
        """Count a failure. The caller stores .saved() before it answers."""
        _check(factor)
        row = self._touch(client)
        _count(row[2], factor, now_s)
        if not _is_judged_alone(client, row):
            _count(self._account, factor, now_s)

    def succeeded(self, factor, client):
        """Forget the failures that this attempt was judged by."""
        _check(factor)
        row = self._find(client)
        if row:
            row[2].pop(factor, None)
        if not _is_judged_alone(client, row):
            self._account.pop(factor, None)

    def is_known(self, client):
        """Whether the client has a budget of its own, which no stranger uses up."""
        return _is_judged_alone(client, self._find(client))

    def know(self, client):
        """Remember that the owner signed in, with every factor, from this client."""
        self._touch(client)[1] = True
        known = [row for row in self._clients if row[1]]
        if len(known) > MOST_KNOWN:
            known[0][1] = False

    def saved(self):
        """Return {account: {factor: failures}, clients: [[address, known, {factor: failures}], ...]}."""
        clients = [[address, known, _counts(records)] for address, known, records in self._clients]
        return {"account": _counts(self._account), "clients": clients}

    def _find(self, client):
        for row in self._clients:
            if row[0] == client:
                return row
        return None

    def _touch(self, client):
        row = self._find(client)
        if row:
            self._clients.remove(row)
        else:
            row = [client, False, {}]
            self._make_room()
        self._clients.append(row)
        return row

    def _make_room(self):
        """Drop the least recently used stranger; there is one, the others being fewer than the places."""
        if len(self._clients) >= MOST_CLIENTS:
            for row in self._clients:
                if not _is_judged_alone(row[0], row):
                    self._clients.remove(row)
                    return


def _is_judged_alone(client, row):
    """Whether the client has a budget of its own: a known one, and the serial console."""
    return client == CONSOLE or (row is not None and row[1])


def _check(factor):
    if factor not in FACTORS:
        raise OurError("There is no factor %r." % factor)


def _count(records, factor, now_s):
    failures = records[factor][0] if factor in records else 0
    records[factor] = [min(failures + 1, COUNT_LIMIT), now_s]


def _counts(records):
    return {factor: records[factor][0] for factor in records}


def _restored(counts, now_s):
    return {factor: [counts[factor], now_s] for factor in counts if factor in FACTORS}
