"""The client's end of a WebSocket (RFC 6455) without I/O: bytes in, events out.

    websocket = WebSocket(entropy16, size_limit)
    websocket.request(host, path, subprotocol)   # -> the bytes that open the connection
    websocket.receive(data)                      # -> events, in order; data may be cut anywhere
    websocket.text(message, entropy4)            # -> bytes to write; likewise ping, pong, close

Events: (OPENED, None), (TEXT, str), (PING, payload), (PONG, payload), (CLOSE, (code, reason)). A ping
is to be answered by `pong`, a close by `close` and then by closing the connection. Any fault of
the server raises WebSocketError; its `close_code` is what to close with.

Not here, because both ends of the link are ours: binary messages (refused with 1003), extensions.
"""

import binascii

from gatelodge.compat import constant_time_equal, sha1
from gatelodge.contract.errors import TheirError

OPENED = "opened"
TEXT = "text"
PING = "ping"
PONG = "pong"
CLOSE = "close"

KEY_BYTES = 16  # section 4.1, item 7
MASK_BYTES = 4
HEAD_LIMIT = 4096  # bytes of the server's answer; aiohttp's has about 200
CONTROL_LIMIT = 125  # section 5.5
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3

# Opcodes, section 5.2
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_FIN, _RESERVED, _OPCODE, _CONTROL, _MASK = 0x80, 0x70, 0x0F, 0x08, 0x80

# Close codes, section 7.4.1
NORMAL = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
UNSUPPORTED = 1003
NO_CODE = 1005  # never on the wire: their close frame had no code
NOT_UTF8 = 1007
POLICY = 1008
TOO_BIG = 1009
_CODES_ON_THE_WIRE = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)


class WebSocketError(TheirError):
    """The server broke RFC 6455, or refused the handshake (`status` is then its HTTP status, else None)."""

    def __init__(self, text, close_code=PROTOCOL_ERROR, status=None):
        super().__init__(text)
        self.close_code = close_code
        self.status = status


class WebSocket:
    def __init__(self, entropy16, size_limit):
        """entropy16: 16 random bytes for the handshake's key. size_limit: of one message, in bytes."""
        self.size_limit = size_limit
        self._key = binascii.b2a_base64(entropy16).strip()
        self._subprotocol = None
        self._buffer = b""
        self._fragment = None  # the beginning of a text message in several frames
        self._parse = self._parse_head

    def request(self, host, path, subprotocol):
        """The opening handshake, section 4.1."""
        self._subprotocol = subprotocol
        lines = (
            "GET %s HTTP/1.1" % path,
            "Host: %s" % host,
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: %s" % self._key.decode(),
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: %s" % subprotocol,
            "\r\n",
        )
        return "\r\n".join(lines).encode()

    def receive(self, data):
        """The events that these bytes complete. Raises WebSocketError: close the connection then."""
        self._buffer += data
        events = []  # type: list
        while self._parse(events):
            pass
        return events

    # --- the handshake ---

    def _parse_head(self, events):
        end = self._buffer.find(b"\r\n\r\n")
        # A head of just the limit may come without the last byte of its end.
        if end > HEAD_LIMIT or (end < 0 and len(self._buffer) > HEAD_LIMIT + 3):
            raise WebSocketError("the cloud's handshake is longer than %d bytes" % HEAD_LIMIT)
        if end < 0:
            return False
        check_answer(self._buffer[:end], self._key, self._subprotocol)
        self._buffer = self._buffer[end + 4 :]
        self._parse = self._parse_frame
        events.append((OPENED, None))
        return True

    # --- frames, section 5.2 ---

    def _parse_frame(self, events):
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        opcode = self._check_first_bytes(buffer[0], buffer[1])
        header, length = _length(buffer)
        if length is None:
            return False
        self._check_length(opcode, length)
        if len(buffer) < header + length:
            return False
        self._buffer = buffer[header + length :]
        self._frame(opcode, bool(buffer[0] & _FIN), buffer[header : header + length], events)
        return True

    def _check_first_bytes(self, first, second):
        if first & _RESERVED:
            raise WebSocketError("a frame uses an extension that was not agreed on")
        if second & _MASK:
            raise WebSocketError("a server's frame is masked")  # section 5.1
        opcode = first & _OPCODE
        if opcode == _BINARY:
            raise WebSocketError("a frame is binary", UNSUPPORTED)
        if opcode not in (_CONTINUATION, _TEXT, _CLOSE, _PING, _PONG):
            raise WebSocketError("a frame has the reserved opcode %d" % opcode)
        if opcode & _CONTROL and not first & _FIN:
            raise WebSocketError("a control frame is fragmented")  # section 5.5
        return opcode

    def _check_length(self, opcode, length):
        """Before the payload is waited for: nobody makes us buffer more than the limit."""
        if opcode & _CONTROL:
            if length > CONTROL_LIMIT:
                raise WebSocketError("a control frame has more than %d bytes" % CONTROL_LIMIT)
        elif length + len(self._fragment or b"") > self.size_limit:
            raise WebSocketError("a message has more than %d bytes" % self.size_limit, TOO_BIG)

    def _frame(self, opcode, final, payload, events):
        if opcode == _PING:
            events.append((PING, payload))
        elif opcode == _PONG:
            events.append((PONG, payload))
        elif opcode == _CLOSE:
            events.append((CLOSE, parse_close(payload)))
            self._parse = _nothing  # section 5.5.1: no frame follows a close
        else:
            self._data_frame(opcode, final, payload, events)

    def _data_frame(self, opcode, final, payload, events):
        """Section 5.4: a text frame, then continuations, the last with FIN; control frames between them."""
        if (opcode == _CONTINUATION) != (self._fragment is not None):
            raise WebSocketError("a fragment has no beginning, or a message has no end")
        message = (self._fragment or b"") + payload
        if final:
            events.append((TEXT, utf8(message)))
        self._fragment = None if final else message

    # --- what we send: always masked, in one frame ---

    def text(self, message, entropy4):
        return frame(_TEXT, message.encode(), entropy4)

    def ping(self, payload, entropy4):
        return frame(_PING, payload, entropy4)

    def pong(self, payload, entropy4):
        return frame(_PONG, payload, entropy4)

    def close(self, code, entropy4):
        return frame(_CLOSE, code.to_bytes(2, "big"), entropy4)


