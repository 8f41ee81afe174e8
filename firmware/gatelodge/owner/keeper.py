"""What set-up, signing in and security share: the store, the clocks, the throttle and the sessions.

Whatever an answer depends on is in the store before the answer: a used step, a spent recovery code, a
failed attempt. Sessions, tokens and back-off run on the monotonic clock (a jump of the wall clock neither
ends nor prolongs them); steps of one-time codes and dates shown to people come from `clock`.
"""

from gatelodge import compat, log, store_keys
from gatelodge.contract import service_code
from gatelodge.core import base32, button_wait, presence, sessions, throttle, totp
from gatelodge.core import password as passwords
from gatelodge.owner.history import History
from gatelodge.refusals import closed, refusal, too_early

CSRF_BYTES = 16
LONGEST_NAME = 40
DEFAULT_NAME = "Authenticator"


class Keeper:
    """store: store.Store, open. clock: as timekeeper.Timekeeper. entropy(n): n random bytes.
    monotonic_ms(): milliseconds that never step. iterations: of PBKDF2; None measures this router.
    mac_of(address): the hardware address behind an address in this network, or ""."""

    def __init__(self, store, clock, entropy, monotonic_ms, iterations, mac_of):
        self.store = store
        self.clock = clock
        self.entropy = entropy
        self.monotonic_ms = monotonic_ms
        self.mac_of = mac_of
        self.sessions = sessions.Sessions()
        self.history = History(self)
        self.throttle = throttle.Throttle(store.get(store_keys.THROTTLE), self.now_s())
        self.presence = presence.Presence()
        self.button_wait = button_wait.ButtonWait()
        self._iterations = iterations

    @property
    def is_set_up(self):
        return self.store.has(store_keys.OWNER)

    @property
    def is_two_factor_off(self):
        """Switched off by the owner, that is. A list that is missing is a fault, and opens nothing."""
        return self.store.get(store_keys.AUTHENTICATORS) == []

    def now_s(self):
        return self.monotonic_ms() // 1000

    def new_token(self):
        return sessions.new_token(self.entropy(sessions.TOKEN_BYTES))

    def keep(self, records, deleted=()):
        """Store the records, the throttle's counts and the time reached, and drop the deleted keys: all or
        none."""
        records[store_keys.THROTTLE] = self.throttle.saved()
        if self.clock.is_set:
            records.update(self.clock.floors())
        self.store.put_many(records, deleted)
        self.history.stored(records)

    def begin_session(self, visitor, method, trust_id="", is_proved=True):
        """Return the session's token. Call it once everything that the sign-in used is in the store.

        method: core/signin.py's. is_proved: whether a code was given just now."""
        token, now_s = self.new_token(), self.now_s()
        csrf_token = self.entropy(CSRF_BYTES).hex()
        created_at = self.clock.now()
        self.sessions.begin(token, csrf_token, visitor, method, trust_id, created_at, now_s, is_proved)
        return token

    # The label

    def identity(self):
        identity = self.store.get(store_keys.IDENTITY)
        if identity is None:
            raise refusal("not_provisioned")
        return identity

    def label_code(self):
        return service_code.parse(self.identity()["service_code"])

    # Passwords

    def iterations(self):
        """The cost of a password's hash on this router."""
        if self._iterations:
            return self._iterations
        found = passwords.calibrated_iterations(self._cost_ms)
        if not compat.PBKDF2_IS_NATIVE:
            log.warning("owner", "no library hashes passwords here: plain Python does, %d times", found)
        return found

    def strengthen(self, record, password):
        """Hash the password anew when this router can do more than it could: a new library, or a new board.

        password: the right one, just typed. Measured once between two starts, as that takes 100 ms."""
        if self._iterations is None:
            self._iterations = self.iterations()
        if passwords.is_outgrown(record, self._iterations):
            stronger = self.owner_record(password)
            stronger["created_at"] = record["created_at"]  # it is the same password
            self.store.put(store_keys.OWNER, stronger)
            log.info("owner", "the password is kept at %d iterations now", self._iterations)

    def _cost_ms(self, iterations):
        began_ms = self.monotonic_ms()
        compat.pbkdf2_sha256(b"a password", b"sixteen of salt.", iterations, passwords.HASH_BYTES)
        return self.monotonic_ms() - began_ms

    def owner_record(self, password):
        """The OWNER record of a new password. It costs no less than the one before, however busy we are."""
        before = self.store.get(store_keys.OWNER) or {"iterations": 0}
        iterations = max(before["iterations"], self.iterations())
        record = passwords.new_record(password, self.entropy(passwords.SALT_BYTES), iterations)
        record["created_at"] = self.clock.now()
        return record

    def check_new_password(self, text):
        """Raise SigninError("password", why) unless the text may become the password."""
        if self._is_printed_on_the_label(text):
            raise refusal("password_on_label")
        from gatelodge.core import new_password  # 16 KB of the heap, for who chooses one

        try:
            why = new_password.refusal(text)
        finally:
            compat.unload(new_password.MODULES)
        if why is not None:
            raise refusal(why)

    def password_strength(self, text):
        """Return 0 (refused) to 4 (strong), for the meter while typing."""
        if self._is_printed_on_the_label(text):
            return 0
        from gatelodge.core import new_password

        try:
            return new_password.strength(text)
        finally:
            compat.unload(new_password.MODULES)

    def _is_printed_on_the_label(self, text):
        squeezed = text.replace("-", "").replace(" ", "").upper()
        serial_number = self.identity()["serial_number"].replace("-", "").upper()
        return self.label_code() in squeezed or squeezed == serial_number

    # Authenticators

    def proved_authenticator(self, secret, code, name):
        """Return the row of an authenticator whose first code is right and thereby used."""
        digits = six_digits(code)
        if not self.clock.is_set:
            raise refusal("clock_unset_at_setup")
        now = self.clock.now()
        answer = totp.check(secret, digits, now, totp.NEVER, 0)
        if answer.step is None:
            raise refusal("code_unproved")
        return {
            "id": compat.sha256(secret)[:4].hex(),
            "name": clean_name(name),
            "secret": base32.encode(secret),
            "last_step": answer.step,
            "drift_steps": answer.drift_steps,
            "last_used_at": now,
        }

    def judged(self, digits):
        """Return (index, totp.Answer) of the authenticator that knows the code. Every one is asked."""
        now = self.clock.now()
        best = (None, totp.Answer(None, totp.WRONG, 0, 0))
        for index, row in enumerate(self.store.get(store_keys.AUTHENTICATORS, [])):
            secret = base32.decode(row["secret"])
            answer = totp.check(secret, digits, now, row["last_step"], row["drift_steps"])
            if answer.step is not None or (answer.reason == totp.USED and best[1].step is None):
                best = (index, answer)
        return best

    def steps_off(self, digits):
        """totp.steps_off of the authenticator whose clock is the least off, or None."""
        now, found = self.clock.now(), []
        for row in self.store.get(store_keys.AUTHENTICATORS, []):
            steps = totp.steps_off(base32.decode(row["secret"]), digits, now, row["last_step"])
            if steps is not None:
                found.append(steps)
        return min(found, key=abs) if found else None

    def authenticators_after(self, index, step, drift_steps):
        """The AUTHENTICATORS record once this one's step is used."""
        rows = self.store.get(store_keys.AUTHENTICATORS)
        used = {"last_step": step, "drift_steps": drift_steps, "last_used_at": self.clock.now()}
        rows[index].update(used)
        return rows

    # Trusted browsers

    def trusted_row(self, visitor):
        """The row of store_keys.TRUSTED whose token the visitor's browser holds, expired or not, or None."""
        token_hash = sessions.hashed(visitor.trust).hex()
        for row in self.store.get(store_keys.TRUSTED, []) if visitor.trust else ():
            if row["hash"] == token_hash:
                return row
        return None

    # Throttling

    def client_of(self, visitor):
        """Whose budget of tries this visitor uses: that of its trusted browser, or else of its address.

        So nobody behind the same address keeps a trusted browser out. Its token is all that this takes, so an
        unset clock changes nothing; whoever steals it gains one more budget, and skips no factor by it."""
        row = self.trusted_row(visitor)
        if row is None:
            return visitor.address
        client = "trusted " + row["id"]
        self.throttle.know(client)  # judged by its own record alone, however many addresses came since
        return client

    def refuse_early(self, factor, visitor):
        """Raise SigninError while this visitor has to wait before trying the factor again, or needs presence.

        Presence opens one try, whatever the throttle says: call this once for each."""
        client = self.client_of(visitor)
        wait_s = self.throttle.wait_s(factor, client, self.now_s())
        is_closed = self.throttle.is_closed(factor, client)
        if not (wait_s or is_closed) or self._is_let_by_presence(factor, client):
            return
        raise closed(factor) if is_closed else too_early(factor, wait_s)

    def _is_let_by_presence(self, factor, client):
        """Presence opens nothing to the serial console itself: whoever holds it grants it."""
        return client != throttle.CONSOLE and self.presence.take_try(factor, client, self.now_s())

    def count_failure(self, factor, visitor, result=None):
        """Count it, and tell the history `result`, in one change of the store. The failure after which only
        presence helps is told as such."""
        client = self.client_of(visitor)
        was_closed = self.throttle.is_closed(factor, client)
        self.throttle.failed(factor, client, self.now_s())
        if self.throttle.is_closed(factor, client) and not was_closed:
            log.warning("owner", "too many wrong tries of the %s: closed until somebody is there", factor)
            result = "locked out"
        records = self.history.record(visitor, result) if result else {}
        records[store_keys.THROTTLE] = self.throttle.saved()
        self.store.put_many(records)
        self.history.stored(records)

    def grant_presence(self, source):
        """Somebody is at the router: core/presence.py. Return False when that was known a moment ago."""
        now_s = self.now_s()
        is_granted = self.presence.grant(source, now_s)
        is_press = is_granted and source == presence.BUTTON
        if is_press and self.button_wait.pressed(now_s, self.throttle.is_any_closed()):
            self.presence.spend(now_s)
            log.warning("owner", "the button was pressed for the browser that waits for it")
        elif is_granted:
            log.warning("owner", "somebody is at the router, by its %s: one more try for everybody", source)
        return is_granted

    def forget(self):
        """The store has been wiped: nothing of the owner stays in memory either."""
        self.sessions.end_where(lambda record: True)
        self.throttle = throttle.Throttle(None, self.now_s())
        self.presence = presence.Presence()
        self.button_wait.clear()

    def count_success(self, factor, visitor):
        self.throttle.succeeded(factor, self.client_of(visitor))
        self.store.put(store_keys.THROTTLE, self.throttle.saved())  # which writes only what changed


def six_digits(text):
    digits = totp.cleaned(text)
    if digits is None:
        raise refusal("code_form")
    return digits


def clean_name(text, default=DEFAULT_NAME):
    """Return a name that fits on a line; names are shown to the owner only, and escaped by the page."""
    printable = "".join([character for character in text if ord(character) >= 32 and ord(character) != 127])
    return printable.strip()[:LONGEST_NAME] or default
