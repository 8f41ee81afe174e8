"""Trusted browsers: for 30 days each skips the code, and never the password.

    token = trust.remember(session, visitor)  after a code: for the cookie of that session's browser
    trust_id = trust.find(visitor)            None: it has to enter a code
    records = trust.used(trust_id, visitor)   it signed in
    trust.listed()                            for the owner to look through
    trust.end(trust_id, visitor)              at once, with its sessions
    records = trust.end_all()                 whenever the password or a factor changes

The cookie holds 256 random bits, of which the store knows the SHA-256. An unset clock cannot tell whether the
30 days are over, so it believes none of them: no factor is skipped because the clock is wrong.
"""

from gatelodge import store_keys
from gatelodge.core import sessions
from gatelodge.core.signin import TRUST_LIFETIME_S
from gatelodge.refusals import refusal

MOST = 8  # browsers of a household. As many as the throttle keeps budgets for (core/throttle.py, MOST_KNOWN)

_SHOWN = ("id", "browser", "address", "created_at", "last_used_at", "expires_at")


class Trust:
    def __init__(self, keeper):
        self._keeper = keeper

    def remember(self, session_token, visitor):
        """Trust the browser of a session that a code has just begun. Return the token for its cookie.

        Whoever else signed in by the cookie that it had before, which is over by this, held a copy of it."""
        keeper = self._keeper
        earlier = (keeper.trusted_row(visitor) or {}).get("id")
        token, records = self.begin(visitor)
        keeper.keep(records)
        keeper.sessions.end_where(lambda session: session.trust_id == earlier, session_token)
        keeper.sessions.trust(session_token, id_of(token))
        return token

    def begin(self, visitor):
        """Return (token for the cookie, records to store first). The clock has to be set.

        The browser's earlier row, and the one used longest ago when there are too many, make room."""
        keeper, now = self._keeper, self._keeper.clock.now()
        earlier = keeper.trusted_row(visitor)
        rows = [row for row in self._current() if earlier is None or row["id"] != earlier["id"]]
        token = keeper.new_token()
        row = {
            "id": id_of(token),
            "hash": sessions.hashed(token).hex(),
            "browser": visitor.browser,
            "address": visitor.address,
            "created_at": now,
            "last_used_at": now,
            "expires_at": now + TRUST_LIFETIME_S,
        }
        records = {store_keys.TRUSTED: _latest_first(rows)[: MOST - 1] + [row]}
        records.update(keeper.history.record(visitor, "browser trusted"))
        return token, records

    def find(self, visitor):
        """Return the id of the visitor's trusted browser, or None when it has to enter a code."""
        row = self._keeper.trusted_row(visitor)
        if row is None or not self._keeper.clock.is_set or row["expires_at"] <= self._keeper.clock.now():
            return None
        return row["id"]

    def used(self, trust_id, visitor):
        """Return the records that say when and from where it signed in."""
        rows = self._current()
        for row in rows:
            if row["id"] == trust_id:
                row["last_used_at"] = self._keeper.clock.now()
                row["address"], row["browser"] = visitor.address, visitor.browser
        return {store_keys.TRUSTED: rows}

    def listed(self):
        """Return [{id, browser, address, created_at, last_used_at, expires_at}], the last used first."""
        return [{key: row[key] for key in _SHOWN} for row in _latest_first(self._current())]

    def end(self, trust_id, visitor, but_token=""):
        """Revoke one and end its sessions, all but the token's. SigninError when there is none of that id."""
        rows = self._rows()
        left = [row for row in rows if row["id"] != trust_id]
        if len(left) == len(rows):
            raise refusal("trust_over")
        records = self._keeper.history.record(visitor, "trusted browser removed")
        records[store_keys.TRUSTED] = left
        self._keeper.store.put_many(records)
        self._keeper.sessions.end_where(lambda session: session.trust_id == trust_id, but_token)

    def end_all(self):
        """Return the records that revoke every one, to be stored with the change that asks for it.

        Whoever changes a factor ends the other sessions as well (core/sessions.py, end_where)."""
        return {store_keys.TRUSTED: []}

    def _rows(self):
        return self._keeper.store.get(store_keys.TRUSTED, [])

    def _current(self):
        """The rows whose time is not over. With the clock unset nobody knows: all of them."""
        if not self._keeper.clock.is_set:
            return self._rows()
        now = self._keeper.clock.now()
        return [row for row in self._rows() if row["expires_at"] > now]


def id_of(token):
    """The public id of the browser that holds the token."""
    return sessions.hashed(token)[:4].hex()


def _latest_first(rows):
    return sorted(rows, key=lambda row: -row["last_used_at"])
