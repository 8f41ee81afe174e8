"""The phone-home link as one state machine without I/O, used by both ends.

    link = Link(ROUTER, now_ms)           # a WebSocket has just opened
    link.send(message, now_ms)            # -> the checked message, to be encoded and written
    link.receive(message, now_ms)         # -> the checked message, or None when the link is closed
    link.next_deadline                    # when to call `due`, in ms
    link.due(now_ms)                      # -> HEARTBEAT_DUE, SILENCE or None

Both ends see one conversation, so both read one table; only the fault differs. What we may not
send is a StateError (ours), what they may not send is a MessageError (theirs). now_ms is any clock
that never steps.
"""

from gatelodge.contract import messages
from gatelodge.contract.errors import MessageError, StateError
from gatelodge.contract.messages import BOTH, CLOUD, ROUTER

GREETING = "greeting"  # the cloud waits for hello
WELCOMING = "welcoming"  # the router waits for welcome
OPEN = "open"
CLOSED = "closed"  # by a goodbye or by silence: what still arrives was sent before they knew, and is dropped

HEARTBEAT_DUE = "heartbeat due"  # send a heartbeat now
SILENCE = "silence"  # the other end missed its deadline; the link is closed, close the connection

# Ten seconds are three TCP retransmissions of a hello over a bad line, and short enough that
# connections which say nothing do not pile up at the cloud.
GREETING_MS = 10_000
# Two heartbeats (or their answers) in a row may be lost or late before the line counts as dead.
SILENCE_INTERVALS = 2.5

# (who sends, state, type) -> next state. A missing key is the error.
TRANSITIONS = {
    (ROUTER, GREETING, "hello"): WELCOMING,
    (CLOUD, WELCOMING, "welcome"): OPEN,
    (ROUTER, OPEN, "heartbeat"): OPEN,
    (CLOUD, OPEN, "heartbeat_ack"): OPEN,
    (CLOUD, OPEN, "command"): OPEN,
    (ROUTER, OPEN, "accepted"): OPEN,
    (ROUTER, OPEN, "result"): OPEN,
    (CLOUD, OPEN, "result_ack"): OPEN,
    (ROUTER, OPEN, "claim_answer"): OPEN,
    (CLOUD, OPEN, "claim_answer_ack"): OPEN,
    (CLOUD, OPEN, "owner"): OPEN,
    (ROUTER, OPEN, "release"): OPEN,
    (CLOUD, OPEN, "release_ack"): OPEN,
    (ROUTER, OPEN, "notice"): OPEN,
    (CLOUD, OPEN, "notice_ack"): OPEN,
    (ROUTER, OPEN, "invite"): OPEN,
    (CLOUD, OPEN, "invitation"): OPEN,
    (ROUTER, OPEN, "uninvite"): OPEN,
    (ROUTER, OPEN, "report"): OPEN,
}
TRANSITIONS.update({(who, state, "goodbye"): CLOSED for who in BOTH for state in (GREETING, WELCOMING, OPEN)})


class Link:
    def __init__(self, role, now_ms):
        self.role = role
        self.their_role = CLOUD if role == ROUTER else ROUTER
        self.state = GREETING
        self.heartbeat_ms = None  # from the welcome
        self._silence_at = now_ms + GREETING_MS
        self._heartbeat_at = None
        self._seq = 0  # of the last heartbeat, sent or received

    @property
    def next_deadline(self):
        """The moment, in ms, at which `due` has something to say. None when closed."""
        if self.state == CLOSED:
            return None
        if self._heartbeat_at is None:
            return self._silence_at
        return min(self._silence_at, self._heartbeat_at)

    def due(self, now_ms):
        """What is due at now_ms. SILENCE closes the link."""
        if self.state == CLOSED:
            return None
        if now_ms >= self._silence_at:
            self.state = CLOSED
            return SILENCE
        if self._heartbeat_at is not None and now_ms >= self._heartbeat_at:
            return HEARTBEAT_DUE
        return None

    def heartbeat(self, facts, now_ms):
        """The next heartbeat, made of {uptime_s, load, memory_free_kb, wan_up}."""
        message = {"type": "heartbeat", "seq": self._seq + 1}
        message.update(facts)
        return self.send(message, now_ms)

    def send(self, message, now_ms):
        """The message as its row has it. Raises StateError when it has no place now, else MessageError."""
        message = messages.check(message, self.role)
        key = (self.role, self.state, message["type"])
        if key not in TRANSITIONS:
            raise StateError("%s has no place on a link that is %s" % (message["type"], self.state))
        self._enter(TRANSITIONS[key], message, now_ms)
        return message

    def receive(self, message, now_ms):
        """The message as its row has it, or None on a closed link. Raises MessageError."""
        if self.state == CLOSED:
            return None
        message = messages.check(message, self.their_role)
        key = (self.their_role, self.state, message["type"])
        if key not in TRANSITIONS:
            raise MessageError("%s came on a link that is %s" % (message["type"], self.state))
        self._check_sequence(message)
        self._enter(TRANSITIONS[key], message, now_ms)
        self._heard(now_ms)
        return message

    def _check_sequence(self, message):
        kind = message["type"]
        if kind == "heartbeat" and message["seq"] <= self._seq:
            raise MessageError("heartbeat %d came after %d" % (message["seq"], self._seq))
        if kind == "heartbeat_ack" and message["seq"] > self._seq:
            raise MessageError("heartbeat %d was acknowledged but never sent" % message["seq"])

    def _enter(self, state, message, now_ms):
        """Takes the transition, whoever caused it: both ends keep the same times."""
        if message["type"] == "hello":
            self._silence_at = now_ms + GREETING_MS  # for the welcome
        elif message["type"] == "welcome":
            self._open(message["heartbeat_s"] * 1000, now_ms)
        elif message["type"] == "heartbeat":
            self._seq = message["seq"]
            if self.role == ROUTER:
                self._heartbeat_at = now_ms + self.heartbeat_ms
        self.state = state

    def _open(self, heartbeat_ms, now_ms):
        self.heartbeat_ms = heartbeat_ms
        self._heard(now_ms)
        if self.role == ROUTER:
            self._heartbeat_at = now_ms  # the first one at once: the portal has something to show

    def _heard(self, now_ms):
        if self.heartbeat_ms is not None:
            self._silence_at = now_ms + int(self.heartbeat_ms * SILENCE_INTERVALS)
