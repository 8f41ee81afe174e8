"""Sessions and short-lived tickets: random tokens of which only the SHA-256 is kept, in bounded tables.

Seconds here are monotonic (since the router started). A lookup by hash gives nothing away by its
timing, since what is compared is the hash, which whoever guesses tokens cannot steer.
"""

import binascii
from collections import namedtuple

from gatelodge import compat

TOKEN_BYTES = 32

IDLE_S = 10 * 60  # without a person acting; live updates do not count
LONGEST_S = 12 * 3600
MOST_SESSIONS = 20
PROOF_S = 5 * 60  # after a code, sensitive actions ask for none
GRACE_S = 30  # of a token that another replaced: what was under way in other windows still shows it

# id: 8 hex characters, public; csrf_token: hex; client: address; browser: as core/user_agent.py names it;
# method: how it was signed in, core/signin.py; trust_id: of the trusted browser, or ""; created_at: unix s,
# for people; began_s, acted_s: monotonic; proved_s: when its last code was given, or None; before: the hash
# of the token before its own, or None.
Record = namedtuple(
    "Record",
    (
        "id",
        "csrf_token",
        "client",
        "browser",
        "method",
        "trust_id",
        "created_at",
        "began_s",
        "acted_s",
        "proved_s",
        "before",
    ),
)
_TRUST_ID, _ACTED_S, _PROVED_S, _BEFORE = 5, 8, 9, 10


def new_token(random_bytes):
    """Return the text of a token made of 32 random bytes."""
    if len(random_bytes) != TOKEN_BYTES:
        raise ValueError("a token takes %d random bytes, not %d" % (TOKEN_BYTES, len(random_bytes)))
    return binascii.hexlify(random_bytes).decode()


def hashed(token):
    """Return what is kept of a token. Bounded, because the text comes from a cookie."""
    return compat.sha256((token if len(token) <= 256 else token[:256]).encode())


class Sessions:
    def __init__(self):
        self._records = {}  # hash of the token -> Record

    def begin(self, token, csrf_token, visitor, method, trust_id, created_at, now_s, is_proved):
        """Keep a session for the token; the one that acted longest ago ends when there are too many.

        visitor: core.signin.Visitor. is_proved: whether a code was given just now."""
        self._drop_ended(now_s)
        if len(self._records) >= MOST_SESSIONS:
            del self._records[min(self._records, key=lambda key: self._records[key].acted_s)]
        key = hashed(token)
        public_id = binascii.hexlify(compat.sha256(key)[:4]).decode()
        self._records[key] = Record(
            public_id,
            csrf_token,
            visitor.address,
            visitor.browser,
            method,
            trust_id,
            created_at,
            now_s,
            now_s,
            now_s if is_proved else None,
            None,
        )

    def find(self, token, now_s, acting):
        """Return the Record, or None when it has ended. acting: whether this puts off the idle end."""
        return self.find_hashed(hashed(token), now_s, acting)

    def find_hashed(self, key, now_s, acting):
        """`find` by what is kept of the token, for who asks with the same one again and again."""
        record = self._records.get(key)
        if record is None:
            return self._find_replaced(key, now_s, acting)
        if ends_in_s(record, now_s) <= 0:
            del self._records[key]
            return None
        if acting:
            record = self._records[key] = _with(record, _ACTED_S, now_s)
        return record

    def _find_replaced(self, key, now_s, acting):
        """The Record of a session whose token was replaced a moment ago: as if nothing was proved in it."""
        current = self._key_of(key)
        record = self._records.get(current)
        if record is None or now_s - record.proved_s >= GRACE_S:
            return None
        record = self.find_hashed(current, now_s, acting)
        return record and _with(record, _PROVED_S, None)

    def _key_of(self, key):
        """Under which hash a session is kept now, by that of its token or of the one before."""
        if key not in self._records:
            for current in self._records:
                if self._records[current].before == key:
                    return current
        return key

    def prove(self, token, new_token, now_s):
        """A code was given in this session just now: it goes on by the new token (OWASP ASVS 5, 7.2.4)."""
        before = self._key_of(hashed(token))
        record = _with(self._records.pop(before), _PROVED_S, now_s)
        self._records[hashed(new_token)] = _with(record, _BEFORE, before)

    def trust(self, token, trust_id):
        """The browser of this session is trusted from now on, as trust_id."""
        key = self._key_of(hashed(token))
        self._records[key] = _with(self._records[key], _TRUST_ID, trust_id)

    def listed(self, now_s):
        """Return the Records of the sessions that go on, the one that acted last first."""
        self._drop_ended(now_s)
        return sorted(self._records.values(), key=lambda record: -record.acted_s)

    def clients(self, now_s):
        """Return the set of the addresses from which somebody is signed in."""
        return {record.client for record in self._records.values() if ends_in_s(record, now_s) > 0}

    def end_where(self, matches, but_token=""):
        """End the sessions whose Record matches, but never the token's own; return how many ended."""
        ours = self._key_of(hashed(but_token))
        ending = [key for key in self._records if key != ours and matches(self._records[key])]
        for key in ending:
            del self._records[key]
        return len(ending)

    def end(self, token):
        """End the session of the token, if there is one."""
        self._records.pop(self._key_of(hashed(token)), None)

    def has(self, public_id, now_s, acting):
        """Whether the session of this id goes on, whatever its token is by now. acting: as `find`."""
        for key in self._records:
            if self._records[key].id == public_id:
                return self.find_hashed(key, now_s, acting) is not None
        return False

    def __len__(self):
        return len(self._records)

    def _drop_ended(self, now_s):
        for key in list(self._records):
            if ends_in_s(self._records[key], now_s) <= 0:
                del self._records[key]


def is_proved(record, now_s):
    """Whether a code was given in this session in the last five minutes."""
    return record.proved_s is not None and now_s - record.proved_s < PROOF_S


def _with(record, at, value):
    """MicroPython's namedtuple has no _replace."""
    fields = list(record)
    fields[at] = value
    return Record(*fields)


def ends_in_s(record, now_s):
    """Return the seconds until the session ends if nobody acts; 0 or less when it has ended."""
    return min(record.acted_s + IDLE_S, record.began_s + LONGEST_S) - now_s


class Tickets:
    """Values behind tokens that live for a fixed time: a set-up or a sign-in under way."""

    def __init__(self, lifetime_s, most):
        self.lifetime_s = lifetime_s
        self.most = most
        self._kept = {}  # hash of the token -> (ends at, value)

    def add(self, token, value, now_s, worth=lambda _value: 0):
        """Keep the value; when there are too many, one of the least worth makes room: that which ends first.

        worth(value): what is compared."""
        for key in list(self._kept):
            if self._kept[key][0] <= now_s:
                del self._kept[key]
        if len(self._kept) >= self.most:
            del self._kept[min(self._kept, key=lambda key: (worth(self._kept[key][1]), self._kept[key][0]))]
        self._kept[hashed(token)] = (now_s + self.lifetime_s, value)

    def find(self, token, now_s):
        """Return the value, or None when there is none or its time is over."""
        ends_s, value = self._kept.get(hashed(token), (now_s, None))
        return value if ends_s > now_s else None

    def values(self, now_s):
        """Return the values whose time is not over, the newest first."""
        live = [kept for kept in self._kept.values() if kept[0] > now_s]
        return [value for _, value in sorted(live, key=lambda kept: -kept[0])]

    def drop(self, token):
        self._kept.pop(hashed(token), None)

    def clear(self):
        self._kept.clear()
