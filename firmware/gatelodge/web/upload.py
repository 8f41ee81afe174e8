"""The body of a request that is too large for the heap: its handler reads it, once the guards have passed.

    piece = await visit.request.body.piece()      # b"" at its end

Each piece has a deadline, and so has the whole. What the handler leaves is passed over before the answer.
"""

from gatelodge import compat, log
from gatelodge.contract.errors import LineError
from gatelodge.web import wire
from gatelodge.web.wire import Refusal

PIECE = 2048  # bytes
PIECE_MS = 10_000  # without any progress
WHOLE_MS = 600_000  # 4 MB at the speed of the poorest Wi-Fi, 60 kbit/s


class Upload:
    """connection: server.Connection. expects_continue: whether the client waits for our word (RFC 9110
    section 10.1.1): it is told only when the handler asks for the first piece."""

    def __init__(self, connection, length, expects_continue):
        self.length = length
        self.left = length
        self._connection = connection
        self._waits = expects_continue and length > 0
        self._until_ms = None

    async def piece(self):
        """Refusal where it does not come in time, or ends too early."""
        if not self.left:
            return b""
        now = compat.monotonic_ms()
        if self._until_ms is None:
            self._until_ms = now + WHOLE_MS
            self._connection.stream.yields_since_ms = None  # an owner's upload is ended for no stranger
        if self._waits:
            self._waits = False
            await self._connection.write(wire.CONTINUE)
        try:
            came = await self._connection.piece(min(PIECE, self.left), min(self._until_ms, now + PIECE_MS))
        except LineError:
            raise Refusal(400, "The upload was cut off.")
        self.left -= len(came)
        return came

    async def finish(self):
        """Pass over what is left, within reason. False when the connection cannot go on."""
        if not self.left:
            return True
        try:
            if not self._waits:
                await self._connection.drain(self.left)
        except Refusal as refusal:  # it does not come: the answer waits for it no longer
            log.debug("web", "what was left of an upload: %s", refusal)
        return False
