import asyncio
import binascii
import socket
import sys
import unittest

from gatelodge import compat
from gatelodge.compat import json


class JsonTest(unittest.TestCase):
    def test_keys_are_sorted_and_nothing_is_spaced(self):
        self.assertEqual(
            json.dumps({"b": [1, (2, None)], "a": {"d": True, "c": False}}),
            '{"a":{"c":false,"d":true},"b":[1,[2,null]]}',
        )

    def test_controls_are_escaped_and_other_text_is_as_it_is(self):
        self.assertEqual(
            json.dumps('\x00\x08\x0c\x1f\n\r\t"\\/\x7f\xe9\u2028\U0001f600'),
            '"\\u0000\\u0008\\u000c\\u001f\\n\\r\\t\\"\\\\/\x7f\xe9\u2028\U0001f600"',
        )

    def test_every_declared_float_has_its_one_spelling(self):
        rows = (
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (0.1, "0.1"),
            (1 / 3, "0.33333333333333"),
            (2 / 3, "0.66666666666667"),
            (1795281600.25, "1795281600.25"),
            (9007199254740991.0, "9007199254740991.0"),
            (1e22, "1e22"),
            (1.5e300, "1.5e300"),
            (1e-5, "0.00001"),
            (1.25e-7, "1.25e-7"),
            (99999999999999.96, "100000000000000.0"),
            (0.00012345, "0.00012345"),
            (123456.789, "123456.789"),
        )
        for value, text in rows:
            self.assertEqual(json.dumps(value), text)

    def test_a_float_that_was_read_back_is_written_the_same(self):
        value = 0.7
        for _ in range(300):
            value = value * 1.37 + 0.001 if value < 1e12 else value / 3e19
            text = json.dumps(value)
            again = json.loads(text)
            self.assertEqual(json.dumps(again), text)
            self.assertLessEqual(abs(again - value), abs(value) * 1e-13)

    def test_what_json_cannot_say_is_refused(self):
        for value, error in (
            (float("nan"), ValueError),
            (float("inf"), ValueError),
            (b"bytes", TypeError),
            ({1: 2}, TypeError),
            ({1, 2}, TypeError),
            (object(), TypeError),
        ):
            with self.assertRaises(error):
                json.dumps(value)

    def test_what_is_encoded_for_the_moment_reads_the_same_whatever_was_before(self):
        long = {"text": "\xe9\"\\\n" * 2000, "list": [1, 2.5, None, True, {"x": []}]}
        for value in (long, {"a": 1}, {}, long, {"text": "\xe9"}):
            self.assertEqual(json.loads(json.encoded(value)), value)

    def test_large_whole_numbers_survive(self):
        self.assertEqual(json.loads(json.dumps([2**70, -1])), [2**70, -1])

    def test_escaped_surrogate_pairs_become_one_character(self):
        self.assertEqual(
            json.loads('["\\ud83d\\uDE00!","\\\\ud83d","\\u00e9"]'), ["\U0001f600!", "\\ud83d", "\xe9"]
        )

    def test_half_a_pair_is_refused(self):
        for text in ('"\\ud83d"', '"\\ude00"', '"\\ud83d\\u0041"', '"\\ud83dxxde00"', '"\\ud83d\\uzzzz"'):
            with self.assertRaises(ValueError):
                json.loads(text)

    def test_broken_texts_are_value_errors(self):
        for text in (
            "",
            "nul",
            "NaN",
            '"open',
            b'"\xff"',
            "{} x",
            "1,2",
            "[]]",
            "{}}",
            "[]],[[]",
            "1 2",
            "[1,[2]",
        ):
            with self.assertRaises(ValueError):
                json.loads(text)

    def test_a_text_that_was_cut_anywhere_is_refused(self):
        text = '{"a":[1,{"b":"c"},null],"d":{"e":[]}}'
        for length in range(len(text)):
            with self.assertRaises(ValueError):
                json.loads(text[:length])

    def test_bytes_and_text_read_the_same(self):
        self.assertEqual(json.loads('{"a":"\xe9"}'.encode()), json.loads('{"a":"\xe9"}'))


