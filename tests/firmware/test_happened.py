import unittest

from gatelodge.core import signin, user_agent
from gatelodge.owner.history import RESULTS
from gatelodge.web import happened


class TestWords(unittest.TestCase):
    def test_every_result_of_the_history_has_its_words(self):
        self.assertEqual(sorted(happened.RESULTS), sorted(RESULTS))

    def test_every_method_of_signing_in_has_its_words(self):
        methods = [getattr(signin, name) for name in dir(signin) if name.startswith("BY_")]
        self.assertEqual(sorted(happened.METHODS), sorted(methods))

    def test_what_a_newer_firmware_wrote_is_shown_as_it_is(self):
        self.assertEqual(happened.result("frobbed"), ("frobbed", happened.CHANGE))
        self.assertEqual((happened.method("by fax"), happened.method("")), ("by fax", ""))

    def test_a_browser_is_named_in_the_readers_language(self):
        english, happened._ = happened._, {"%s on %s": "%s auf %s"}.get
        try:
            names = [user_agent.name(text) for text in ("Firefox/1 Linux", "Firefox/1", "")]
            self.assertEqual([happened.browser(name) for name in names], ["Firefox auf Linux", "Firefox", ""])
        finally:
            happened._ = english



if __name__ == "__main__":
    unittest.main()
