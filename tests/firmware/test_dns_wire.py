import unittest

from gatelodge.contract.errors import ValueRangeError
from gatelodge.core import dns_wire
from gatelodge.core.dns_wire import DnsError, NotOurs

ID = 0x1234
HOST = "cloud.example"
QUESTION = b"\x05cloud\x07example\x00\x00\x01\x00\x01"
TO_QUESTION = b"\xc0\x0c"  # a pointer to the question's name
ADDRESS = b"\xc0\x00\x02\x07"  # 192.0.2.7


def record(owner, kind, data, ttl=300, class_=1):
    fields = kind.to_bytes(2, "big") + class_.to_bytes(2, "big") + ttl.to_bytes(4, "big")
    return owner + fields + len(data).to_bytes(2, "big") + data


def packet(*records, flags=0x8180, question=QUESTION, query_id=ID, questions=1):
    counts = questions.to_bytes(2, "big") + len(records).to_bytes(2, "big") + b"\0\0\0\0"
    return query_id.to_bytes(2, "big") + flags.to_bytes(2, "big") + counts + question + b"".join(records)


class DnsWireTest(unittest.TestCase):
    def refusal(self, data, host=HOST):
        with self.assertRaises(DnsError) as caught:
            dns_wire.parse_answer(data, ID, host)
        return caught.exception

    def test_a_question_is_written(self):
        self.assertEqual(dns_wire.query(ID, HOST), b"\x12\x34\x01\x00\x00\x01\0\0\0\0\0\0" + QUESTION)
        self.assertEqual(dns_wire.query(ID, "Cloud.Example."), dns_wire.query(ID, HOST))

    def test_what_is_no_name_is_refused(self):
        for host in ("", ".", "a..b", "a b", "x" * 64, ".".join(["x" * 60] * 5), "caf\u00e9", "a\x00b"):
            with self.assertRaises(ValueRangeError):
                dns_wire.query(ID, host)

    def test_an_address_is_read(self):
        data = packet(record(TO_QUESTION, 1, ADDRESS))
        self.assertEqual(dns_wire.parse_answer(data, ID, HOST), (["192.0.2.7"], 300))

    def test_several_addresses_keep_their_order_and_the_shortest_time(self):
        data = packet(record(TO_QUESTION, 1, ADDRESS, 60), record(TO_QUESTION, 1, b"\x7f\0\0\x01", 30))
        self.assertEqual(dns_wire.parse_answer(data, ID, HOST), (["192.0.2.7", "127.0.0.1"], 30))

    def test_an_alias_is_followed(self):
        alias = b"\x04edge\xc0\x12"  # edge.example: the pointer is to "example" in the question
        data = packet(record(TO_QUESTION, 5, alias, 10), record(b"\x04EDGE\x07Example\0", 1, ADDRESS))
        self.assertEqual(dns_wire.parse_answer(data, ID, HOST), (["192.0.2.7"], 10))

    def test_the_address_of_another_name_is_not_taken(self):
        data = packet(record(b"\x05other\xc0\x12", 1, ADDRESS))
        self.assertEqual(str(self.refusal(data)), "cloud.example has no IPv4 address")

    def test_other_types_and_classes_are_passed_over(self):
        others = (record(TO_QUESTION, 28, bytes(16)), record(TO_QUESTION, 1, ADDRESS, class_=3))
        data = packet(others[0], others[1], record(TO_QUESTION, 1, ADDRESS))
        self.assertEqual(dns_wire.parse_answer(data, ID, HOST)[0], ["192.0.2.7"])

    def test_what_does_not_answer_our_question_is_not_ours(self):
        fit = record(TO_QUESTION, 1, ADDRESS)
        not_ours = (
            packet(fit, query_id=ID + 1),
            packet(fit, flags=0x0100),
            packet(fit, flags=0xA180),
            packet(fit, questions=2),
            packet(fit, question=b"\x04evil\x07example\x00\x00\x01\x00\x01"),
            packet(fit, question=QUESTION[:-1] + b"\x03"),
            b"\x12\x34",
            b"",
        )
        for data in not_ours:
            self.assertIsInstance(self.refusal(data), NotOurs)

    def test_a_name_that_does_not_exist_is_final(self):
        error = self.refusal(packet(flags=0x8183))
        self.assertEqual((str(error), error.is_final), ("the name cloud.example does not exist", True))

    def test_a_server_that_fails_is_not_final(self):
        self.assertFalse(self.refusal(packet(flags=0x8182)).is_final)

    def test_a_time_with_the_highest_bit_is_none(self):
        data = packet(record(TO_QUESTION, 1, ADDRESS, ttl=0x80000001))
        self.assertEqual(dns_wire.parse_answer(data, ID, HOST)[1], 0)

    def test_a_long_time_is_cut(self):
        data = packet(record(TO_QUESTION, 1, ADDRESS, ttl=0x7FFFFFFF))
        self.assertEqual(dns_wire.parse_answer(data, ID, HOST)[1], dns_wire.LONGEST_TTL_S)

    def test_an_answer_cut_at_any_point_is_refused(self):
        whole = packet(record(TO_QUESTION, 1, ADDRESS))
        for length in range(len(whole)):
            self.refusal(whole[:length])

    def test_compression_that_runs_in_a_circle_is_refused(self):
        here = 12 + len(QUESTION)
        for pointer in (here, here + 2, 0, 0x3FFF):
            owner = (0xC000 | pointer).to_bytes(2, "big")
            self.assertIn("point back", str(self.refusal(packet(record(owner, 1, ADDRESS)))))

    def test_a_long_chain_of_pointers_is_refused(self):
        data = packet() + TO_QUESTION  # each of the next pointers points to the one before it
        for _ in range(dns_wire.POINTER_LIMIT):
            data += (0xC000 | (len(data) - 2)).to_bytes(2, "big")
        self.assertEqual(dns_wire.read_name(data, len(data) - 4)[0], b"\x05cloud\x07example\0")
        with self.assertRaises(DnsError):
            dns_wire.read_name(data, len(data) - 2)

    def test_reserved_label_lengths_are_refused(self):
        for first in (0x40, 0x80):
            data = packet(record(bytes([first]) + bytes(200), 1, ADDRESS))
            self.assertIn("reserved", str(self.refusal(data)))

    def test_a_name_that_grows_by_pointers_is_refused(self):
        long = (b"\x3f" + b"a" * 63) * 4 + b"\0"
        with self.assertRaises(DnsError):
            dns_wire.read_name(bytes(12) + long, 12)


if __name__ == "__main__":
    unittest.main()