def accept_of(key):
    """What the server makes of our base64 key, section 4.2.2, item 5.4."""
    return binascii.b2a_base64(sha1(key + _GUID)).strip()


def check_answer(head, key, subprotocol):
    """Check the server's handshake, section 4.1 (client requirements 1-6). Raises WebSocketError."""
    lines = head.split(b"\r\n")
    status = lines[0].split(b" ")
    if len(status) < 2 or status[0] != b"HTTP/1.1":
        raise WebSocketError("the cloud's answer is not HTTP/1.1")
    if status[1] != b"101":
        code = utf8(status[1][:3])
        raise WebSocketError("the cloud answered %s instead of opening the link" % code, NORMAL, code)
    headers = _headers(lines[1:])
    if headers.get(b"upgrade", b"").lower() != b"websocket":
        raise WebSocketError("the cloud's answer upgrades to no websocket")
    if b"upgrade" not in [item.strip() for item in headers.get(b"connection", b"").lower().split(b",")]:
        raise WebSocketError("the cloud's answer does not upgrade the connection")
    if not constant_time_equal(headers.get(b"sec-websocket-accept", b""), accept_of(key)):
        raise WebSocketError("the cloud's answer is not the one to our key")
    if b"sec-websocket-extensions" in headers:
        raise WebSocketError("the cloud chose an extension that was not offered")
    if headers.get(b"sec-websocket-protocol") != subprotocol.encode():
        raise WebSocketError("the cloud does not speak %s: update the one that is older" % subprotocol)


def _headers(lines):
    headers = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise WebSocketError("a header of the cloud's answer has no colon")
        headers[name.strip().lower()] = value.strip()
    return headers


def _length(buffer):
    """(size of the header, length of the payload), length None as long as it is incomplete."""
    short = buffer[1] & 0x7F
    extended = {126: 2, 127: 8}.get(short, 0)
    if len(buffer) < 2 + extended:
        return 0, None
    if not extended:
        return 2, short
    length = int.from_bytes(buffer[2 : 2 + extended], "big")
    if length < (126 if extended == 2 else 65536):
        raise WebSocketError("a frame's length is not written in the shortest way")
    return 2 + extended, length  # the highest bit must be 0: our limit refuses such a length in any case


def parse_close(payload):
    """(code, reason) of a close frame, section 5.5.1."""
    if not payload:
        return NO_CODE, ""
    if len(payload) == 1:
        raise WebSocketError("a close frame has half a code")
    code = int.from_bytes(payload[:2], "big")
    if code not in _CODES_ON_THE_WIRE and not 3000 <= code <= 4999:
        raise WebSocketError("a close frame has the code %d" % code)
    return code, utf8(payload[2:])


def frame(opcode, payload, entropy4):
    """One masked, final frame, sections 5.2 and 5.3."""
    length = len(payload)
    if length < 126:
        header = bytes([_FIN | opcode, _MASK | length])
    elif length < 65536:
        header = bytes([_FIN | opcode, _MASK | 126]) + length.to_bytes(2, "big")
    else:
        header = bytes([_FIN | opcode, _MASK | 127]) + length.to_bytes(8, "big")
    return header + entropy4 + mask(payload, entropy4)


def mask(payload, entropy4):
    """Section 5.3. As two big numbers: one XOR instead of one for each byte."""
    length = len(payload)
    pattern = (entropy4 * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(length, "big")


def utf8(data):
    try:
        return str(data, "utf-8")
    except UnicodeError:
        raise WebSocketError("a text is not UTF-8", NOT_UTF8)


def _nothing(events):
    return False
