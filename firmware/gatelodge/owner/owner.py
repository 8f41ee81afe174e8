"""The owner: first set-up, sign-in, sessions. Joins the decisions of core/ to store, clock and entropy.

Every method is synchronous and either returns a small value or raises SigninError, whose text is fit for
the page. Whatever an answer depends on is in the store before the method returns: a used step, a spent
recovery code, a failed attempt. There is one account, so no name is asked for. Checking a password holds
the daemon for about 300 ms, once for each attempt that the throttle lets through.

Times: sessions, tokens and back-off run on the monotonic clock (a jump of the wall clock neither ends
nor prolongs them); steps of one-time codes and dates shown to people come from `clock`.
"""

from collections import namedtuple

from gatelodge import compat, store_keys
from gatelodge.contract import service_code
from gatelodge.contract.errors import ServiceCodeError
from gatelodge.core import base32, recovery, sessions, signin, throttle, totp
from gatelodge.core import password as passwords
from gatelodge.web.refusals import SigninError, refusal, too_early  # noqa: F401 - SigninError for the pages

ISSUER = "Gatelodge"
SETUP_LIFETIME_S = 15 * 60  # to invent a password and install an authenticator app
MOST_SETUPS = 4
CSRF_BYTES = 16
LONGEST_NAME = 40
DEFAULT_NAME = "Authenticator"

# id: short public name of the session; csrf_token: to be sent with every change; client: address that signed
# in; created_at: unix s for people; ends_in_s: until it ends if nobody acts.
Session = namedtuple("Session", ("id", "csrf_token", "client", "created_at", "ends_in_s"))

# recovery_codes: ten strings, shown this once; session_token: for the cookie.
SetupDone = namedtuple("SetupDone", ("recovery_codes", "session_token"))

# secret: base32 in groups of four for typing; uri: otpauth://, for the QR code.
NewAuthenticator = namedtuple("NewAuthenticator", ("secret", "uri"))


