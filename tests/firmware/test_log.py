import os
import unittest

from gatelodge import compat, log

PATH = "/tmp/gatelodge-test-log-" + compat.entropy(4).hex()


class LogTest(unittest.TestCase):
    def setUp(self):
        log.configure(PATH, now=lambda: 1795281600)

    def tearDown(self):
        log.configure()
        for path in (PATH, PATH + ".1"):
            if compat.exists(path):
                os.remove(path)

    def written(self):
        with open(PATH) as file:
            return file.read()

    def test_a_line_tells_time_level_area_and_text(self):
        log.info("link", "%s after %d s", "back", 3)
        self.assertEqual(self.written(), "2026-11-21T17:20:00Z info link: back after 3 s\n")

    def test_a_text_of_a_peer_cannot_forge_a_line(self):
        log.warning("web", "path %s", "/a\n2026 info link: fine\x1b[2J")
        self.assertEqual(self.written().count("\n"), 1)
        self.assertNotIn("\x1b", self.written())

    def test_it_gives_no_order_to_a_terminal_in_its_eight_bit_form_either(self):
        log.warning("web", "%s", "\x85\x9b2J\xe9")  # ECMA-48, section 5.3: C1
        self.assertIn("\\x85\\x9b2J\xe9", log.lines()[-1])

    def test_a_wrong_format_still_logs_what_there_is(self):
        log.error("web", "%d bytes", "many")
        self.assertIn("%d bytes ('many',)", self.written())

    def test_debug_is_silent_unless_asked_for(self):
        log.debug("web", "quiet")
        log.configure(PATH, now=lambda: 0, with_debug=True)
        log.debug("web", "loud")
        self.assertEqual(self.written(), "1970-01-01T00:00:00Z debug web: loud\n")

    def test_memory_keeps_the_last_lines_only(self):
        for number in range(log.KEPT_LINES + 5):
            log.info("test", "%d", number)
        self.assertEqual(len(log.lines()), log.KEPT_LINES)
        self.assertTrue(log.lines()[-1].endswith(f" {log.KEPT_LINES + 4}"))

    def test_long_lines_take_no_more_memory_than_short_ones(self):
        for number in range(200):
            log.info("test", "%d %s", number, "\u20ac" * 600)
        self.assertTrue(sum([len(line.encode()) for line in log.lines()]) <= log.KEPT_BYTES)
        self.assertIn(" 199 ", log.lines()[-1])

    def test_a_file_stays_bounded_and_the_one_before_is_kept(self):
        for number in range(2 * log.MAX_FILE_BYTES // 900):
            log.info("test", "%d %s", number, "x" * 900)
        self.assertLessEqual(os.stat(PATH)[6], log.MAX_FILE_BYTES)
        self.assertLessEqual(os.stat(PATH + ".1")[6], log.MAX_FILE_BYTES)
        self.assertGreater(os.stat(PATH + ".1")[6], log.MAX_FILE_BYTES - 2000)

    def test_a_sink_that_fails_is_counted_and_nothing_is_raised(self):
        log.configure("/nowhere/at/all")
        before = log.failures()
        log.info("test", "lost")
        self.assertEqual(log.failures(), before + 1)
        self.assertTrue(log.lines()[-1].endswith("info test: lost"))

    def test_an_exception_brings_its_traceback_in_lines_of_its_own(self):
        try:
            {}["missing"]
        except KeyError as error:
            log.exception("test", "the lookup failed", error)
        self.assertIn("error test: the lookup failed\n", self.written())
        self.assertIn("error test: | KeyError: ", self.written())


if __name__ == "__main__":
    unittest.main()
