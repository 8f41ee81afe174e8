"""The owner of this router, of whom there is one: first set-up, signing in, sessions.

    owner = Owner(store, clock, entropy)
    owner.setup.finish(...)         setup.py: the wizard
    owner.signing_in.code(...)      signing_in.py: password, then code
    owner.trust.listed()            trust.py: browsers that skip the code
    owner.api_tokens.find(token)    api_tokens.py: what a script shows instead of signing in
    owner.security.not_me(...)      security.py: password, factors, sessions, history
    owner.backups.make(...)         backup.py: the settings in a file, and back
    owner.session(token, acting)    who is asking
    owner.at_console.recover(...)   at_console.py: the serial console's words
    owner.grant_presence(BUTTON)    somebody is at the router, core/presence.py
    owner.undo(args)                undoing.py: back to the factors of before, at the account's word
    owner.reset.wipe(by)            reset.py: the router becomes nobody's
    owner.updates(Place(...))       updates.py: other firmware, by the page

Every method is synchronous and either returns a small value or raises SigninError, whose text is fit for
the page. Decisions are core/'s; keeper.py joins them to the store, the clocks and the throttle.
"""

from collections import namedtuple

from gatelodge import compat, store_keys
from gatelodge.contract import service_code
from gatelodge.core import recovery, sessions
from gatelodge.owner import earlier
from gatelodge.owner.api_tokens import ApiTokens
from gatelodge.owner.at_console import AtConsole
from gatelodge.owner.backup import Backups
from gatelodge.owner.factors import Factors
from gatelodge.owner.keeper import Keeper, clean_name
from gatelodge.owner.reset import Reset
from gatelodge.owner.security import Security
from gatelodge.owner.setup import Setup
from gatelodge.owner.signing_in import SigningIn
from gatelodge.owner.trust import Trust
from gatelodge.owner.updates import Updates
from gatelodge.refusals import refusal

# id: short public name of the session; csrf_token: to be sent with every change; client: address that signed
# in; created_at: unix s for people; ends_in_s: until it ends if nobody acts; is_proved: whether a code was
# given in it in the last five minutes.
Session = namedtuple("Session", ("id", "csrf_token", "client", "created_at", "ends_in_s", "is_proved"))


def _no_mac(_address):
    return ""


