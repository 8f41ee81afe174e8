import unittest

from gatelodge.core import discretion

PLAIN = (
    "2026-11-21T17:20:00Z",
    "the",
    "LAN",
    "HTTPS",
    "192.168.1.23",
    "192.168.100.200:50443",
    "fd00:1::17",
    "fe80::5054:ff:fe12:3456",
    "2001:db8:4:1::15",
    "0.1.0",
    "eth0",
    "wlan0",
    "x86-64",
    "qemu-virt-aarch64",
    "gatelodge/cloud/client.py",
    "in:_execute",
    "OSError",
    "AttributeError",
    "1795281600",
)
HIDDEN = (
    "7K3M-9QWX-2B4N-T8RC-V",  # a service code
    "ABCD-EFGH-JKMN-PQRS-T",  # one without a figure
    "7K3M9QWX2B4NT8RCV",
    "7K3MQ-9QWXB",  # a recovery code
    "7k3mq-9qwxb",
    "JBSWY3DPEHPK3PXP",  # a TOTP key
    "JBSWYDPEHPKPXPAA",
    "jbswy3dpehpk3pxp",
    "5e1f00c0ffee0001",  # an id
    "q-3N_xY0bZt5oD8mQ2rVwA",  # a session's token
    "MHcCAQEEIKrD+8xH/kd2",  # a key in base 64
    "3c:22:fb:10:4e:91",  # a device's hardware address
    "52:54:00:12:34:56",
    "ada@example.org",
    "__Host-session=abc",
    "Küche",
    "x" * 21,
    "1" * 11,
    "a.b.c.d.e.f.g.h.i.j.k.l.m",
)


class DiscretionTest(unittest.TestCase):
    def test_words_of_known_shapes_are_told(self):
        for word in PLAIN:
            self.assertEqual(discretion.line(word, (), ()), word)

    def test_whatever_has_another_shape_is_hidden(self):
        for word in HIDDEN:
            self.assertEqual(discretion.line(word, (), ()), discretion.MASK)

    def test_marks_around_a_word_stay(self):
        told = discretion.line('File "gatelodge/store.py", (ab12CD34ef), "7K3MQ-9QWXB":', (), ())
        self.assertEqual(told, 'File "gatelodge/store.py", (…), "…":')

    def test_what_is_public_is_told_whatever_its_shape(self):
        self.assertEqual(discretion.line("this is router GL26A0000042.", ("GL26A0000042",), ()),
                         "this is router GL26A0000042.")  # fmt: skip

    def test_a_line_that_holds_a_secret_is_hidden_however_it_is_grouped(self):
        secrets = discretion.secrets_in({"a": ["lantern over quiet water", 5, None], "b": "short"})
        self.assertEqual(secrets, ["LANTERNOVERQUIETWATER"])
        for text in ("Lantern-over quiet.water", "lanternoverquietwater", "x LANTERN OVER QUIET WATER y"):
            self.assertEqual(discretion.line(text, (), secrets), discretion.MASK)
        self.assertEqual(discretion.line("lantern over water", (), secrets), "lantern over water")

    def test_a_code_in_groups_of_its_own_is_hidden_by_its_value(self):
        secrets = discretion.secrets_in("7K3M9QWX2B4NT8RCV")
        self.assertEqual(discretion.line("7k3m 9qwx 2b4n t8rc v", (), secrets), discretion.MASK)


if __name__ == "__main__":
    unittest.main()
