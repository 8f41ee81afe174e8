import unittest
from binascii import a2b_base64, b2a_base64

from gatelodge import store_keys
from gatelodge.compat import json
from gatelodge.console.bench import Bench
from gatelodge.contract import provisioning, service_code
from gatelodge.core import csr

from tests.fakes import factory_certificates as known
from tests.fakes.simulated_router import SimulatedRouter

NOW = 1795281371
IDENTITY = {
    "serial_number": known.SERIAL_NUMBER,
    "device_certificate": known.DEVICE,
    "admin_certificate": known.ADMIN,
    "factory_ca": known.FACTORY_CA,
    "cloud_ca": known.OTHER_CA,
    "cloud": {"host": "10.0.2.2", "port": 8445, "server_name": "cloud.example"},
    "ntp": [["10.0.2.2", 8123]],
    "time": NOW,
}
BOARD = {"name": "bench", "model": "Gatelodge Bench", "flash_mb": 64, "state_dir": "/tmp"}


class MemoryStore:
    """A store without a flash."""

    def __init__(self):
        self.values = {}

    def get(self, key, default=None):
        return self.values.get(key, default)

    def put(self, key, value):
        self.put_many({key: value})

    def put_many(self, values):
        self.values.update(values)


class BenchClock:
    def __init__(self):
        self.time = 0
        self.refusal = None

    @property
    def is_set(self):
        return self.time > 0

    def set(self, unix_s, source):
        if not self.refusal:
            self.time = unix_s
        return not self.refusal


class Entropy:
    """Different bytes each time, the same ones in each test."""

    def __init__(self):
        self.count = 0

    def __call__(self, size):
        self.count += 1
        return bytes([(self.count * 37 + i * 11) & 255 for i in range(size)])


class BenchTest(unittest.TestCase):
    def setUp(self):
        self.store = MemoryStore()
        self.clock = BenchClock()
        self.router = SimulatedRouter()
        self.bench = self.new_bench()

    def new_bench(self):
        return Bench(self.store, self.clock, self.router, BOARD, "0.1.0", Entropy())

    def call(self, verb, **request):
        answer = json.loads(self.bench.call(verb, json.dumps(request)))
        self.assertIn("ok", answer)
        return answer["ok"]

    def refused(self, verb, **request):
        return json.loads(self.bench.call(verb, json.dumps(request)))["error"]

    def with_known_key(self):
        """As after make_key, with the key that the certificates are for."""
        data = csr.sec1_private_key(known.KEY)
        self.store.put(store_keys.DEVICE_KEY, base64_text(data))

    def identified(self):
        self.with_known_key()
        return self.call("write_identity", **IDENTITY)

    def changed(self, **fields):
        request = dict(IDENTITY)
        request.update(fields)
        return request


def base64_text(data):
    return b2a_base64(data).decode().strip()


class Keys(BenchTest):
    def test_a_blank_router_says_what_it_is(self):
        found = self.call("identify")
        self.assertEqual(
            (found["model"], found["state"], found["serial_number"]), ("Gatelodge Bench", "blank", "")
        )

    def test_the_key_is_made_once(self):
        first = self.call("make_key")["public_key"]
        self.bench = self.new_bench()
        self.assertEqual(self.call("make_key")["public_key"], first)
        self.assertEqual(self.bench.state, provisioning.KEYED)

    def test_the_answers_never_hold_the_private_key(self):
        self.call("make_key")
        self.call("certificate_request", serial_number=known.SERIAL_NUMBER)
        key = csr.read_sec1_private_key(a2b_base64(self.store.get(store_keys.DEVICE_KEY)))
        request = a2b_base64(self.call("certificate_request", serial_number=known.SERIAL_NUMBER)["csr"])
        self.assertNotIn(key.to_bytes(32, "big"), request)

    def test_a_request_before_the_key_is_out_of_turn(self):
        self.assertIn("blank", self.refused("certificate_request", serial_number=known.SERIAL_NUMBER))


