import unittest

from gatelodge.web import message, reply, wire
from gatelodge.web.message import Request, unescaped


def request(target, *fields):
    lines = [b"GET " + target + b" HTTP/1.1", b"Host: gatelodge.home"] + list(fields)
    head = wire.check_head(b"\r\n".join(lines) + b"\r\n\r\n")
    return Request(head, b"", ("192.0.2.7", 50000))


class TestRequest(unittest.TestCase):
    def test_a_header_field_is_found_in_any_case(self):
        headers = request(b"/", b"accept-LANGUAGE:  nl, en;q=0.5 ").headers
        self.assertEqual(headers.get("Accept-Language"), "nl, en;q=0.5")
        self.assertIsNone(headers.get("Origin"))

    def test_cookies_are_taken_apart(self):
        found = request(b"/", b"Cookie: __Host-a=1=2; b ; c=").cookies
        self.assertEqual(found, {"__Host-a": "1=2", "b": "", "c": ""})

    def test_a_space_that_browsers_let_stand_in_a_name_belongs_to_it(self):
        found = request(b"/", "Cookie: a=1;\t__Host-a=2 ;\u00a0__Host-a=3; \u2003__Host-a=4".encode()).cookies
        self.assertEqual(found["__Host-a"], "2")
        self.assertEqual(found["\u2003__Host-a"], "4")

    def test_a_query_is_unescaped_and_its_first_value_counts(self):
        found = request(b"/live?page=a%20b+c&page=other&empty&x=%c3%A9")
        self.assertEqual(found.path, "/live")
        self.assertEqual(found.args, {"page": "a b c", "empty": "", "x": "\xe9"})

    def test_an_escape_that_is_none_is_refused(self):
        for target in (b"/?a=%", b"/?a=%4", b"/?a=%zz", b"/?a=%+1", b"/?a=%-1", b"/?a=%ff"):
            with self.assertRaises(ValueError):
                request(target)

    def test_thousands_of_pairs_are_refused(self):
        with self.assertRaises(ValueError):
            request(b"/?" + b"a&" * (message.MOST_PAIRS + 1))
        self.assertEqual(len(request(b"/?" + b"a&" * 50).args), 1)

    def test_nothing_to_unescape_stays_as_it_is(self):
        self.assertEqual(unescaped("plain"), "plain")


class TestData(unittest.TestCase):
    def test_in_place_it_is_the_same_answer_at_every_length_and_status(self):
        for status in (200, 409):
            for length in list(range(120)) + [480, 505, 506, 507, 508, 600, 99, 100, 10, 9]:
                data = reply.Data(b"x" * length, status)
                self.assertEqual(bytes(data.in_place()), data.as_bytes(True, False), length)


if __name__ == "__main__":
    unittest.main()
