import unittest

from gatelodge import compat
from gatelodge.core import entropy_health as health


class LongestRun(unittest.TestCase):
    def test_a_run_is_counted_wherever_it_is(self):
        for samples, longest in (
            (b"", 0),
            (b"a", 1),
            (b"aab", 2),
            (b"baaa", 3),
            (b"abab", 1),
            (b"abbbba", 4),
        ):
            self.assertEqual(health.longest_run(samples), longest)

    def test_a_source_that_is_stuck_fails(self):
        self.assertGreaterEqual(health.longest_run(bytes(4096)), health.RUN_CUTOFF)


class Commonest(unittest.TestCase):
    def test_the_first_byte_of_each_whole_window_is_counted(self):
        other = bytes([1]) * (health.WINDOW - 3)
        samples = b"\x07" + other + b"\x07\x07" + bytes(range(256)) * 2 + b"\x09" * 100
        self.assertEqual(health.commonest_of_a_window(samples), 3)

    def test_less_than_a_window_says_nothing(self):
        self.assertEqual(health.commonest_of_a_window(bytes(health.WINDOW - 1)), 0)

    def test_a_source_with_two_bits_in_each_byte_fails(self):
        lame = bytes([byte & 3 for byte in compat.entropy(4096)])
        self.assertGreaterEqual(health.commonest_of_a_window(lame), health.PROPORTION_CUTOFF)


class Good(unittest.TestCase):
    def test_the_systems_source_passes_both(self):
        samples = compat.entropy(4096)
        self.assertLess(health.longest_run(samples), health.RUN_CUTOFF)
        self.assertLess(health.commonest_of_a_window(samples), health.PROPORTION_CUTOFF)


if __name__ == "__main__":
    unittest.main()
