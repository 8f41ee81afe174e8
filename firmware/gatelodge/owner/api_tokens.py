"""Personal tokens: what a script shows instead of signing in. Made and revoked by who is signed in.

    token = tokens.create(visitor, name, scopes, lifetime)   shown this once
    grant = tokens.find(token)                               None: wrong, revoked or over
    tokens.listed()                                          for the owner to look through
    tokens.revoke(visitor, token_id)                         at once
    keys = tokens.end_all()                                  with a new password, and at "this was not me"

Each has a key of its own in the store, by the beginning of its hash: finding one costs the same whoever asks,
and a use that is written down costs the flash 300 bytes. A token is no session, and puts off the end of none.
"""

from collections import namedtuple

from gatelodge import compat, log, store_keys
from gatelodge.core import api_tokens, sessions
from gatelodge.owner.keeper import clean_name
from gatelodge.refusals import refusal

# Who asks with a token. scopes: list of api_tokens.SCOPES.
Grant = namedtuple("Grant", ("id", "name", "scopes"))

DEFAULT_NAME = "Token"
_SHOWN = ("id", "name", "scopes", "created_at", "expires_at", "last_used_at")
_ALL = store_keys.API_TOKEN % ""


class ApiTokens:
    def __init__(self, keeper):
        self._keeper = keeper
        self._used = {}  # id -> unix s of its last use, more exactly than the store knows it

    def create(self, visitor, name, scopes, lifetime):
        """Return the token. scopes: names with spaces between. lifetime: of api_tokens.LIFETIMES.

        The caller has asked for proof (Owner.require_proof)."""
        keeper = self._keeper
        chosen = api_tokens.scopes_of(scopes)
        if chosen is None:
            raise refusal("token_scopes")
        if lifetime not in api_tokens.LIFETIMES:
            raise refusal("token_lifetime")
        if len(self._keys()) >= api_tokens.MOST:
            raise refusal("tokens_full")
        expires_at = api_tokens.ends_at(lifetime, keeper.clock.now())
        if expires_at is not None and not keeper.clock.is_set:
            raise refusal("token_clock")
        token = self._new_token()
        row = {
            "id": _id_of(token),
            "hash": api_tokens.hashed(token),
            "name": clean_name(name, DEFAULT_NAME),
            "scopes": chosen,
            "created_at": int(keeper.clock.now()),
            "expires_at": expires_at,
            "last_used_at": None,
        }
        records = keeper.history.record(visitor, "token created")
        records[store_keys.API_TOKEN % row["id"]] = row
        keeper.keep(records)
        log.warning("owner", "an API token was made from %s: %s", visitor.address, ", ".join(chosen))
        return token

    def find(self, token):
        """Return the Grant, or None. Whoever guesses has 256 bits to guess: no throttle needs to help."""
        if not api_tokens.is_whole(token):
            return None
        key_hash = api_tokens.hashed(token)
        row = self._keeper.store.get(store_keys.API_TOKEN % key_hash[: api_tokens.ID_LENGTH])
        if row is None or not compat.constant_time_equal(row["hash"].encode(), key_hash.encode()):
            return None
        clock = self._keeper.clock
        if api_tokens.is_over(row, clock.now(), clock.is_set):
            return None
        self._note_use(row)
        return Grant(row["id"], row["name"], row["scopes"])

    def listed(self):
        """Return [{id, name, scopes, created_at, expires_at, last_used_at, is_over}], the newest first."""
        found, clock = [], self._keeper.clock
        for key in self._keys():
            row = self._keeper.store.get(key)
            shown = {name: row[name] for name in _SHOWN}
            shown["last_used_at"] = self._used.get(row["id"], row["last_used_at"])
            shown["is_over"] = api_tokens.is_over(row, clock.now(), clock.is_set)
            found.append(shown)
        return sorted(found, key=lambda row: -row["created_at"])

    def revoke(self, visitor, token_id):
        key = store_keys.API_TOKEN % token_id
        if key not in self._keys():
            raise refusal("token_over")
        self._keeper.keep(self._keeper.history.record(visitor, "token revoked"), (key,))
        self._used.pop(token_id, None)

    def end_all(self):
        """Return the keys to delete, with the change that asks for it."""
        self._used.clear()
        return tuple(self._keys())

    def _keys(self):
        keys = self._keeper.store.keys()
        return [key for key in keys if key.startswith(_ALL)]

    def _new_token(self):
        """One whose id no other has: of four billion."""
        while True:
            token = api_tokens.new_token(self._keeper.entropy(sessions.TOKEN_BYTES))
            if store_keys.API_TOKEN % _id_of(token) not in self._keys():
                return token

    def _note_use(self, row):
        clock = self._keeper.clock
        if not clock.is_set:
            return
        now = int(clock.now())
        self._used[row["id"]] = now
        if api_tokens.is_worth_writing(row, now):
            row["last_used_at"] = now
            self._keeper.store.put(store_keys.API_TOKEN % row["id"], row)


def _id_of(token):
    return api_tokens.hashed(token)[: api_tokens.ID_LENGTH]