class Identity(BenchTest):
    def test_the_identity_is_kept_with_a_service_code_of_the_routers_own(self):
        reply = self.identified()
        kept = self.store.get(store_keys.IDENTITY)
        self.assertEqual(service_code.parse(reply["service_code"]), kept["service_code"])
        self.assertEqual(kept["serial_number"], known.SERIAL_NUMBER)
        self.assertEqual(kept["provisioned_at"], NOW)
        self.assertNotIn("time", kept)

    def test_the_clock_is_set_and_its_floor_kept(self):
        self.identified()
        self.assertEqual(self.clock.time, NOW)
        self.assertEqual(self.store.get(store_keys.CLOCK_FLOOR), NOW)
        self.assertEqual(self.store.get(store_keys.CLOCK_PROVEN), NOW)

    def test_a_bench_with_a_wrong_clock_is_refused_and_nothing_is_kept(self):
        self.with_known_key()
        self.clock.refusal = "more than 20 years after this firmware was built"
        self.assertIn("set the bench's clock", self.refused("write_identity", **IDENTITY))
        self.assertIsNone(self.store.get(store_keys.IDENTITY))

    def test_a_clock_that_lost_its_power_is_set_again_and_the_identity_stays(self):
        self.identified()
        self.clock.time = 0
        self.assertTrue(self.call("set_time", time=NOW + 5)["set"])
        self.assertEqual((self.clock.time, self.bench.state), (NOW + 5, provisioning.IDENTIFIED))
        self.clock.refusal = "before the floor"
        self.assertIn("set the bench's clock", self.refused("set_time", time=1))

    def test_a_floor_is_never_lowered(self):
        self.store.put(store_keys.CLOCK_FLOOR, NOW + 5)
        self.identified()
        self.assertEqual(self.store.get(store_keys.CLOCK_FLOOR), NOW + 5)

    def test_the_service_code_outlives_a_bench_that_starts_over(self):
        first = self.identified()["service_code"]
        self.assertEqual(self.call("write_identity", **IDENTITY)["service_code"], first)

    def test_certificates_of_another_factory_or_key_are_refused_and_nothing_is_kept(self):
        self.with_known_key()
        wrong = (
            {"device_certificate": known.FORGED},
            {"factory_ca": known.OTHER_CA},
            {"serial_number": "GL2647000002"},
            {"admin_certificate": known.FACTORY_CA},
            {"cloud_ca": "AAAA"},
            {"device_certificate": "A"},
        )
        for fields in wrong:
            self.assertTrue(self.refused("write_identity", **self.changed(**fields)))
            self.assertIsNone(self.store.get(store_keys.IDENTITY))

    def test_a_certificate_for_another_router_is_refused(self):
        self.call("make_key")
        self.assertIn("another key", self.refused("write_identity", **IDENTITY))


class TestAndLock(BenchTest):
    def test_a_good_router_passes_and_is_locked(self):
        self.identified()
        self.assertTrue(self.call("self_test")["passed"])
        self.assertTrue(self.call("lock")["locked"])
        self.assertTrue(self.store.get(store_keys.LOCKED))
        self.assertTrue(self.new_bench().is_locked)

    def test_every_check_has_a_value_and_a_limit(self):
        self.identified()
        for check in self.call("self_test")["checks"]:
            self.assertTrue(check["limit"])
            self.assertGreaterEqual(check["value"], 0)

    def test_a_part_that_fails_is_named_and_keeps_the_router_open(self):
        self.identified()
        self.router.fail = "interfaces"
        reply = self.call("self_test")
        self.assertFalse(reply["passed"])
        wrong = [check["name"] for check in reply["checks"] if not check["ok"]]
        self.assertEqual(wrong, ["network ports", "network links"])
        self.assertIn("identified", self.refused("lock"))

    def test_a_clock_that_was_not_set_fails(self):
        self.identified()
        self.clock.time = 0
        self.assertFalse(self.call("self_test")["passed"])

    def test_a_router_is_tested_again_after_a_restart(self):
        self.identified()
        self.call("self_test")
        self.bench = self.new_bench()
        self.assertIn("identified", self.refused("lock"))

    def test_a_locked_router_answers_no_verb(self):
        self.identified()
        self.call("self_test")
        self.call("lock")
        for verb in provisioning.VERBS:
            self.assertIn("locked", self.refused(verb.name))


class Line(BenchTest):
    def exchange(self, text):
        return json.loads(provisioning.unseal(self.bench.exchange(text)))

    def test_a_sealed_request_is_answered_sealed(self):
        self.assertEqual(self.exchange(provisioning.seal("identify {}"))["ok"]["state"], "blank")

    def test_a_damaged_request_is_answered_as_damaged_and_changes_nothing(self):
        sealed = provisioning.seal("make_key {}")
        answer = self.exchange(sealed[:-1])
        self.assertTrue(answer["damaged"])
        self.assertEqual(self.bench.state, provisioning.BLANK)

    def test_requests_without_sense_are_answered(self):
        for text in ("", "identify", "identify []", "identify {", "none {}", "identify " + "[" * 20000):
            answer = self.exchange(provisioning.seal(text))
            self.assertTrue("ok" in answer or not answer["damaged"])


if __name__ == "__main__":
    unittest.main()
