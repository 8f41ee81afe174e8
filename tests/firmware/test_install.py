import os
import unittest

import main as loader
from gatelodge import compat, install
from gatelodge.contract import bundle
from gatelodge.contract.errors import BenchError, BundleError, StateError
from gatelodge.core import slots

from tests.fakes import bundles

OLD = {"gatelodge/old.mpy": b"old", "gatelodge/a.mpy": b"older"}


class InstallTest(unittest.TestCase):
    """Firmware runs in slot a, confirmed; slot b holds an older one."""

    def setUp(self):
        self.root = "/tmp/gatelodge-test-install-" + compat.entropy(4).hex()
        compat.makedirs(self.root + "/slots")
        self.path = self.root + "/incoming.tar"
        for slot in ("a", "b"):
            self.receive(bundles.signed(OLD, version="0.9.0"))
            install.finish(self.received().unpack(self.slot(slot)))
        loader.write_record(self.root + "/boot.json", slots.on_trial("a", None))

    def tearDown(self):
        os.system("rm -r " + self.root)

    def slot(self, name):
        return self.root + "/slots/" + name

    def receive(self, data):
        with open(self.path, "wb") as file:
            file.write(data)

    def received(self, key=bundles.RELEASE_KEY):
        received = install.Received(self.path, key)
        install.finish(received.check())
        return received

    def install(self):
        install.finish(self.received().unpack(self.slot("b")))
        install.put_on_trial(self.root, "a")

    def install_until_it_dies(self):
        try:
            self.install()
        except (BenchError, OSError):
            return

    def start(self):
        """(the slot that the loader starts, its version)."""
        record, present = loader.read_record(self.root + "/boot.json"), loader.present_slots(self.root)
        slot, _ = loader.choose(record, present)
        return slot, loader.version_of(self.root, slot)

    def files(self, slot):
        found, waiting = {}, [self.slot(slot)]
        while waiting:
            place = waiting.pop()
            if compat.is_regular_file(place):
                with open(place, "rb") as file:
                    found[place[len(self.slot(slot)) + 1 :]] = file.read()
            else:
                waiting.extend([place + "/" + name for name in compat.listdir(place)])
        return found

    def refused(self, data, key=bundles.RELEASE_KEY):
        """The sentence; nothing in slot b has changed."""
        before = self.files("b")
        self.receive(data)
        with self.assertRaises(BundleError) as caught:
            self.received(key)
        self.assertEqual(self.files("b"), before)
        return str(caught.exception)


class Whole(InstallTest):
    def test_the_slot_holds_the_bundle_and_nothing_of_the_old_one(self):
        self.receive(bundles.signed())
        self.install()
        found = self.files("b")
        text = found.pop(bundle.MANIFEST)
        self.assertEqual(found.pop(bundle.SIGNATURE), bundles.signature(text))
        self.assertEqual(found, bundles.FILES)

    def test_it_starts_on_trial_and_the_confirmed_slot_stays(self):
        self.receive(bundles.signed())
        self.install()
        self.assertEqual(self.start(), ("b", "1.2.3"))
        record = loader.read_record(self.root + "/boot.json")
        self.assertEqual((record["confirmed"], record["trial"]), ("a", "b"))
        self.assertEqual(record["attempts_left"], slots.TRIAL_STARTS)
        self.assertEqual(loader.version_of(self.root, "a"), "0.9.0")

    def test_whatever_write_is_the_last_one_a_whole_slot_starts(self):
        real, done = compat.sync_file, []

        def dies(file):
            if len(done) == survives:
                raise OSError("no power")
            done.append(file)
            real(file)

        steps = len(bundles.FILES) + 3  # signature, manifest, boot.json
        self.receive(bundles.signed())
        try:
            for survives in range(steps + 1):
                done, compat.sync_file = [], dies
                self.install_until_it_dies()
                compat.sync_file = real
                wanted = ("b", "1.2.3") if survives >= steps else ("a", "0.9.0")
                self.assertEqual(self.start(), wanted, survives)
        finally:
            compat.sync_file = real


class Refused(InstallTest):
    def test_another_key_has_signed_it(self):
        self.assertIn("not signed by", self.refused(bundles.signed(key=bundles.OTHER_KEY)))

    def test_a_changed_manifest(self):
        data = bundles.signed()
        self.assertIn("not signed by", self.refused(data.replace(b"1.2.3", b"1.2.4")))

    def test_no_signature(self):
        files = [(bundle.MANIFEST, bundles.manifest({}))]
        self.assertIn("manifest.sig", self.refused(bundles.archive(files)))

    def test_a_changed_file(self):
        data = bytearray(bundles.signed())
        data[bytes(data).find(b"first")] ^= 1
        self.assertIn("damaged", self.refused(bytes(data)))

    def test_each_fault_has_its_kind(self):
        kinds = (
            (bundles.signed(key=bundles.OTHER_KEY), bundle.UNSIGNED),
            (bundles.archive([(bundle.MANIFEST, bundles.manifest({}))]), bundle.UNSIGNED),
            (bundles.signed()[:-2048], bundle.DAMAGED),
            (bundles.signed(name="another"), bundle.NOT_ONE),
            (b"", bundle.NOT_ONE),
            (bytes(1024), bundle.NOT_ONE),
            (b"PK" * 1024, bundle.NOT_ONE),
        )
        for data, kind in kinds:
            self.receive(data)
            with self.assertRaises(BundleError) as caught:
                self.received()
            self.assertEqual(caught.exception.why, kind)

    def test_a_file_is_missing(self):
        text = bundles.manifest(bundles.FILES)
        files = [(bundle.MANIFEST, text), (bundle.SIGNATURE, bundles.signature(text))]
        self.assertIn("ends before", self.refused(bundles.archive(files)))

    def test_cut_anywhere(self):
        data = bundles.signed()
        for size in range(0, len(data) - 1024, 512):
            self.refused(data[:size])

    def test_a_board_that_trusts_nobody(self):
        self.assertIn("trusts no release key", self.refused(bundles.signed(), key=""))

    def test_code_for_another_interpreter(self):
        if compat.MPY_VERSION:
            self.assertIn(".mpy version 5", self.refused(bundles.signed(mpy_version=5)))

    def test_nothing_was_received(self):
        compat.remove(self.path)
        with self.assertRaises(BenchError):
            self.received()

    def test_a_slot_that_does_not_run_is_only_known_to_one_that_does(self):
        self.assertEqual((slots.other("a"), slots.other("b")), ("b", "a"))
        with self.assertRaises(StateError):
            slots.other(None)


if __name__ == "__main__":
    unittest.main()
