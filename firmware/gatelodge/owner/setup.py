"""First set-up: service code -> password -> authenticator -> code -> recovery codes.

Nothing is kept before the last proof; then everything lands in one record of the store, or nothing.
"""

from collections import namedtuple

from gatelodge import compat, store_keys
from gatelodge.contract import service_code
from gatelodge.contract.errors import ServiceCodeError
from gatelodge.core import base32, recovery, sessions, signin, totp
from gatelodge.refusals import refusal
from gatelodge.text import _

ISSUER = "Gatelodge"
LIFETIME_S = 15 * 60  # to invent a password and install an authenticator app
MOST_UNDER_WAY = 4

# recovery_codes: ten strings, shown this once; session_token: for the cookie.
Done = namedtuple("Done", ("recovery_codes", "session_token"))

# secret: base32 in groups of four for typing; uri: otpauth://, for the QR code.
NewAuthenticator = namedtuple("NewAuthenticator", ("secret", "uri"))


class Setup:
    def __init__(self, keeper):
        self._keeper = keeper
        self._under_way = sessions.Tickets(LIFETIME_S, MOST_UNDER_WAY)

    def check_service_code(self, text, visitor):
        """Return a setup_token, good for 15 minutes. Throttled; a typing error is told and does not count."""
        keeper = self._keeper
        self._refuse_second_owner()
        try:
            typed = service_code.parse(text)
        except ServiceCodeError as error:
            raise refusal("service_code_typing", _(error.text) % error.values)
        keeper.refuse_early("service_code", visitor)
        if not compat.constant_time_equal(typed.encode(), keeper.label_code().encode()):
            keeper.count_failure("service_code", visitor)
            raise refusal("service_code_wrong")
        keeper.count_success("service_code", visitor)
        setup_token = keeper.new_token()
        self._under_way.add(setup_token, keeper.entropy(totp.SECRET_BYTES), keeper.now_s())
        return setup_token

    def check_token(self, setup_token):
        """Raise SigninError (offer "start") unless the token of an unfinished set-up is still good."""
        self._secret(setup_token)

    def begin_authenticator(self, setup_token):
        """Return NewAuthenticator: the same for one token, so that a reload does not change the QR code."""
        return shown(self._secret(setup_token), self._keeper.identity()["serial_number"])

    def finish(self, setup_token, password, secret, code, name, visitor):
        """Take the router: password, first authenticator, ten recovery codes. Return Done.

        secret: as given by begin_authenticator; code: proves it, and is thereby used. With the clock unset it
        is refused with what to do."""
        keeper = self._keeper
        kept_secret = self._secret(setup_token)
        keeper.check_new_password(password)
        if not is_shown_secret(secret, kept_secret):
            raise refusal("setup_outdated")
        authenticator = keeper.proved_authenticator(kept_secret, code, name)
        owner = keeper.owner_record(password)
        codes, record = new_recovery_codes(keeper, owner["iterations"])
        keeper.throttle.know(visitor.address)
        records = keeper.history.record(visitor, "set up", signin.BY_SETUP)
        records[store_keys.OWNER] = owner
        records[store_keys.AUTHENTICATORS] = [authenticator]
        records[store_keys.RECOVERY] = record
        keeper.keep(records)
        self._under_way.clear()  # their secrets need not stay in memory
        return Done(codes, keeper.begin_session(visitor, signin.BY_SETUP))

    def _refuse_second_owner(self):
        if self._keeper.is_set_up:
            raise refusal("has_owner")

    def _secret(self, setup_token):
        self._refuse_second_owner()
        secret = self._under_way.find(setup_token, self._keeper.now_s())
        if secret is None:
            raise refusal("setup_over")
        return secret


def shown(secret, serial_number):
    """The NewAuthenticator of a secret (bytes)."""
    uri = totp.uri(secret, ISSUER, serial_number)
    return NewAuthenticator(base32.grouped(base32.encode(secret)), uri)


def is_shown_secret(text, secret):
    """Whether the text is the secret (bytes) as it was shown."""
    return compat.constant_time_equal(text.replace(" ", "").encode(), base32.encode(secret).encode())


def new_recovery_codes(keeper, iterations):
    """(ten codes to show once, the RECOVERY record that holds their hashes)."""
    codes = recovery.generate(keeper.entropy(recovery.COUNT * recovery.RANDOM_BYTES))
    salt = keeper.entropy(recovery.RANDOM_BYTES)
    return codes, recovery.new_record(codes, salt, iterations, keeper.clock.now())
