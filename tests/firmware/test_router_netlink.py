import struct
import unittest
from binascii import unhexlify

from gatelodge.router import netlink
from gatelodge.router.linux import LinuxRouter

# What Linux 6.18 answered, a message in two lines: a laptop by IPv4 and by two addresses of IPv6, a lamp by
# IPv6 alone, an address that nobody has, and groups of multicast on two interfaces.
CAPTURED = unhexlify(
    """
4c0000001c000200010000008333000002000000030000000400000108000100c0a801170a0002003c22fb10
4e91000008000400000000001400030081170000110000001100000000000000
400000001c000200010000008333000002000000030000002000000108000100c0a801090800040000000000
1400030080170000100000001000000000000000
580000001c00020001000000833300000a000000030000000400000114000100fe80000000000000ba27ebff
fe7ac1030a000200b827eb7ac103000008000400000000001400030080170000100000001000000000000000
580000001c00020001000000833300000a000000020000004000000514000100ff0200000000000000000000
000000160a0002003333000000160000080004000000000014000300e5170000750000007500000000000000
580000001c00020001000000833300000a000000030000000200000114000100fe800000000000003e22fbff
fe104e910a0002003c22fb104e91000008000400000000001400030011000000110000001100000001000000
580000001c00020001000000833300000a000000020000004000000514000100ff0200000000000000000001
ff0a96760a0002003333ff0a9676000008000400000000001400030091170000210000002100000000000000
580000001c00020001000000833300000a000000030000004000000514000100ff0200000000000000000001
ffd9c89d0a0002003333ffd9c89d00000800040000000000140003009b1700002b0000002b00000000000000
580000001c00020001000000833300000a00000003000000040000011400010020010db80004000200000000
000000170a0002003c22fb104e91000008000400000000001400030081170000110000001100000000000000
580000001c00020001000000833300000a000000030000004000000514000100ff0200000000000000000000
000000160a0002003333000000160000080004000000000014000300e5170000750000007500000000000000
1400000003000200010000008333000000000000
""".replace("\n", "")
)
NAMES = {2: "far", 3: "br-lan"}
LAPTOP, LAMP = "3c:22:fb:10:4e:91", "b8:27:eb:7a:c1:03"
CACHE_INFO_AT = 60  # of the first message, which is the laptop's by IPv4
BOARD = {"interfaces": {"lan": "br-lan", "wan": "wan"}, "lease_files": [], "model": ""}
ARP = """IP address       HW type     Flags       HW address            Mask     Device
192.168.1.23     0x1         0x2         3c:22:fb:10:4e:91     *        br-lan
"""


def rows(*parts):
    return netlink.parse(parts, NAMES, 64)


def message(kind, content):
    return struct.pack("@IHHII", 16 + len(content), kind, 2, 1, 0) + content


def neighbour(mac, number):
    """A reachable IPv6 neighbour on br-lan."""
    address = unhexlify("fe80000000000000") + number.to_bytes(8, "big")
    attributes = struct.pack("@HH", 20, 1) + address + struct.pack("@HH", 10, 2) + mac + b"\0\0"
    return message(28, struct.pack("@BBHiHBB", 10, 0, 0, 3, 2, 0, 1) + attributes)


def changed(at, data):
    return CAPTURED[:at] + data + CAPTURED[at + len(data) :]


