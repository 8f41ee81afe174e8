import unittest

from gatelodge import log
from gatelodge.web import log_lines

LINES = [
    "2026-11-21T17:20:00Z info link: the cloud said welcome",
    "2026-11-21T17:20:01Z debug web: GET /",
    "2026-11-21T17:20:02Z warning clock: WELCOME is late",
    "2026-11-21T17:20:03Z error daemon: | Traceback",
    "no line of ours",
]


class TestLogLines(unittest.TestCase):
    def test_a_line_has_its_time_its_level_and_the_rest(self):
        found = log_lines.parts(LINES[0])
        self.assertEqual(found, ("2026-11-21 17:20:00", "info", "link: the cloud said welcome"))
        self.assertEqual(log_lines.parts(LINES[4]), ("", "", LINES[4]))
        self.assertEqual(log_lines.parts(""), ("", "", ""))

    def test_what_the_log_writes_is_what_is_read(self):
        log.configure("/dev/null", lambda: 1795281600)
        log.warning("area", "%s words", 3)
        log.configure()
        found = log_lines.parts(log.lines()[-1])
        self.assertEqual(found, ("2026-11-21 17:20:00", "warning", "area: 3 words"))

    def test_a_level_takes_those_above_it_along(self):
        for least, count in (("debug", 4), ("info", 3), ("warning", 2), ("error", 1)):
            self.assertEqual(len(log_lines.matching(LINES, least, "")), count)

    def test_an_unknown_level_takes_every_line(self):
        for least in ("", "DEBUG", "fatal", "x" * 1000):
            self.assertEqual(log_lines.matching(LINES, least, ""), LINES)

    def test_words_are_looked_for_in_any_case_and_are_no_pattern(self):
        self.assertEqual(log_lines.matching(LINES, "", "Welcome"), [LINES[0], LINES[2]])
        self.assertEqual(log_lines.matching(LINES, "", ".*"), [])
        self.assertEqual(log_lines.matching(LINES, "warning", "welcome"), [LINES[2]])

    def test_the_newest_that_fit_are_kept_whole(self):
        lines = ["one", "zwölf", "three"]
        for most, kept in ((0, 0), (5, 0), (6, 1), (12, 1), (13, 2), (16, 2), (17, 3), (999, 3)):
            self.assertEqual(log_lines.newest(lines, most), lines[3 - kept :])


if __name__ == "__main__":
    unittest.main()
