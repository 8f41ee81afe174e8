"""Who has given the password and waits for the router's button, which signs in in place of a code.

    wait.ask(key, now_s)                  WAITING, ADMITTED, SHARED or HELD_BACK; ask again each second
    wait.pressed(now_s, is_held_back)     whether that press let somebody in

The button cannot say whom it means. So a press lets in the one browser that waits at that moment, and nobody
when there are two: one of them may be a thief who knows the password (as push-button pairing of Wi-Fi does,
session overlap in Wi-Fi Simple Configuration). And while any factor is closed for too many wrong tries, a
press means what the owner is told then: one more try. Else a thief could close a factor, wait here, and have
the owner's press.

Only a press after the first question counts. Whoever has not asked for five seconds does not wait any more.
"""

WAITING = "waiting"
ADMITTED = "admitted"
SHARED = "shared"
HELD_BACK = "held back"

HEARD_S = 5
MOST = 16  # core.signin.MOST_UNDER_WAY: there are no more sign-ins than that


class ButtonWait:
    def __init__(self):
        self._waiting = {}  # key -> [seconds when it last asked, what came of it]

    def ask(self, key, now_s):
        """Any outcome but WAITING is told once; who asks again begins anew."""
        self._forget(now_s)
        if key not in self._waiting and len(self._waiting) >= MOST:
            return SHARED
        outcome = self._waiting.pop(key, (0, WAITING))[1]
        if outcome == WAITING:
            self._waiting[key] = [now_s, WAITING]
        return outcome

    def pressed(self, now_s, is_held_back):
        self._forget(now_s)
        outcome = HELD_BACK if is_held_back else ADMITTED if len(self._waiting) == 1 else SHARED
        for entry in self._waiting.values():
            entry[1] = outcome
        return outcome == ADMITTED and len(self._waiting) == 1

    def clear(self):
        self._waiting = {}

    def _forget(self, now_s):
        for key in list(self._waiting):
            if now_s - self._waiting[key][0] > HEARD_S:
                del self._waiting[key]
