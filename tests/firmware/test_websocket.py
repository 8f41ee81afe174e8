import unittest

from gatelodge.core import websocket as ws
from gatelodge.core.websocket import CLOSE, OPENED, PING, PONG, TEXT, WebSocket, WebSocketError

# The example of RFC 6455 section 1.3: "the sample nonce" and what the server makes of it.
NONCE = b"the sample nonce"
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
ANSWER = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: " + ACCEPT + "\r\nSec-WebSocket-Protocol: gatelodge.1\r\n\r\n"
).encode()
MASK = b"\x37\xfa\x21\x3d"  # of the examples in section 5.7
LIMIT = 1000


def requested():
    websocket = WebSocket(NONCE, LIMIT)
    websocket.request("cloud.example", "/link", "gatelodge.1")
    return websocket


def opened():
    websocket = requested()
    websocket.receive(ANSWER)
    return websocket


def server_frame(opcode, payload, final=True):
    """A server's frame: as ours, but not masked."""
    length = len(payload)
    short = bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big")
    return bytes([(0x80 if final else 0) | opcode]) + short + payload


# Everything that a server may send, and what it means.
STREAM = b"".join(
    (
        ANSWER,
        server_frame(1, b"Hello"),
        server_frame(1, b"Hel", final=False),
        server_frame(9, b"are you there?"),
        server_frame(0, b"", final=False),
        server_frame(0, b"lo"),
        server_frame(1, b"x" * 126),
        server_frame(10, b""),
        server_frame(1, "K\u00f6ln".encode()),
        server_frame(8, b"\x03\xe9bye"),
        b"after a close nothing is read",
    )
)
EVENTS = [
    (OPENED, None),
    (TEXT, "Hello"),
    (PING, b"are you there?"),
    (TEXT, "Hello"),
    (TEXT, "x" * 126),
    (PONG, b""),
    (TEXT, "K\u00f6ln"),
    (CLOSE, (1001, "bye")),
]