class Owner:
    """Parameters as keeper.Keeper has them."""

    def __init__(
        self, store, clock, entropy, monotonic_ms=compat.monotonic_ms, iterations=None, mac_of=_no_mac
    ):
        self._keeper = Keeper(store, clock, entropy, monotonic_ms, iterations, mac_of)
        self.setup = Setup(self._keeper)
        self.trust = Trust(self._keeper)
        self.api_tokens = ApiTokens(self._keeper)
        self._factors = Factors(self._keeper)
        self.signing_in = SigningIn(self._keeper, self._factors, self.trust)
        self.security = Security(self._keeper, self._factors, self.trust, self.signing_in, self.api_tokens)
        self.backups = Backups(self._keeper, self.security)
        self.at_console = AtConsole(self._keeper, self.trust)
        self.reset = Reset(self._keeper)
        self.grant_presence = self._keeper.grant_presence
        self.has_button = False  # the board says so, to whoever built this
        self._told = None, 0, None  # a sessions.Record, a second, and the Session that it was then

    def tell_notices_to(self, listener):
        """listener as history.History has it: of what the owner is to be told elsewhere too."""
        self._keeper.history.listener = listener

    def before_release(self):
        """Return (records to store with a release from the account, the id of what undoes all of it)."""
        records = earlier.kept(self._keeper)
        return records, earlier.told(self._keeper.store, records)

    def undo(self, args):
        """Undo a run of changes of the factors: undoing.undo. args: of the cloud's command."""
        from gatelodge.owner import undoing  # seldom asked for

        try:
            return undoing.undo(self._keeper, self.security, args)
        finally:
            compat.unload(undoing.MODULES)

    @property
    def is_set_up(self):
        """Whether somebody owns this router's admin page. False: show the wizard."""
        return self._keeper.is_set_up

    def check_new_password(self, text):
        """Raise SigninError("password", why) unless the text may become the password."""
        self._keeper.check_new_password(text)

    def password_strength(self, text):
        """Return 0 (refused) to 4 (strong), for the meter while typing."""
        return self._keeper.password_strength(text)

    def session(self, session_token, acting):
        """Return the Session, or None when there is none or it has ended.

        acting: True for what a person did (puts off the idle end), False for live updates and polls."""
        return self.session_of(sessions.hashed(session_token), acting)

    def session_of(self, token_hash, acting):
        """`session` by sessions.hashed of its token, for whoever asks with the same one again and again."""
        now_s = self._keeper.now_s()
        found = self._keeper.sessions.find_hashed(token_hash, now_s, acting)
        told = self._told
        if found is not told[0] or now_s != told[1]:
            told = self._told = found, now_s, _told(found, now_s)
        return told[2]

    def has_session(self, token_hash):
        """Return whether `session` would give one, without acting in it. token_hash: sessions.hashed."""
        keeper = self._keeper
        return keeper.sessions.find_hashed(token_hash, keeper.now_s(), False) is not None

    def goes_on(self, session_id, acting):
        """Return whether the session of this id has not ended: for what outlasts a request, and tokens."""
        return self._keeper.sessions.has(session_id, self._keeper.now_s(), acting)

    def clients(self):
        """Return the set of the addresses from which somebody is signed in."""
        return self._keeper.sessions.clients(self._keeper.now_s())

    def require_proof(self, session_token):
        """Raise SigninError (offer "prove") unless a code was given in this session in the last 5 minutes."""
        session = self.session(session_token, True)
        if session is None or not session.is_proved:
            raise refusal("proof_needed")

    @property
    def proof(self):
        """What `prove` takes now: "code", or "password" while two-factor is off."""
        return "code" if self.security.is_two_factor else "password"

    def prove(self, session_token, proof, visitor):
        """Take a code, or a recovery code, of somebody who is signed in, for five minutes. Or SigninError.

        Return the session's new token; the one before proves nothing, and is over in half a minute. While
        two-factor is off there is no code: the password it is."""
        if self.security.is_two_factor:
            self._keeper.keep(self._factors.either(proof, visitor))
        else:
            self.security.check_password(proof, visitor)
        new_token = self._keeper.new_token()
        self._keeper.sessions.prove(session_token, new_token, self._keeper.now_s())
        return new_token

    def updates(self, place):
        """place: owner.updates.Place."""
        return Updates(self._keeper, place)

    def sign_out(self, session_token):
        """End the session. Twice is once."""
        self._keeper.sessions.end(session_token)

    def status(self):
        """Return {recovery_codes_left, authenticators: [{id, name, last_used_at, drift_steps}],
        clock_is_set}.

        For a page whose session the caller has checked."""
        store = self._keeper.store
        kept = ("id", "name", "last_used_at", "drift_steps")
        authenticators = store.get(store_keys.AUTHENTICATORS, [])
        return {
            "recovery_codes_left": recovery.remaining(store.get(store_keys.RECOVERY)),
            "authenticators": [{key: row[key] for key in kept} for row in authenticators],
            "clock_is_set": self._keeper.clock.is_set,
        }

    @property
    def router_name(self):
        """What the owner calls this router, or ""."""
        return self._keeper.store.get(store_keys.NAME, "")

    def name_router(self, visitor, text):
        records = self._keeper.history.record(visitor, "router named")
        records[store_keys.NAME] = clean_name(text, "")
        self._keeper.keep(records)

    def service_code(self):
        """Return the service code grouped as on the label. For signed-in pages only."""
        return service_code.format_grouped(self._keeper.label_code())


def _told(found, now_s):
    """The Session of a sessions.Record, if there is one."""
    if found is None:
        return None
    ends_in_s, is_proved = sessions.ends_in_s(found, now_s), sessions.is_proved(found, now_s)
    return Session(found.id, found.csrf_token, found.client, found.created_at, ends_in_s, is_proved)
