import unittest

from gatelodge.core import throttle, totp, two_codes

PHONE = b"12345678901234567890"
TABLET = b"abcdefghijklmnopqrst"
START = 60000000  # the year 2027
DAY = two_codes.DAY_STEPS


def pair(step, secret=PHONE):
    """The code of a step, and the one after it."""
    return totp.hotp(secret, step), totp.hotp(secret, step + 1)


def searched(first, second, hint=None, keys=((PHONE, totp.NEVER),), slices=400):
    """(the finished search, how many slices it took). Ends early: the whole window takes minutes."""
    search = two_codes.Search(keys, first, second, START, hint)
    taken = 1
    while search.next_slice() and taken < slices:
        taken += 1
    return search, taken


class TestSearch(unittest.TestCase):
    def test_a_pair_is_found_wherever_it_stands_and_ends_at_the_second_code(self):
        for ahead in (0, 1, 2, 511, 512, 513, 5000, DAY + 1):
            search, _ = searched(*pair(START + ahead))
            self.assertEqual(search.found, (0, START + ahead + 1), ahead)

    def test_every_step_of_a_slice_can_be_the_first_one(self):
        for ahead in range(1500):
            first, second = pair(START + ahead)
            arguments = PHONE, int(first), int(second), START, START + 1500
            self.assertEqual(two_codes._pair_between(*arguments), START + ahead + 1, ahead)

    def test_a_pair_before_the_earliest_step_is_not_found(self):
        for behind in (1, 2, DAY):
            self.assertIsNone(searched(*pair(START - behind), slices=20)[0].found)

    def test_a_pair_with_a_used_step_is_not_found(self):
        for used in (START + 10, START + 11):  # the first of the pair, and its second
            search, _ = searched(*pair(START + 10), keys=((PHONE, used),), slices=20)
            self.assertIsNone(search.found)
        search, _ = searched(*pair(START + 10), keys=((PHONE, START + 9),))
        self.assertEqual(search.found, (0, START + 11))

    def test_a_pair_in_the_wrong_order_is_not_found(self):
        first, second = pair(START + 10)
        self.assertIsNone(searched(second, first, slices=20)[0].found)

    def test_two_right_codes_that_do_not_follow_each_other_are_not_found(self):
        for apart in (2, 3, 100):
            first, second = totp.hotp(PHONE, START + 10), totp.hotp(PHONE, START + 10 + apart)
            self.assertIsNone(searched(first, second, slices=20)[0].found)

    def test_the_same_code_twice_is_not_found(self):
        first, _ = pair(START + 10)
        self.assertIsNone(searched(first, first, slices=20)[0].found)

    def test_codes_of_two_authenticators_are_no_pair(self):
        first, second = totp.hotp(PHONE, START + 10), totp.hotp(TABLET, START + 11)
        keys = ((PHONE, totp.NEVER), (TABLET, totp.NEVER))
        self.assertIsNone(searched(first, second, keys=keys, slices=40)[0].found)

    def test_each_authenticator_is_searched_from_its_own_last_step(self):
        keys = ((PHONE, START + 500), (TABLET, totp.NEVER))
        self.assertEqual(searched(*pair(START + 7, TABLET), keys=keys)[0].found, (1, START + 8))
        self.assertEqual(searched(*pair(START + 700), keys=keys)[0].found, (0, START + 701))


class TestHint(unittest.TestCase):
    def test_a_right_hint_finds_years_ahead_at_once(self):
        years = 4 * 365 * DAY
        search, slices = searched(*pair(START + years), hint=START + years + 3)
        self.assertEqual(search.found, (0, START + years + 1))
        self.assertLess(slices, 12)

    def test_a_hint_that_is_off_by_most_of_a_day_finds_it_as_well(self):
        for off in (-DAY + 10, DAY - 10):
            _, slices = searched(*pair(START + 400 * DAY), hint=START + 400 * DAY + off)
            self.assertLess(slices, 13)

    def test_a_lying_hint_costs_a_few_slices_and_moves_nothing(self):
        for hint in (0, START - DAY, START + 300 * DAY, START + 10**9, 10**18):
            search, slices = searched(*pair(START + 100), hint=hint)
            self.assertEqual(search.found, (0, START + 101), hint)
            self.assertLess(slices, 14)

    def test_a_hint_before_the_earliest_step_opens_no_way_back(self):
        self.assertIsNone(searched(*pair(START - 10), hint=START - 10, slices=30)[0].found)

    def test_a_hint_does_not_widen_the_window(self):
        far = START + two_codes.WINDOW_STEPS + 10
        self.assertIsNone(searched(*pair(far), hint=far, slices=30)[0].found)
        self.assertIsNotNone(searched(*pair(far - 100), hint=far, slices=30)[0].found)


class TestBounds(unittest.TestCase):
    def test_a_slice_is_short_and_the_search_ends(self):
        hmacs = [0]
        real = two_codes._pair_between

        def counted(_secret, _first, _second, begin, end):
            hmacs[0] = max(hmacs[0], (end - begin) // 2)

        two_codes._pair_between = counted
        try:
            keys = ((PHONE, totp.NEVER), (TABLET, totp.NEVER))
            search, slices = searched("000000", "000000", START, keys, slices=10**6)
        finally:
            two_codes._pair_between = real
        self.assertEqual(hmacs[0], two_codes.SLICE_STEPS // 2)
        self.assertLess(slices, 2 * (two_codes.WINDOW_STEPS // two_codes.SLICE_STEPS + 100))
        self.assertEqual((search.found, search.next_slice()), (None, False))

    def test_what_was_searched_is_told_in_seconds_from_the_earliest_step(self):
        search, _ = searched("000000", "000000", slices=169 + 100)
        self.assertEqual(search.searched_s, 30 * 86400)

    def test_the_whole_window_is_harder_to_guess_than_two_tries_at_a_code(self):
        of_a_year = 365 * DAY * 1e-12
        of_the_window = two_codes.WINDOW_STEPS * 1e-12
        of_a_code = (2 * totp.TOLERANCE_STEPS + 1) * 1e-6
        self.assertLess(abs(of_a_year - 1e-6), 0.1e-6)
        self.assertLess(of_the_window, 2 * of_a_code)
        self.assertLess(throttle.CLOSED_FROM * of_the_window, 6e-4)  # all the tries that strangers ever get


class TestOdds(unittest.TestCase):
    def test_made_up_pairs_match_as_seldom_as_is_said(self):
        """Pairs of two digits each stand for those of six: the odds are W x 10^-4 then, near enough."""
        real, two_codes._number = two_codes._number, lambda secret, step: totp_number(secret, step) % 100
        try:
            found = 0
            for guess in range(400):
                first, second = guess % 97, (guess * 31 + 7) % 100
                begin = START + 1000 * guess
                found += two_codes._pair_between(PHONE, first, second, begin, begin + 1000) is not None
        finally:
            two_codes._number = real
        self.assertTrue(22 < found < 58, found)  # 400 x 1000 x 10^-4 = 38 with overlaps; 4 sigma


totp_number = two_codes._number


if __name__ == "__main__":
    unittest.main()
