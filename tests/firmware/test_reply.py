import unittest

from gatelodge.compat import json
from gatelodge.web import reply


class Seldom(unittest.TestCase):
    def setUp(self):
        self.seldom = reply.Seldom()

    def test_nothing_is_null(self):
        self.assertEqual(self.seldom.told(None), b"null")

    def test_what_has_changed_is_told_at_once(self):
        for value in ({"state": "online", "owner": None}, {"state": "offline", "owner": None}, None, {}):
            self.assertEqual(json.loads(self.seldom.told(value)), value)

    def test_a_dict_that_was_changed_in_place_has_changed(self):
        value = {"state": "online", "owner": {"name": "Ada"}}
        self.seldom.told(value)
        value["state"] = "offline"
        self.assertEqual(json.loads(self.seldom.told(value))["state"], "offline")
        value["owner"] = {"name": "Eve"}
        self.assertEqual(json.loads(self.seldom.told(value))["owner"]["name"], "Eve")

    def test_an_empty_dict_that_was_filled_has_changed(self):
        value = {}
        self.seldom.told(value)
        value["state"] = "online"
        self.assertEqual(json.loads(self.seldom.told(value)), value)

    def test_what_is_equal_is_not_made_anew(self):
        told = self.seldom.told({"state": "online"})
        self.assertIs(self.seldom.told({"state": "online"}), told)


class After(unittest.TestCase):
    def test_a_beginning_and_its_rest_are_one_object(self):
        answer = reply.data_after(reply.beginning({"a": 1}), b'"b":2}')
        self.assertTrue(answer.as_bytes(True, False).endswith(b'\r\n\r\n{"a":1,"b":2}'))


if __name__ == "__main__":
    unittest.main()
