import unittest

from gatelodge.core import sessions
from gatelodge.core.sessions import GRACE_S, IDLE_S, LONGEST_S, MOST_SESSIONS, PROOF_S, Sessions, Tickets
from gatelodge.core.signin import BY_CODE, Visitor


def token(number):
    return sessions.new_token(number.to_bytes(32, "big"))


def begin(kept, number, now_s=0, address="10.0.0.2", trust_id=""):
    visitor = Visitor(address, "Firefox on Linux", "")
    kept.begin(token(number), "csrf", visitor, BY_CODE, trust_id, 1800000000, now_s, True)


def begun(number=1, now_s=0):
    kept = Sessions()
    begin(kept, number, now_s)
    return kept


class TestSessions(unittest.TestCase):
    def test_a_token_carries_256_bits(self):
        self.assertEqual(len(token(1)), 64)
        with self.assertRaises(ValueError):
            sessions.new_token(bytes(31))

    def test_a_session_is_found_by_its_token_only(self):
        kept = begun()
        self.assertEqual(kept.find(token(1), 1, True).client, "10.0.0.2")
        self.assertIsNone(kept.find(token(2), 1, True))
        self.assertIsNone(kept.find("", 1, True))

    def test_the_token_itself_is_not_kept(self):
        kept = begun()
        self.assertNotIn(token(1), str([kept._records, kept.find(token(1), 0, False)]))

    def test_a_session_ends_after_ten_minutes_without_acting(self):
        self.assertIsNotNone(begun().find(token(1), IDLE_S - 1, False))
        self.assertIsNone(begun().find(token(1), IDLE_S, False))

    def test_the_addresses_of_those_that_go_on_are_told(self):
        kept = begun()
        begin(kept, 2, IDLE_S - 1, "10.0.0.3")
        self.assertEqual(kept.clients(IDLE_S - 1), {"10.0.0.2", "10.0.0.3"})
        self.assertEqual(kept.clients(IDLE_S), {"10.0.0.3"})

    def test_acting_puts_off_the_end_and_live_updates_do_not(self):
        kept = begun()
        kept.find(token(1), 300, True)
        for now_s in range(300, 300 + IDLE_S, 2):
            self.assertIsNotNone(kept.find(token(1), now_s, False))
        self.assertIsNone(kept.find(token(1), 300 + IDLE_S, False))

    def test_a_session_ends_after_twelve_hours_however_busy(self):
        kept = begun()
        for now_s in range(0, LONGEST_S, 300):
            self.assertIsNotNone(kept.find(token(1), now_s, True))
        self.assertIsNone(kept.find(token(1), LONGEST_S, True))

    def test_an_ended_session_does_not_come_back(self):
        kept = begun()
        kept.find(token(1), IDLE_S, True)
        self.assertIsNone(kept.find(token(1), 1, True))

    def test_signing_out_ends_one_session_and_twice_is_once(self):
        kept = begun()
        begin(kept, 2, 0)
        kept.end(token(1))
        kept.end(token(1))
        self.assertIsNone(kept.find(token(1), 1, True))
        self.assertIsNotNone(kept.find(token(2), 1, True))

    def test_the_session_that_acted_longest_ago_makes_room(self):
        kept = Sessions()
        for number in range(MOST_SESSIONS):
            begin(kept, number, number)
        kept.find(token(0), 50, True)
        begin(kept, 99, 51)
        self.assertEqual(len(kept), MOST_SESSIONS)
        self.assertIsNotNone(kept.find(token(0), 52, False))
        self.assertIsNone(kept.find(token(1), 52, False))

    def test_public_ids_differ_and_are_not_part_of_the_token(self):
        first, second = begun(1).find(token(1), 0, False), begun(2).find(token(2), 0, False)
        self.assertNotEqual(first.id, second.id)
        self.assertNotIn(first.id, token(1))

    def test_a_code_counts_as_proof_for_five_minutes(self):
        kept = begun()
        self.assertTrue(sessions.is_proved(kept.find(token(1), PROOF_S - 1, False), PROOF_S - 1))
        self.assertFalse(sessions.is_proved(kept.find(token(1), PROOF_S, False), PROOF_S))
        kept.prove(token(1), token(2), PROOF_S)
        self.assertTrue(sessions.is_proved(kept.find(token(2), PROOF_S + 1, False), PROOF_S + 1))

    def test_who_proves_again_gets_another_token_and_the_one_before_proves_nothing_and_is_soon_over(self):
        """OWASP ASVS 5, 7.2.4."""
        kept = begun()
        before = kept.find(token(1), 1, False)
        kept.prove(token(1), token(2), 1)
        self.assertEqual(before[:8], kept.find(token(2), 2, False)[:8])
        self.assertFalse(sessions.is_proved(kept.find(token(1), GRACE_S, True), GRACE_S))
        self.assertTrue(sessions.is_proved(kept.find(token(2), GRACE_S, False), GRACE_S))
        self.assertIsNone(kept.find(token(1), 1 + GRACE_S, True))
        self.assertEqual(len(kept), 1)

    def test_of_windows_that_prove_at_once_each_is_answered_and_the_last_token_stays(self):
        kept = begun()
        kept.prove(token(1), token(2), 1)
        kept.prove(token(1), token(3), 2)
        found = [kept.find(token(number), 3, False) for number in (1, 2, 3)]
        self.assertIsNone(found[0])
        self.assertEqual([sessions.is_proved(each, 3) for each in found[1:]], [False, True])
        self.assertEqual([len(kept), found[2].began_s], [1, 0])

    def test_by_either_token_the_session_is_ended_and_is_ones_own(self):
        kept = begun()
        begin(kept, 5, 0)
        kept.prove(token(1), token(2), 1)
        public_id = kept.find(token(2), 1, False).id
        self.assertEqual(kept.end_where(lambda record: True, token(1)), 1)
        self.assertTrue(kept.has(public_id, 2, False))
        kept.end(token(1))
        self.assertEqual([kept.find(token(2), 2, False), kept.has(public_id, 2, False)], [None, False])

    def test_a_session_goes_on_until_it_ends(self):
        kept = begun()
        public_id = kept.find(token(1), 0, False).id
        asked = ((IDLE_S - 1, True), (2 * IDLE_S - 2, False), (2 * IDLE_S - 1, False))
        found = [kept.has(public_id, now_s, acting) for now_s, acting in asked]
        self.assertEqual(found, [True, True, False])

    def test_sessions_are_listed_and_the_last_to_act_comes_first(self):
        kept = begun()
        begin(kept, 2, 5, "10.0.0.3")
        self.assertEqual([record.client for record in kept.listed(6)], ["10.0.0.3", "10.0.0.2"])
        kept.find(token(1), 7, True)
        self.assertEqual([record.client for record in kept.listed(8)], ["10.0.0.2", "10.0.0.3"])

    def test_those_that_match_are_ended_but_never_ones_own(self):
        kept = begun()
        for number in (2, 3):
            begin(kept, number, 0, "10.0.0.3", "t1")
        self.assertEqual(kept.end_where(lambda record: record.trust_id == "t1", token(3)), 1)
        self.assertEqual([kept.find(token(n), 1, False) is None for n in (1, 2, 3)], [False, True, False])


class TestTickets(unittest.TestCase):
    def test_a_ticket_lives_for_its_time(self):
        tickets = Tickets(300, 4)
        tickets.add(token(1), "value", 100)
        self.assertEqual(tickets.find(token(1), 399), "value")
        self.assertIsNone(tickets.find(token(1), 400))

    def test_a_dropped_ticket_is_gone(self):
        tickets = Tickets(300, 4)
        tickets.add(token(1), "value", 0)
        tickets.drop(token(1))
        tickets.drop(token(1))
        self.assertIsNone(tickets.find(token(1), 1))

    def test_the_oldest_ticket_makes_room(self):
        tickets = Tickets(300, 4)
        for number in range(5):
            tickets.add(token(number), number, number)
        self.assertEqual([tickets.find(token(number), 10) for number in range(5)], [None, 1, 2, 3, 4])

    def test_the_one_of_least_worth_makes_room_first(self):
        tickets = Tickets(300, 4)
        for number in range(6):
            tickets.add(token(number), number, number, lambda value: value not in (2, 3))
        self.assertEqual([tickets.find(token(number), 10) for number in range(6)], [0, 1, None, None, 4, 5])


if __name__ == "__main__":
    unittest.main()