class Owner:
    """store: store.Store, open. clock: .now() unix s, .is_set. entropy(n): n random bytes.
    monotonic_ms(): milliseconds that never step. `client` everywhere is the peer's address as text.
    iterations: of PBKDF2; None measures this router at set-up."""

    def __init__(self, store, clock, entropy, monotonic_ms=compat.monotonic_ms, iterations=None):
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._monotonic_ms = monotonic_ms
        self._iterations = iterations
        self._throttle = throttle.Throttle(store.get(store_keys.THROTTLE), self._now_s())
        self._setups = sessions.Tickets(SETUP_LIFETIME_S, MOST_SETUPS)
        self._signins = sessions.Tickets(signin.LIFETIME_S, signin.MOST_UNDER_WAY)
        self._sessions = sessions.Sessions()

    @property
    def is_set_up(self):
        """Whether somebody owns this router's admin page. False: show the wizard."""
        return self._store.get(store_keys.OWNER) is not None

    # First set-up: service code -> password -> authenticator -> code -> recovery codes

    def check_service_code(self, text, client):
        """Return a setup_token, good for 15 minutes. Throttled; a typing error is told and does not count."""
        self._refuse_second_owner()
        try:
            typed = service_code.parse(text)
        except ServiceCodeError as error:
            raise refusal("service_code_typing", error)
        self._refuse_early("service_code", client)
        if not compat.constant_time_equal(typed.encode(), self._label_code().encode()):
            self._count_failure("service_code", client)
            raise refusal("service_code_wrong")
        self._count_success("service_code", client)
        setup_token = self._new_token()
        self._setups.add(setup_token, self._entropy(totp.SECRET_BYTES), self._now_s())
        return setup_token

    def check_setup_token(self, setup_token):
        """Raise SigninError (offer "start") unless the token of an unfinished set-up is still good."""
        self._setup_secret(setup_token)

    def check_new_password(self, text):
        """Raise SigninError("password", why) unless the text may become the password."""
        if self._is_printed_on_the_label(text):
            raise refusal("password_on_label")
        why = passwords.refusal(text)
        if why is not None:
            raise refusal(why)

    def password_strength(self, text):
        """Return 0 (refused) to 4 (strong), for the meter while typing."""
        return 0 if self._is_printed_on_the_label(text) else passwords.strength(text)

    def setup_begin_authenticator(self, setup_token):
        """Return NewAuthenticator: the same for one token, so that a reload does not change the QR code."""
        secret = self._setup_secret(setup_token)
        uri = totp.uri(secret, ISSUER, self._identity()["serial_number"])
        return NewAuthenticator(base32.grouped(base32.encode(secret)), uri)

    def setup_finish(self, setup_token, password, secret, code, name, client):
        """Take the router: password, first authenticator, ten recovery codes. Return SetupDone.

        secret: as given by setup_begin_authenticator; code: proves it, and is thereby used. Everything lands
        in one record of the store, or nothing. With the clock unset it is refused with what to do."""
        kept_secret = self._setup_secret(setup_token)
        self.check_new_password(password)
        if not compat.constant_time_equal(
            secret.replace(" ", "").encode(), base32.encode(kept_secret).encode()
        ):
            raise refusal("setup_outdated")
        authenticator = self._proved_authenticator(kept_secret, code, name)
        codes = recovery.generate(self._entropy(recovery.COUNT * recovery.RANDOM_BYTES))
        self._throttle.know(client)
        self._keep(self._first_records(password, authenticator, codes))
        self._setups.clear()  # their secrets need not stay in memory
        return SetupDone(codes, self._begin_session(client))

    # Sign-in: password -> code or recovery code -> session

    def sign_in_password(self, password, client):
        """Return a signin_token: 5 minutes, this client only. The same work is done for any text."""
        record = self._store.get(store_keys.OWNER)
        if record is None:
            raise refusal("no_owner")
        self._refuse_early("password", client)
        attempt = signin.Signin(client)
        if not passwords.verify(record, password):
            attempt.happened(signin.PASSWORD_WRONG)
            self._count_failure("password", client)
            raise refusal("password_wrong")
        attempt.happened(signin.PASSWORD_RIGHT)
        self._count_success("password", client)
        signin_token = self._new_token()
        self._signins.add(signin_token, attempt, self._now_s())
        return signin_token

    def check_signin_token(self, signin_token, client):
        """Raise SigninError (offer "start") unless a code may be entered with this token from this client."""
        self._signin(signin_token, client)

    def sign_in_code(self, signin_token, code, client):
        """Return a session_token. The step is in the store before the session exists.

        With the clock unset no code can be judged: SigninError with offer "recovery"."""
        attempt = self._signin(signin_token, client)
        digits = _six_digits(code)
        if not self._clock.is_set:
            attempt.happened(signin.CLOCK_UNSET)
            raise refusal("clock_unset")
        self._refuse_early("code", client)
        index, answer = self._judged(digits)
        if answer.step is None:
            raise self._code_refused(attempt, answer, client)
        attempt.happened(signin.CODE_RIGHT)
        used = {store_keys.AUTHENTICATORS: self._authenticators_after(index, answer)}
        return self._signed_in(signin_token, "code", used, client)

    def sign_in_recovery(self, signin_token, recovery_code, client):
        """Return a session_token; the recovery code is spent before the session exists. Needs no clock."""
        attempt = self._signin(signin_token, client)
        if recovery.cleaned(recovery_code) is None:
            raise refusal("recovery_code_form")
        self._refuse_early("recovery_code", client)
        left = recovery.spend(self._store.get(store_keys.RECOVERY), recovery_code)
        if left is None:
            attempt.happened(signin.RECOVERY_WRONG)
            self._count_failure("recovery_code", client)
            raise refusal("recovery_code_wrong")
        attempt.happened(signin.RECOVERY_RIGHT)
        return self._signed_in(signin_token, "recovery_code", {store_keys.RECOVERY: left}, client)

    # Sessions

    def session(self, session_token, acting):
        """Return the Session, or None when there is none or it has ended.

        acting: True for what a person did (puts off the idle end), False for live updates and polls."""
        now_s = self._now_s()
        found = self._sessions.find(session_token, now_s, acting)
        if found is None:
            return None
        ends_in_s = sessions.ends_in_s(found, now_s)
        return Session(found.id, found.csrf_token, found.client, found.created_at, ends_in_s)

    def sign_out(self, session_token):
        """End the session. Twice is once."""
        self._sessions.end(session_token)

    def status(self):
        """Return {recovery_codes_left, authenticators: [{id, name, last_used_at, drift_steps}],
        clock_is_set}.

        For a page whose session the caller has checked."""
        shown = ("id", "name", "last_used_at", "drift_steps")
        authenticators = self._store.get(store_keys.AUTHENTICATORS, [])
        return {
            "recovery_codes_left": recovery.remaining(self._store.get(store_keys.RECOVERY)),
            "authenticators": [{key: row[key] for key in shown} for row in authenticators],
            "clock_is_set": self._clock.is_set,
        }

    def service_code(self):
        """Return the service code grouped as on the label. For signed-in pages only."""
        return service_code.format_grouped(self._label_code())

    # What set-up is made of

    def _refuse_second_owner(self):
        if self.is_set_up:
            raise refusal("has_owner")

    def _setup_secret(self, setup_token):
        self._refuse_second_owner()
        secret = self._setups.find(setup_token, self._now_s())
        if secret is None:
            raise refusal("setup_over")
        return secret

    def _proved_authenticator(self, secret, code, name):
        """Return the row of an authenticator whose first code is right and thereby used."""
        digits = _six_digits(code)
        if not self._clock.is_set:
            raise refusal("clock_unset_at_setup")
        now = self._clock.now()
        answer = totp.check(secret, digits, now, totp.NEVER, 0)
        if answer.step is None:
            raise refusal("code_unproved")
        return {
            "id": compat.sha256(secret)[:4].hex(),
            "name": _clean_name(name),
            "secret": base32.encode(secret),
            "last_step": answer.step,
            "drift_steps": answer.drift_steps,
            "last_used_at": now,
        }

    def _first_records(self, password, authenticator, codes):
        now = self._clock.now()
        iterations = self._iterations or passwords.calibrated_iterations(self._cost_ms)
        owner = passwords.new_record(password, self._entropy(passwords.SALT_BYTES), iterations)
        owner["created_at"] = now
        salt = self._entropy(recovery.RANDOM_BYTES)
        return {
            store_keys.OWNER: owner,
            store_keys.AUTHENTICATORS: [authenticator],
            store_keys.RECOVERY: recovery.new_record(codes, salt, iterations, now),
        }

    def _cost_ms(self, iterations):
        began_ms = self._monotonic_ms()
        compat.pbkdf2_sha256(b"a password", b"sixteen of salt.", iterations, passwords.HASH_BYTES)
        return self._monotonic_ms() - began_ms

    def _identity(self):
        identity = self._store.get(store_keys.IDENTITY)
        if identity is None:
            raise refusal("not_provisioned")
        return identity

    def _label_code(self):
        return service_code.parse(self._identity()["service_code"])

    def _is_printed_on_the_label(self, text):
        squeezed = text.replace("-", "").replace(" ", "").upper()
        serial_number = self._identity()["serial_number"].replace("-", "").upper()
        return self._label_code() in squeezed or squeezed == serial_number

    # What a sign-in is made of

    def _signin(self, signin_token, client):
        """Return the sign-in under way. A token from another client is answered like one that never was."""
        attempt = self._signins.find(signin_token, self._now_s())
        if attempt is None or attempt.client != client:
            raise refusal("signin_over")
        return attempt

    def _judged(self, digits):
        """Return (index, totp.Answer) of the authenticator that knows the code. Every one is asked."""
        now = self._clock.now()
        best = (None, totp.Answer(None, totp.WRONG, 0, 0))
        for index, row in enumerate(self._store.get(store_keys.AUTHENTICATORS, [])):
            secret = base32.decode(row["secret"])
            answer = totp.check(secret, digits, now, row["last_step"], row["drift_steps"])
            if answer.step is not None or (answer.reason == totp.USED and best[1].step is None):
                best = (index, answer)
        return best

    def _code_refused(self, attempt, answer, client):
        """Return the error for an unmatched code. The last used one again is no guess: not counted."""
        if answer.reason == totp.USED:
            attempt.happened(signin.CODE_USED)
            if answer.wait_s:
                return refusal("code_used", answer.wait_s, wait_s=answer.wait_s)
            return refusal("code_used_before")
        attempt.happened(signin.CODE_WRONG)
        self._count_failure("code", client)
        return refusal("code_wrong")

    def _authenticators_after(self, index, answer):
        rows = self._store.get(store_keys.AUTHENTICATORS)
        changes = {
            "last_step": answer.step,
            "drift_steps": answer.drift_steps,
            "last_used_at": self._clock.now(),
        }
        rows[index].update(changes)
        return rows

    def _signed_in(self, signin_token, factor, records, client):
        """Spend the ticket, store what was used, then begin the session: so nothing is used twice."""
        self._signins.drop(signin_token)
        self._throttle.succeeded(factor, client)
        self._throttle.know(client)
        self._keep(records)
        return self._begin_session(client)

    def _begin_session(self, client):
        session_token = self._new_token()
        csrf_token = self._entropy(CSRF_BYTES).hex()
        self._sessions.begin(session_token, csrf_token, client, self._clock.now(), self._now_s())
        return session_token

    def _keep(self, records):
        """Store the records, the throttle's counts and the time reached, all or none."""
        records[store_keys.THROTTLE] = self._throttle.saved()
        if self._clock.is_set:
            records[store_keys.CLOCK_FLOOR] = int(self._clock.now())
        self._store.put_many(records)

    # Throttling

    def _refuse_early(self, factor, client):
        wait_s = self._throttle.wait_s(factor, client, self._now_s())
        if wait_s:
            raise too_early(factor, wait_s)

    def _count_failure(self, factor, client):
        self._throttle.failed(factor, client, self._now_s())
        self._store.put(store_keys.THROTTLE, self._throttle.saved())

    def _count_success(self, factor, client):
        self._throttle.succeeded(factor, client)
        self._store.put(store_keys.THROTTLE, self._throttle.saved())  # which writes only what changed

    def _new_token(self):
        return sessions.new_token(self._entropy(sessions.TOKEN_BYTES))

    def _now_s(self):
        return self._monotonic_ms() // 1000


def _six_digits(text):
    digits = totp.cleaned(text)
    if digits is None:
        raise refusal("code_form")
    return digits


def _clean_name(text):
    """Return a name that fits on a line; names are shown to the owner only, and escaped by the page."""
    printable = "".join([character for character in text if ord(character) >= 32 and ord(character) != 127])
    return printable.strip()[:LONGEST_NAME] or DEFAULT_NAME
