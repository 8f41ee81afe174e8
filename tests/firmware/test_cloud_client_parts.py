import unittest

from gatelodge.cloud import ledger
from gatelodge.cloud.claims import Claims
from gatelodge.contract.errors import StateError

from tests.fakes.clock import FakeClock

ACCOUNT = {"name": "Ada", "email": "ada@example.org"}
CLAIM = {"claim_id": "k1", "account": ACCOUNT, "number": "482913", "expires_s": 300}
ANSWER = {"type": "claim_answer", "claim_id": "k1", "approved": True}


class LedgerTest(unittest.TestCase):
    def test_no_function_changes_the_record_it_is_given(self):
        record = ledger.empty()
        taken = ledger.taken(record, "c1", "identify")
        finished = ledger.finished(taken, ledger.result("c1"))
        ledger.acknowledged(finished, "result", "c1")
        self.assertEqual(record, ledger.empty())
        self.assertEqual((taken["running"], taken["outbox"]), ({"c1": "identify"}, []))
        self.assertEqual(len(finished["outbox"]), 1)

    def test_only_the_last_ids_are_remembered(self):
        record = ledger.empty()
        for number in range(ledger.SEEN_LIMIT + 1):
            record = ledger.taken(record, f"c{number}", "identify")
        self.assertEqual(len(record["seen"]), ledger.SEEN_LIMIT)
        self.assertNotIn("c0", record["seen"])
        self.assertIn("c1", record["seen"])

    def test_a_ledger_is_full_of_running_commands_or_of_results(self):
        running, owing = ledger.empty(), ledger.empty()
        for number in range(ledger.RUNNING_LIMIT):
            self.assertFalse(ledger.is_full(running))
            running = ledger.taken(running, f"c{number}", "identify")
        for number in range(ledger.OUTBOX_LIMIT):
            self.assertFalse(ledger.is_full(owing))
            owing = ledger.finished(owing, ledger.result(f"c{number}"))
        self.assertTrue(ledger.is_full(running) and ledger.is_full(owing))

    def test_an_acknowledgement_takes_its_own_message_only(self):
        record = ledger.owed(ledger.finished(ledger.empty(), ledger.result("k1")), ANSWER)
        self.assertEqual(ledger.acknowledged(record, "result", "k1")["outbox"], [ANSWER])
        self.assertEqual(ledger.acknowledged(record, "claim_answer", "k1")["outbox"], [ledger.result("k1")])
        self.assertIs(ledger.acknowledged(record, "result", "c9"), record)

    def test_a_restart_ends_what_was_running(self):
        record = ledger.taken(ledger.taken(ledger.empty(), "c1", "reboot"), "c2", "identify")
        after = ledger.after_restart(record)
        self.assertEqual(after["running"], {})
        self.assertEqual([(m["id"], m["ok"]) for m in after["outbox"]], [("c1", True), ("c2", False)])
        self.assertEqual(ledger.after_restart(after), after)


class ClaimsTest(unittest.TestCase):
    def setUp(self):
        self.clock = FakeClock()
        self.claims = Claims(self.clock.monotonic_ms)

    def test_a_claim_shows_when_it_expires(self):
        self.claims.show(CLAIM)
        self.clock.pass_s(10)
        claim = self.claims.current(1000)
        self.assertEqual((claim["expires_s"], claim["expires_at"]), (290, 1290))
        self.assertEqual((claim["number"], claim["account"]["name"]), ("482913", "Ada"))

    def test_an_expired_claim_is_gone(self):
        self.claims.show(CLAIM)
        self.clock.pass_s(300)
        self.assertIsNone(self.claims.current(0))
        with self.assertRaises(StateError):
            self.claims.answer("k1")

    def test_setting_the_wall_clock_moves_no_expiry(self):
        self.claims.show(CLAIM)
        self.clock.set(0, "cloud")
        self.assertEqual(self.claims.current(self.clock.now())["expires_s"], 300)

    def test_an_answer_to_another_claim_burns_nothing(self):
        self.claims.show(CLAIM)
        with self.assertRaises(StateError):
            self.claims.answer("k2")
        self.claims.answer("k1")
        self.assertIsNone(self.claims.current(0))

    def test_an_answered_claim_is_not_shown_again(self):
        self.assertTrue(self.claims.show(CLAIM))
        self.claims.answer("k1")
        self.assertFalse(self.claims.show(CLAIM))
        self.assertIsNone(self.claims.current(0))

    def test_a_claim_whose_answer_is_owed_is_not_shown_after_a_restart(self):
        record = ledger.owed(ledger.empty(), ANSWER)
        claims = Claims(self.clock.monotonic_ms, ledger.answered_claims(record))
        claims.show(CLAIM)
        self.assertIsNone(claims.current(0))

    def test_a_newer_claim_replaces_the_older(self):
        newer = dict(CLAIM)
        newer["claim_id"] = "k2"
        self.claims.show(CLAIM)
        self.claims.show(newer)
        self.claims.cancel("k1")
        self.assertEqual(self.claims.current(0)["claim_id"], "k2")


if __name__ == "__main__":
    unittest.main()