class TestParse(unittest.TestCase):
    def test_both_families_are_told_without_multicast_and_without_who_never_answered(self):
        found = {row["address"]: row["mac"] for row in rows(CAPTURED)}
        expected = {
            "192.168.1.23": LAPTOP,
            "fe80::3e22:fbff:fe10:4e91": LAPTOP,
            "2001:db8:4:2::17": LAPTOP,
            "fe80::ba27:ebff:fe7a:c103": LAMP,
        }
        self.assertEqual(found, expected)
        self.assertEqual({row["interface"] for row in rows(CAPTURED)}, {"br-lan"})

    def test_who_was_not_heard_for_ten_minutes_is_silent(self):
        ticks = (netlink.SILENT_S + 1) * 100
        long_ago = struct.pack("@III", ticks, 0, ticks)
        self.assertEqual(rows(changed(CACHE_INFO_AT, long_ago))[0]["state"], "silent")
        self.assertEqual(rows(changed(CACHE_INFO_AT, long_ago[:8]))[0]["state"], "reachable")  # learned since

    def test_an_interface_without_a_name_has_no_neighbours(self):
        self.assertEqual(netlink.parse([CAPTURED], {2: "far"}, 64), [])

    def test_cut_at_any_point_it_tells_whole_neighbours_only(self):
        whole = rows(CAPTURED)
        for end in range(len(CAPTURED)):
            found = rows(CAPTURED[:end])
            self.assertEqual(found, whole[: len(found)], end)

    def test_any_byte_may_be_anything(self):
        for at in range(len(CAPTURED)):
            for value in (b"\x00", b"\x7f", b"\xff"):
                for row in rows(changed(at, value)):
                    self.assertTrue(len(row["mac"]) == 17 and row["interface"] in NAMES.values())

    def test_lengths_that_lie_end_the_list_and_never_stand_still(self):
        for length in (0, 1, 15, 0x7FFFFFFF, 0xFFFFFFFF):
            self.assertEqual(rows(changed(0, struct.pack("@I", length))), [])
        for length in (0, 3, 0xFFFF):
            self.assertEqual(len(rows(changed(28, struct.pack("@H", length)))), 3)  # the first has no address

    def test_made_up_addresses_of_one_device_hide_no_other(self):
        flood = b"".join([neighbour(b"\x02\0\0\0\0\1", number) for number in range(500)])
        found = rows(flood, CAPTURED)
        self.assertEqual(len(found), netlink.MOST_OF_ONE + 4)

    def test_the_list_is_bounded(self):
        parts = [neighbour(b"\x02\0\0\0" + number.to_bytes(2, "big"), number) for number in range(500)]
        self.assertEqual(len(rows(*parts)), 64)


class TestLastPart(unittest.TestCase):
    def test_a_dump_ends_with_the_message_that_says_so(self):
        self.assertTrue(netlink._is_last(CAPTURED))
        self.assertFalse(netlink._is_last(CAPTURED[:-20]))
        self.assertTrue(netlink._is_last(message(3, bytes(4))))

    def test_a_refusal_and_what_is_no_message_are_errors(self):
        for part in (message(2, struct.pack("@i", -95)), message(2, b""), b"", b"\xff" * 40):
            with self.assertRaises(OSError):
                netlink._is_last(part)


class TestLinux(unittest.TestCase):
    def router(self, dump):
        router = LinuxRouter(BOARD, dump=dump)
        files = {"net/arp": ARP, "net/dev": "br-lan: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"}
        router._read = lambda name: files.get(name, "")
        router._read_class = lambda name, _field: "3" if name == "br-lan" else ""
        return router

    def test_one_device_has_the_addresses_of_both_families_and_another_only_ipv6(self):
        router = self.router(lambda: [CAPTURED])
        laptop, lamp = router.devices.now()
        self.assertEqual(laptop["mac"], LAPTOP)
        self.assertEqual(
            laptop["addresses"], ["192.168.1.23", "2001:db8:4:2::17", "fe80::3e22:fbff:fe10:4e91"]
        )
        self.assertEqual((lamp["mac"], lamp["addresses"]), (LAMP, ["fe80::ba27:ebff:fe7a:c103"]))
        self.assertEqual((lamp["state"], lamp["vendor"]), ("here", "Raspberry Pi"))
        self.assertTrue(router.tells_ipv6)

    def test_without_netlink_the_list_of_ipv4_is_told_and_says_what_it_is(self):
        def refuse():
            raise OSError(97)  # EAFNOSUPPORT

        router = self.router(refuse)
        self.assertEqual([row["addresses"] for row in router.devices.now()], [["192.168.1.23"]])
        self.assertFalse(router.tells_ipv6)

    def test_this_computers_own_table_is_read_to_its_end(self):
        self.assertTrue(netlink._is_last(netlink.dump()[-1]))


if __name__ == "__main__":
    unittest.main()