class HandshakeTest(unittest.TestCase):
    def refusal(self, answer):
        with self.assertRaises(WebSocketError) as caught:
            requested().receive(answer)
        return caught.exception

    def test_the_request_is_the_one_of_section_1_3(self):
        request = WebSocket(NONCE, LIMIT).request("cloud.example:81", "/link", "gatelodge.1").decode()
        self.assertTrue(request.startswith("GET /link HTTP/1.1\r\nHost: cloud.example:81\r\n"))
        self.assertIn("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", request)
        self.assertTrue(request.endswith("\r\n\r\n"))

    def test_the_answer_to_our_key_opens(self):
        self.assertEqual(requested().receive(ANSWER), [(OPENED, None)])

    def test_an_answer_of_just_the_limit_opens_however_it_is_cut(self):
        answer = ANSWER[:-4] + b"\r\nX: "
        answer += b"x" * (ws.HEAD_LIMIT - len(answer)) + b"\r\n\r\n"
        for cut in range(len(answer) - 8, len(answer) + 1):
            websocket = requested()
            events = websocket.receive(answer[:cut]) + websocket.receive(answer[cut:])
            self.assertEqual((cut, events), (cut, [(OPENED, None)]))
        with self.assertRaises(WebSocketError):
            requested().receive(answer.replace(b"X: ", b"X: x"))

    def test_headers_are_read_in_any_case_and_order(self):
        lines = ANSWER[:-4].split(b"\r\n")
        lines[1:] = [line.replace(b"Sec-Web", b"sec-wEB") for line in lines[:0:-1]]
        self.assertEqual(requested().receive(b"\r\n".join(lines) + b"\r\n\r\n"), [(OPENED, None)])

    def test_the_answer_to_another_key_is_refused(self):
        websocket = WebSocket(b"another nonce...", LIMIT)
        websocket.request("cloud.example", "/link", "gatelodge.1")
        with self.assertRaises(WebSocketError):
            websocket.receive(ANSWER)

    def test_a_refusal_tells_the_status(self):
        error = self.refusal(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        self.assertEqual(error.status, "403")
        self.assertEqual(str(error), "the cloud answered 403 instead of opening the link")

    def test_each_missing_header_is_refused(self):
        lines = ANSWER[:-4].split(b"\r\n")
        for left_out in range(1, len(lines)):
            rest = b"\r\n".join(lines[:left_out] + lines[left_out + 1 :])
            self.assertIn("the cloud", str(self.refusal(rest + b"\r\n\r\n")))

    def test_another_protocol_version_is_refused(self):
        self.assertIn("gatelodge.1", str(self.refusal(ANSWER.replace(b"gatelodge.1", b"gatelodge.2"))))

    def test_an_extension_that_was_not_offered_is_refused(self):
        extended = ANSWER[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        self.assertIn("extension", str(self.refusal(extended)))

    def test_an_endless_answer_is_refused(self):
        self.assertIn("longer", str(self.refusal(b"HTTP/1.1 101 " + b"x" * ws.HEAD_LIMIT)))

    def test_what_is_no_http_is_refused(self):
        for answer in (b"\r\n\r\n", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 101 OK\r\nno colon\r\n\r\n"):
            self.assertIsInstance(self.refusal(answer), WebSocketError)


class FramesTest(unittest.TestCase):
    def refusal(self, data):
        with self.assertRaises(WebSocketError) as caught:
            opened().receive(data)
        return caught.exception.close_code

    def test_a_stream_is_read_whole(self):
        self.assertEqual(requested().receive(STREAM), EVENTS)

    def test_a_stream_is_read_byte_by_byte(self):
        websocket, events = requested(), []
        for at in range(len(STREAM)):
            events += websocket.receive(STREAM[at : at + 1])
        self.assertEqual(events, EVENTS)

    def test_a_stream_is_read_cut_at_every_point(self):
        for at in range(len(STREAM) + 1):
            websocket = requested()
            self.assertEqual(websocket.receive(STREAM[:at]) + websocket.receive(STREAM[at:]), EVENTS)

    def test_our_text_is_masked_as_in_section_5_7(self):
        self.assertEqual(opened().text("Hello", MASK), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")

    def test_lengths_are_written_in_the_shortest_way(self):
        long = b"\x81\xff" + (65536).to_bytes(8, "big")
        for length, header in ((125, b"\x81\xfd"), (126, b"\x81\xfe\0\x7e"), (65536, long)):
            written = ws.frame(1, b"a" * length, b"\0\0\0\0")
            self.assertEqual(written, header + b"\0\0\0\0" + b"a" * length)

    def test_masking_twice_gives_the_payload_back(self):
        for length in range(9):
            payload = bytes(range(length))
            self.assertEqual(ws.mask(ws.mask(payload, MASK), MASK), payload)

    def test_control_frames_are_written(self):
        zero = b"\0\0\0\0"
        self.assertEqual(opened().ping(b"a", zero), b"\x89\x81" + zero + b"a")
        self.assertEqual(opened().pong(b"", zero), b"\x8a\x80" + zero)
        self.assertEqual(opened().close(1000, zero), b"\x88\x82" + zero + b"\x03\xe8")

    def test_a_close_without_a_code_is_a_close(self):
        self.assertEqual(opened().receive(b"\x88\x00"), [(CLOSE, (ws.NO_CODE, ""))])

    def test_what_section_5_forbids_is_a_protocol_error(self):
        forbidden = {
            "masked": b"\x81\x85" + MASK + b"\x7f\x9f\x4d\x51\x58",
            "reserved bit": b"\xc1\x00",
            "reserved opcode": b"\x83\x00",
            "fragmented control": b"\x09\x00",
            "long control": b"\x89\x7e\x00\x7e" + b"a" * 126,
            "long way to write a length": b"\x81\x7e\x00\x05Hello",
            "even longer way": b"\x81\x7f" + (200).to_bytes(8, "big"),
            "continuation of nothing": b"\x80\x00",
            "message inside a message": b"\x01\x00\x81\x00",
            "half a close code": b"\x88\x01\x03",
            "close code that is never sent": b"\x88\x02\x03\xed",
        }
        for name in forbidden:
            self.assertEqual((name, self.refusal(forbidden[name])), (name, ws.PROTOCOL_ERROR))

    def test_a_binary_message_is_not_supported(self):
        self.assertEqual(self.refusal(b"\x82\x00"), ws.UNSUPPORTED)

    def test_a_text_that_is_not_utf8_is_refused(self):
        self.assertEqual(self.refusal(server_frame(1, b"\xff\xfe")), ws.NOT_UTF8)

    def test_a_long_message_is_refused_by_its_header(self):
        self.assertEqual(opened().receive(server_frame(1, b"a" * LIMIT)), [(TEXT, "a" * LIMIT)])
        self.assertEqual(self.refusal(b"\x81\x7e" + (LIMIT + 1).to_bytes(2, "big")), ws.TOO_BIG)
        self.assertEqual(self.refusal(b"\x81\x7f" + b"\xff" * 8), ws.TOO_BIG)

    def test_a_long_message_in_short_fragments_is_refused(self):
        data = server_frame(1, b"a" * 600, final=False) + server_frame(0, b"a" * 401, final=False)
        self.assertEqual(self.refusal(data), ws.TOO_BIG)


if __name__ == "__main__":
    unittest.main()
