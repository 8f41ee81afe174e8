import unittest

from gatelodge.contract import bundle
from gatelodge.contract.errors import BundleError

CONTENT = b"print(1)\n"


def manifest():
    return {
        "name": "gatelodge",
        "version": "1.20.3",
        "mpy_version": 6,
        "built_at": 1795281600,
        "files": {"gatelodge/a.mpy": {"size": len(CONTENT), "sha256": bundle.file_hash(CONTENT)}},
    }


def header(name=b"gatelodge/a.mpy", size=9, kind=b"0"):
    """A ustar header, IEEE Std 1003.1-2008."""
    block = bytearray(512)
    block[0 : len(name)] = name
    block[124:136] = b"%011o\0" % size
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


class TestManifest(unittest.TestCase):
    def refused(self, **changes):
        fields = manifest()
        fields.update(changes)
        with self.assertRaises(BundleError) as caught:
            bundle.check_manifest(fields)
        return str(caught.exception)

    def test_a_correct_manifest_is_returned(self):
        self.assertEqual(bundle.check_manifest(manifest()), manifest())

    def test_unknown_and_missing_fields_are_refused(self):
        self.assertIn("has the fields", self.refused(extra=1))
        fields = manifest()
        del fields["built_at"]
        with self.assertRaises(BundleError):
            bundle.check_manifest(fields)

    def test_another_products_bundle_is_refused(self):
        self.assertIn("a bundle of 'tractor'", self.refused(name="tractor"))

    def test_a_version_is_three_numbers(self):
        for version in ("1.2", "1.2.x", "1.2.3.4", "1..3", ""):
            self.assertIn("no version", self.refused(version=version))

    def test_versions_order_by_number_not_by_text(self):
        self.assertTrue(bundle.version_key("1.10.0") > bundle.version_key("1.9.9"))

    def test_a_bundle_without_files_is_refused(self):
        self.assertIn("it has 0 files", self.refused(files={}))

    def test_a_bundle_larger_than_a_slot_is_refused(self):
        files = {"a": {"size": bundle.MAX_BYTES + 1, "sha256": "0" * 64}}
        self.assertIn("leave something out", self.refused(files=files))

    def test_a_damaged_entry_is_refused(self):
        for entry in ({}, {"size": -1, "sha256": "0" * 64}, {"size": 1, "sha256": "short"}, 7):
            self.assertIn("is damaged", self.refused(files={"a": entry}))

    def test_a_manifest_does_not_name_itself(self):
        files = {"manifest.json": {"size": 1, "sha256": "0" * 64}}
        self.assertIn("names itself", self.refused(files=files))


class TestFiles(unittest.TestCase):
    def test_paths_that_leave_the_slot_are_refused(self):
        outside = ("/etc/passwd", "../boot.json", "a/../../b", "a//b", "a/./b", "a/", "")
        for path in outside + ("a" * 101, "a b", "a\\b"):
            with self.assertRaises(BundleError):
                bundle.check_path(path)

    def test_the_promised_content_passes(self):
        bundle.check_content(manifest(), "gatelodge/a.mpy", CONTENT)

    def test_one_changed_bit_is_found(self):
        changed = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
        with self.assertRaises(BundleError):
            bundle.check_content(manifest(), "gatelodge/a.mpy", changed)

    def test_a_file_that_nobody_promised_is_refused(self):
        with self.assertRaises(BundleError) as caught:
            bundle.check_content(manifest(), "gatelodge/b.mpy", CONTENT)
        self.assertIn("does not name gatelodge/b.mpy", str(caught.exception))

    def test_a_missing_file_is_named(self):
        bundle.check_complete(manifest(), {"gatelodge/a.mpy"})
        with self.assertRaises(BundleError) as caught:
            bundle.check_complete(manifest(), set())
        self.assertIn("ends before gatelodge/a.mpy", str(caught.exception))


class TestHeader(unittest.TestCase):
    def test_a_header_gives_path_and_size(self):
        self.assertEqual(bundle.parse_header(header()), ("gatelodge/a.mpy", 9))

    def test_a_name_may_fill_its_whole_field(self):
        self.assertEqual(bundle.parse_header(header(name=b"a" * 100)), ("a" * 100, 9))

    def test_a_block_of_zeros_ends_the_archive(self):
        self.assertIsNone(bundle.parse_header(bytes(512)))

    def test_a_header_cut_at_any_point_is_refused(self):
        whole = header()
        for length in range(512):
            with self.assertRaises(BundleError):
                bundle.parse_header(whole[:length])

    def test_a_changed_byte_in_the_name_is_found(self):
        block = bytearray(header())
        block[3] ^= 4
        with self.assertRaises(BundleError):
            bundle.parse_header(bytes(block))

    def test_a_name_in_another_encoding_is_refused(self):
        with self.assertRaises(BundleError):
            bundle.parse_header(header(name=b"a\xff"))

    def test_links_and_folders_are_refused(self):
        for kind in (b"1", b"2", b"5", b"x"):
            with self.assertRaises(BundleError):
                bundle.parse_header(header(kind=kind))


if __name__ == "__main__":
    unittest.main()
