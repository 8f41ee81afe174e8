"""Each part of the self-test, right and wrong. tests/firmware/test_bench.py runs all of it at once."""

import unittest

from gatelodge import compat
from gatelodge.console import self_test

from tests.fakes.simulated_router import SimulatedRouter


class Clock:
    is_set = True


class MemoryStore:
    def get(self, key, default=None):
        return default

    def put(self, key, value):
        pass


def parts(entropy=compat.entropy, directory="/tmp", router=None):
    return self_test.Parts(MemoryStore(), Clock(), router or SimulatedRouter(), 7, entropy, directory)


def failed(checks):
    return [check["name"] for check in checks if not check["ok"]]


class SelfTest(unittest.TestCase):
    def setUp(self):
        self.directory = "/tmp/self-test-" + compat.entropy(6).hex()
        compat.makedirs(self.directory)

    def tearDown(self):
        for name in compat.listdir(self.directory):
            compat.remove(self.directory + "/" + name)
        compat.remove_directory(self.directory)

    def test_a_good_router_passes_and_leaves_nothing_on_its_flash(self):
        self.assertEqual(failed(self_test.run(parts(directory=self.directory))), [])
        self.assertEqual(compat.listdir(self.directory), [])

    def test_every_figure_has_a_name_of_its_own(self):
        names = [row[0] for _, rows in self_test.CHECKS for row in rows]
        self.assertEqual(len(names), len(set(names)))

    def test_a_flash_that_cannot_be_written_fails_all_its_figures(self):
        self.assertEqual(
            failed(self_test.run(parts(directory=self.directory + "/none"))),
            ["flash write speed", "flash read speed", "flash blocks wrong"],
        )

    def test_a_flash_that_gives_back_something_else_is_counted_by_block(self):
        path = self.directory + "/self-test"
        before = compat.drop_cached

        def spoil(_):
            with open(path, "r+b") as file:
                file.seek(5 * 4096 + 17)
                file.write(b"spoilt")

        compat.drop_cached = spoil
        try:
            checks = self_test.run(parts(directory=self.directory))
        finally:
            compat.drop_cached = before
        wrong = [check for check in checks if not check["ok"]]
        self.assertEqual([(check["name"], check["value"]) for check in wrong], [("flash blocks wrong", 1)])

    def test_a_source_that_is_stuck_fails_every_test_of_entropy(self):
        checks = self_test.run(parts(lambda size: b"\xa5" * size, self.directory))
        self.assertEqual(failed(checks), ["entropy", "entropy longest run", "entropy commonest"])

    def test_a_source_that_does_not_answer_has_failed_without_a_figure(self):
        def none(size):
            raise OSError(38)

        checks = self_test.run(parts(none, self.directory))
        self.assertTrue("entropy" in failed(checks))
        self.assertEqual([check["value"] for check in checks if check["name"] == "entropy"], [-1])

    def test_ports_without_a_cable_are_ports_without_a_link(self):
        router = SimulatedRouter()
        before = router.interfaces
        router.interfaces = lambda: [dict(one, up=False) for one in before()]
        checks = self_test.run(parts(directory=self.directory, router=router))
        self.assertEqual(failed(checks), ["network links"])


if __name__ == "__main__":
    unittest.main()
