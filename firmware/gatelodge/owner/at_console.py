"""The owner at the serial console: what somebody who holds the cable may do, and with what in words.

Every word returns the lines to print, in English like all of the console, whatever the pages speak. Whoever
is there has the router in hand and could open its case: so presence and a reset need nothing more. To come in
as the owner takes the password as well.
"""

from gatelodge import log, store_keys
from gatelodge.contract.languages import ENGLISH
from gatelodge.core import password as passwords
from gatelodge.core import presence, throttle
from gatelodge.core.signin import Visitor
from gatelodge.owner import earlier
from gatelodge.owner.setup import new_recovery_codes
from gatelodge.refusals import SigninError, refusal, span
from gatelodge.text import speak

VISITOR = Visitor(throttle.CONSOLE, "serial console", "")
SOMEBODY = ""  # the address of no client: what holds for whoever comes for the first time
BY = "the serial console"


class AtConsole:
    """trust: owner.trust.Trust."""

    def __init__(self, keeper, trust):
        self._keeper = keeper
        self._trust = trust

    def actions(self, power):
        """Return {word: callable}, as console/locked.py takes it. power: power.Power."""
        return {
            "unlock": self.unlock,
            "recover": self.recover,
            "reset": lambda serial_number: self._reset(serial_number, power),
            "restart": lambda: self._restart(power),
        }

    def status(self):
        """Return (name, value) texts for any holder of the cable."""
        speak(ENGLISH.tag)
        told = [("owner", "yes" if self._keeper.is_set_up else "none yet")]
        for factor in throttle.FACTORS:
            hindrance = self._hindrance(factor)
            if hindrance:
                told.append((factor, hindrance))
        left_s = self._keeper.presence.left_s(self._keeper.now_s())
        return told + ([("unlocked", "for %s" % span(left_s))] if left_s else [])

    def unlock(self):
        speak(ENGLISH.tag)
        keeper = self._keeper
        if not keeper.grant_presence(presence.CONSOLE):
            rest_s = keeper.presence.rest_s(keeper.now_s())
            return ["Unlocked a moment ago. It can be done again in %s." % span(rest_s)]
        return ["Everybody has one more try of each factor, within %s." % span(presence.LASTS_S)]

    def recover(self, password):
        """Make ten new recovery codes, which void the old ones. Takes the password, throttled as anywhere."""
        speak(ENGLISH.tag)
        try:
            codes = self._new_codes(password)
        except SigninError as error:
            return [error.text]
        told = [
            "Your new recovery codes. Each signs you in once instead of a code, after the password.",
            "The old ones are void, and every session has ended.",
        ]
        return told + codes

    def _reset(self, serial_number, power):
        """The serial number, as it is on the label, says that this is the router that is meant."""
        if serial_number.strip().upper() != self._keeper.identity()["serial_number"].upper():
            return ["That is not the serial number of this router. Nothing was changed."]
        power.reset(BY)
        return ["This router has no owner any more. It starts again, and is set up with its label."]

    def _restart(self, power):
        power.restart(BY)
        return ["The router restarts."]

    def _hindrance(self, factor):
        """Why somebody new may not try this factor now, or ""."""
        keeper = self._keeper
        if keeper.throttle.is_closed(factor, SOMEBODY):
            return "closed until the button is pressed or unlock is typed"
        wait_s = keeper.throttle.wait_s(factor, SOMEBODY, keeper.now_s())
        return "wait %s" % span(wait_s) if wait_s else ""

    def _new_codes(self, password):
        keeper = self._keeper
        owner = keeper.store.get(store_keys.OWNER)
        if owner is None:
            raise refusal("no_owner")
        keeper.refuse_early("password", VISITOR)
        if not passwords.verify(owner, password):
            log.warning("owner", "a wrong password at the serial console")
            keeper.count_failure("password", VISITOR, "wrong password")
            raise refusal("password_wrong")
        keeper.throttle.succeeded("password", VISITOR.address)
        if not keeper.store.get(store_keys.AUTHENTICATORS):
            raise refusal("nothing_to_recover")
        codes, record = new_recovery_codes(keeper, owner["iterations"])
        records = keeper.history.record(VISITOR, "recovered at the console")
        records[store_keys.RECOVERY] = record
        records.update(earlier.kept(keeper))
        records.update(self._trust.end_all())  # a factor has changed
        keeper.keep(records)
        keeper.sessions.end_where(lambda record: True)
        log.warning("owner", "new recovery codes were made at the serial console")
        return codes