class HashTest(unittest.TestCase):
    def test_hmac_sha1_gives_rfc_2202_case_2_and_6(self):
        self.assertEqual(
            binascii.hexlify(compat.hmac_sha1(b"Jefe", b"what do ya want for nothing?")),
            b"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        )
        self.assertEqual(
            binascii.hexlify(
                compat.hmac_sha1(b"\xaa" * 80, b"Test Using Larger Than Block-Size Key - Hash Key First")
            ),
            b"aa4ae5e15272d00e95705637ce8a3b55ed402112",
        )

    def test_hmac_sha256_gives_rfc_4231_case_2(self):
        self.assertEqual(
            binascii.hexlify(compat.hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        )

    def test_pbkdf2_gives_rfc_7914_section_11(self):
        self.assertEqual(
            binascii.hexlify(compat.pbkdf2_sha256(b"passwd", b"salt", 1, 64)),
            b"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            b"49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
        )

    def test_plain_python_gives_what_the_platform_gives(self):
        key, message = b"k" * 70, b"m" * 200
        self.assertEqual(compat._python_hmac_sha1(key, message), compat.hmac_sha1(key, message))
        self.assertEqual(compat._python_hmac_sha256(key, message), compat.hmac_sha256(key, message))
        self.assertEqual(
            compat._python_pbkdf2_sha256(key, b"salt", 3, 50), compat.pbkdf2_sha256(key, b"salt", 3, 50)
        )

    def test_digests_are_those_of_the_empty_message(self):
        self.assertEqual(binascii.hexlify(compat.sha1(b"")), b"da39a3ee5e6b4b0d3255bfef95601890afd80709")
        self.assertEqual(compat.sha256(b"")[:4], b"\xe3\xb0\xc4\x42")

    def test_equality_needs_every_byte_and_the_length(self):
        self.assertTrue(compat.constant_time_equal(b"abc", b"abc"))
        for other in (b"abd", b"ab", b"abcd", b""):
            self.assertFalse(compat.constant_time_equal(b"abc", other))


class LockedHeapTest(unittest.TestCase):
    def setUp(self):
        self.ended = [None]
        self.before, compat._end = compat._end, self.end

    def tearDown(self):
        compat._end = self.before

    def end(self, code):
        self.ended[0] = code

    def test_a_process_that_gets_no_memory_though_there_is_some_ends(self):
        if not compat.MICROPYTHON:
            return  # CPython's heap has no lock
        import micropython

        micropython.heap_lock()
        try:
            compat.end_where_heap_is_locked()
        finally:
            micropython.heap_unlock()
        self.assertEqual(self.ended, [1])

    def test_a_process_that_gets_memory_goes_on(self):
        compat.end_where_heap_is_locked()
        self.assertEqual(self.ended, [None])


class TimeAndEntropyTest(unittest.TestCase):
    def test_the_monotonic_clock_counts_whole_milliseconds_forward(self):
        first = compat.monotonic_ms()
        self.assertIsInstance(first, int)
        self.assertGreaterEqual(compat.monotonic_ms(), first)

    def test_entropy_has_the_length_asked_for_and_differs(self):
        self.assertEqual(len(compat.entropy(16)), 16)
        self.assertNotEqual(compat.entropy(16), compat.entropy(16))


class FileTest(unittest.TestCase):
    def test_what_was_dropped_from_memory_is_read_from_the_flash_again(self):
        path = "/tmp/compat-" + compat.entropy(6).hex()
        with open(path, "wb") as file:
            file.write(b"kept")
            compat.sync_file(file)
        self.assertTrue(compat.drop_cached(path))
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"kept")
        compat.remove(path)


class SocketTest(unittest.TestCase):
    def test_a_socket_wakes_its_waiter_once_there_is_something_to_read(self):
        async def scene():
            ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            ours.bind(socket.getaddrinfo("127.0.0.1", 32123)[0][-1])
            ours.setblocking(False)
            seen = []

            async def wait():
                await compat.wait_readable(ours)
                seen.append(ours.recv(10))

            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0)
            before = list(seen)
            await compat.wait_writable(ours)
            ours.sendto(b"ping", socket.getaddrinfo("127.0.0.1", 32123)[0][-1])
            await waiting
            ours.close()
            return before, seen

        self.assertEqual(asyncio.run(scene()), ([], [b"ping"]))


class ModulesTest(unittest.TestCase):
    def test_what_was_unloaded_is_loaded_anew(self):
        name = "gatelodge.core.discretion"
        __import__(name)
        was = sys.modules[name]
        compat.unload((name, "gatelodge.core.never_loaded"))
        self.assertFalse(name in sys.modules)
        __import__(name)
        self.assertFalse(sys.modules[name] is was)


if __name__ == "__main__":
    unittest.main()
