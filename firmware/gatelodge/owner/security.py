"""What a signed-in owner changes: the password, the authenticators, the recovery codes, and who stays in.

    codes = security.add_authenticator(session_token, visitor, secret, code, name)
    security.change_password(session_token, visitor, old, new)
    security.switch_off(session_token, visitor, password, code)
    security.not_me(session_token, visitor)

Each is one change of the store with its entry in the history, or a SigninError and no change. A change of the
password or of a factor ends every session but the one that asked, and every trusted browser. A new password,
and `not_me`, end every API token too; another factor does not, for no token gets further than it was made to.

The caller has checked the session and asked for proof (Owner.require_proof); `switch_off` brings its own.
"""

from gatelodge import store_keys
from gatelodge.core import password as passwords
from gatelodge.core import recovery, sessions, totp
from gatelodge.owner import earlier
from gatelodge.owner.history import KEPT
from gatelodge.owner.keeper import clean_name
from gatelodge.owner.setup import LIFETIME_S, is_shown_secret, new_recovery_codes, shown
from gatelodge.refusals import SigninError, refusal

MOST_AUTHENTICATORS = 8  # each is asked about every code: eight times the guesses, and the work
MOST_UNDER_WAY = 4  # enrolments, one for each session
UNDO_S = 10 * 60


