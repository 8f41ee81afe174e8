import unittest

from gatelodge.contract import board
from gatelodge.contract.errors import BoardError


def smallest():
    return {
        "name": "test",
        "model": "Test",
        "arch": "aarch64",
        "console": {"kind": "stdin"},
        "web": {"names": ["localhost"]},
        "router": "linux",
        "flash_mb": 64,
    }


class TestBoard(unittest.TestCase):
    def refused(self, fields):
        with self.assertRaises(BoardError) as caught:
            board.check(fields)
        return str(caught.exception)

    def test_defaults_fill_what_the_file_leaves_out(self):
        checked = board.check(smallest())
        ports = {"https_port": 443, "http_port": 80, "public_https_port": 0}
        rest = {"bind": "0.0.0.0", "lan_only": False, "names": ["localhost"]}
        self.assertEqual(checked["web"], dict(ports, **rest))
        self.assertEqual(checked["has_rtc"], False)

    def test_the_file_itself_is_not_changed(self):
        fields = smallest()
        board.check(fields)
        self.assertEqual(fields, smallest())

    def test_every_missing_required_field_is_named(self):
        for name in ("name", "model", "arch", "router", "flash_mb"):
            fields = smallest()
            del fields[name]
            self.assertEqual(self.refused(fields), "the board has no " + name + ": add it to board.json")

    def test_a_misspelt_field_is_named_with_its_place(self):
        fields = smallest()
        fields["web"]["htps_port"] = 443
        self.assertIn("no field web.htps_port", self.refused(fields))

    def test_a_table_where_a_value_belongs_is_refused(self):
        fields = smallest()
        fields["name"] = {"first": "x"}
        self.assertIn("name is", self.refused(fields))

    def test_a_value_where_a_table_belongs_is_refused(self):
        fields = smallest()
        fields["web"] = 443
        self.assertIn("no field web", self.refused(fields))

    def test_a_port_out_of_range_is_refused_with_the_range(self):
        fields = smallest()
        fields["web"]["https_port"] = 70000
        self.assertIn("choose one from 1 to 65535", self.refused(fields))

    def test_true_is_no_number(self):
        fields = smallest()
        fields["flash_mb"] = True
        self.assertIn("write a whole number", self.refused(fields))

    def test_an_unknown_choice_is_refused_with_the_choices(self):
        fields = smallest()
        fields["router"] = "windows"
        self.assertIn("choose one of linux, host", self.refused(fields))

    def test_names_hold_at_least_one_text(self):
        for names in ([], [1], "localhost"):
            fields = smallest()
            fields["web"]["names"] = names
            self.assertIn("web.names is", self.refused(fields))

    def test_a_tty_console_needs_its_device(self):
        fields = smallest()
        fields["console"] = {"kind": "tty"}
        self.assertIn("console.device is empty", self.refused(fields))

    def test_something_else_than_an_object_is_refused(self):
        self.assertIn("not a JSON object", self.refused([]))


if __name__ == "__main__":
    unittest.main()
