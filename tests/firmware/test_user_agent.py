import unittest

from gatelodge.core import user_agent

REAL = (
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
        "Edge on Windows",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.5 Mobile/15E148 Safari/604.1",
        "Safari on iPhone",
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/126.0.0.0 Mobile Safari/537.36",
        "Chrome on Android",
    ),
    ("curl/7.88.1", "curl"),
)


class TestName(unittest.TestCase):
    def test_browsers_are_called_what_people_call_them(self):
        for text, name in REAL:
            self.assertEqual(user_agent.name(text), name)

    def test_what_tells_nothing_has_no_name(self):
        for text in (None, "", "<script>", "x" * 100000):
            self.assertEqual(user_agent.name(text), "")


if __name__ == "__main__":
    unittest.main()