class Security:
    """trust: owner.trust.Trust. factors: owner.factors.Factors. signing_in: owner.signing_in.SigningIn.
    api_tokens: owner.api_tokens.ApiTokens."""

    def __init__(self, keeper, factors, trust, signing_in, api_tokens):
        self._keeper = keeper
        self._factors = factors
        self._trust = trust
        self._signing_in = signing_in
        self._api_tokens = api_tokens
        self._enrolling = sessions.Tickets(LIFETIME_S, MOST_UNDER_WAY)  # session id -> secret
        self._removed = sessions.Tickets(UNDO_S, MOST_AUTHENTICATORS)  # id -> its row

    @property
    def is_two_factor(self):
        return not self._keeper.is_two_factor_off

    # The password

    def change_password(self, session_token, visitor, old, new):
        """Fields: "old_password", throttled as every password is, and "password", the new one."""
        self._keeper.check_new_password(new)
        self.check_password(old, visitor, "old_password")
        if new == old:
            raise refusal("password_same")
        records = {store_keys.OWNER: self._keeper.owner_record(new)}
        self._change("password changed", records, session_token, visitor, self._api_tokens.end_all())

    def check_password(self, text, visitor, field="password"):
        """Raise SigninError of the field unless it is the password. Counted, as at sign-in."""
        keeper = self._keeper
        try:
            keeper.refuse_early("password", visitor)
            if not passwords.verify(keeper.store.get(store_keys.OWNER), text):
                keeper.count_failure("password", visitor, "wrong password")
                raise refusal("password_wrong")
        except SigninError as error:
            error.field = field
            raise
        keeper.count_success("password", visitor)

    def password_changed_at(self):
        """Unix seconds."""
        return self._keeper.store.get(store_keys.OWNER)["created_at"]

    # Authenticators

    def begin_authenticator(self, session_token):
        """Return setup.NewAuthenticator: the same for one session for 15 minutes, however often it asks."""
        self._refuse_more()
        session_id, now_s = self._session_id(session_token), self._keeper.now_s()
        secret = self._enrolling.find(session_id, now_s)
        if secret is None:
            secret = self._keeper.entropy(totp.SECRET_BYTES)
            self._enrolling.add(session_id, secret, now_s)
        return shown(secret, self._keeper.identity()["serial_number"])

    def add_authenticator(self, session_token, visitor, secret, code, name):
        """Return the ten recovery codes when this switches two-factor on, else None.

        secret: as begin_authenticator gave it; code: proves it, and is thereby used."""
        self._refuse_more()
        session_id = self._session_id(session_token)
        kept = self._enrolling.find(session_id, self._keeper.now_s())
        if kept is None or not is_shown_secret(secret, kept):
            raise refusal("enrolment_over")
        row = self._keeper.proved_authenticator(kept, code, name)
        records = {store_keys.AUTHENTICATORS: self._authenticators() + [row]}
        result, codes = "authenticator added", None
        if not self.is_two_factor:
            result, codes = "two-factor on", self._renew(records)
        self._change(result, records, session_token, visitor)
        self._enrolling.drop(session_id)
        return codes

    def rename_authenticator(self, visitor, authenticator_id, name):
        """The one change of an authenticator that changes no factor, and ends nothing."""
        row = self._find(authenticator_id)
        row["name"] = clean_name(name)
        rows = [row if kept["id"] == authenticator_id else kept for kept in self._authenticators()]
        records = self._keeper.history.record(visitor, "authenticator renamed")
        records[store_keys.AUTHENTICATORS] = rows
        self._keeper.keep(records)

    def remove_authenticator(self, session_token, visitor, authenticator_id):
        """For ten minutes it can be restored. The last one goes with `switch_off` only."""
        row = self._find(authenticator_id)
        rows = [kept for kept in self._authenticators() if kept["id"] != authenticator_id]
        if not rows:
            raise refusal("last_authenticator")
        records = {store_keys.AUTHENTICATORS: rows}
        self._change("authenticator removed", records, session_token, visitor)
        self._removed.add(authenticator_id, row, self._keeper.now_s())

    def restore_authenticator(self, session_token, visitor, authenticator_id):
        """Undo a removal. What was used before it stays used."""
        row = self._removed.find(authenticator_id, self._keeper.now_s())
        if row is None:
            raise refusal("undo_over")
        self._refuse_more()
        records = {store_keys.AUTHENTICATORS: self._authenticators() + [row]}
        self._change("authenticator restored", records, session_token, visitor)
        self._removed.drop(authenticator_id)

    def removed(self):
        """Return [{id, name}] of those that can be restored still."""
        rows = self._removed.values(self._keeper.now_s())
        return [{"id": row["id"], "name": row["name"]} for row in rows]

    def switch_off(self, session_token, visitor, password, code):
        """Drop every authenticator and the recovery codes. code: of an authenticator, or a recovery code."""
        if not self.is_two_factor:
            raise refusal("two_factor_is_off")
        self.check_password(password, visitor)
        try:
            used = self._factors.either(code, visitor)  # stored with what undoes this, if anything does
        except SigninError as error:
            error.field = "code" if error.field == "recovery_code" else error.field
            raise
        records = {store_keys.AUTHENTICATORS: []}
        self._change("two-factor off", records, session_token, visitor, (store_keys.RECOVERY,), used)
        self._removed.clear()

    # Recovery codes

    def renew_recovery_codes(self, session_token, visitor):
        """Return ten, shown this once; those before are void."""
        if not self.is_two_factor:
            raise refusal("two_factor_is_off")
        records = {}
        codes = self._renew(records)
        self._change("recovery codes renewed", records, session_token, visitor)
        return codes

    def recovery_codes(self):
        """Return (how many are left, how many there were, unix s when they were made)."""
        record = self._keeper.store.get(store_keys.RECOVERY)
        made_at = record["created_at"] if record else None
        return recovery.remaining(record), recovery.COUNT, made_at

    # Who is signed in

    def sessions(self, session_token):
        """Return [{id, browser, address, created_at, method, is_this}], the one that acted last first."""
        keeper, ours = self._keeper, self._session_id(session_token)
        found = []
        for record in keeper.sessions.listed(keeper.now_s()):
            row = {"id": record.id, "browser": record.browser, "address": record.client}
            row.update({"created_at": record.created_at, "method": record.method})
            row["is_this"] = record.id == ours
            found.append(row)
        return found

    def end_session(self, session_token, visitor, session_id):
        """End one that is not the caller's own."""
        keeper = self._keeper
        if session_id not in [row["id"] for row in self.sessions(session_token) if not row["is_this"]]:
            raise refusal("session_over")
        keeper.keep(keeper.history.record(visitor, "sessions ended"))
        keeper.sessions.end_where(lambda record: record.id == session_id, session_token)

    def end_other_sessions(self, session_token, visitor):
        """Return how many ended."""
        self._keeper.keep(self._keeper.history.record(visitor, "sessions ended"))
        return self._end_others(session_token)

    def not_me(self, session_token, visitor):
        """Somebody else may be in: end every other session, every trusted browser and every API token."""
        self._change("sessions ended", {}, session_token, visitor, self._api_tokens.end_all())

    def take_over(self, records, visitor, result, deleted=()):
        """Store the password and the factors of another time (backup, undoing), and end every session."""
        self._change(result, records, "", visitor, self._api_tokens.end_all() + deleted)
        self._removed.clear()

    def history(self, most=KEPT):
        """owner.history.History.entries."""
        return self._keeper.history.entries(most)

    # Shared

    def _session_id(self, session_token):
        """What stays the same when the token is replaced; "" where there is no such session."""
        found = self._keeper.sessions.find(session_token, self._keeper.now_s(), False)
        return found.id if found else ""

    def _authenticators(self):
        return self._keeper.store.get(store_keys.AUTHENTICATORS, [])

    def _find(self, authenticator_id):
        for row in self._authenticators():
            if row["id"] == authenticator_id:
                return row
        raise refusal("no_such_authenticator")

    def _refuse_more(self):
        if len(self._authenticators()) >= MOST_AUTHENTICATORS:
            raise refusal("authenticators_full")

    def _renew(self, records):
        """Put a new set among the records; return its codes."""
        iterations = self._keeper.store.get(store_keys.OWNER)["iterations"]
        codes, records[store_keys.RECOVERY] = new_recovery_codes(self._keeper, iterations)
        return codes

    def _change(self, result, records, session_token, visitor, deleted=(), used=None):
        """Store it with its entry, with what undoes it and without the trusted browsers, then end every
        session but this one, and every sign-in under way. used: as earlier.kept has it."""
        if store_keys.UNDO not in records and [key for key in earlier.FACTORS if key in records]:
            records.update(earlier.kept(self._keeper, used))
        records.update(self._trust.end_all())
        records.update(self._keeper.history.record(visitor, result))
        self._keeper.keep(records, deleted)
        self._end_others(session_token)
        self._signing_in.begin_again()

    def _end_others(self, session_token):
        return self._keeper.sessions.end_where(lambda record: True, session_token)
