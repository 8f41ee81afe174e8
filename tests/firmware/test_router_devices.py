import unittest

from gatelodge.router import leases, vendors
from gatelodge.router.devices import FORGOTTEN_S, MOST, NOBODY, Devices
from gatelodge.router.linux import LinuxRouter

from tests.fakes.clock import FakeClock

VENDORS = leases.__file__.rsplit("/", 1)[0] + "/vendors.txt"
PHONE, LAPTOP, LAMP = "da:a1:19:06:2b:44", "3c:22:fb:10:4e:91", "b8:27:eb:7a:c1:03"
DNSMASQ = b"""1795300000 3c:22:fb:10:4e:91 192.168.1.23 Adas-MacBook 01:3c:22:fb:10:4e:91
1795300000 DA:A1:19:06:2B:44 192.168.1.77 * *
duid 00:01:00:01:2c:6d:ff:11:52:54:00:12:34:57
1795300000 277949 fd00:1::17 Adas-MacBook 00:01:00:01:2c:6d:ff:11:3c:22:fb:10:4e:91
"""
ODHCPD = b"""# br-lan 000300013c22fb104e91 e7b1a40c Adas-MacBook 1795300000 17 9 fd00:1::17/128 fd00:2::17/128
fd00:1::17 Adas-MacBook.lan Adas-MacBook
# br-lan b827eb7ac103 ipv4 hallway 1795300000 28 32 192.168.1.40/32
# br-lan 00020000ab11d258482e1f3b40d9 1 - 1795300000 99 128 fd00:1::99/128
"""


def met(address, mac, state="reachable"):
    return {"address": address, "mac": mac, "interface": "eth1", "state": state}


def no_netlink():
    raise OSError(97)  # EAFNOSUPPORT


class Home:
    """Neighbours, leases and a clock that a test moves."""

    def __init__(self, *neighbours):
        self.clock = FakeClock()
        self.neighbours = list(neighbours)
        self.leases = {}
        self.asked = []  # of the table of makers
        self.devices = Devices(self._read, self._vendors, self.clock.monotonic_ms)

    def _read(self):
        return self.neighbours, self.leases

    def _vendors(self, macs):
        self.asked.append(macs)
        return dict.fromkeys(macs, "Maker")


class TestLeases(unittest.TestCase):
    def test_dnsmasq_names_devices_by_their_hardware_address_also_inside_a_duid(self):
        found = leases.parse(DNSMASQ, {})
        self.assertEqual(
            found[LAPTOP], {"name": "Adas-MacBook", "addresses": ["192.168.1.23", "fd00:1::17"]}
        )
        self.assertEqual(found[PHONE], {"name": "", "addresses": ["192.168.1.77"]})
        self.assertEqual(len(found), 2)

    def test_odhcpd_names_devices_by_both_kinds_of_line(self):
        found = leases.parse(ODHCPD, {})
        self.assertEqual(found[LAPTOP]["addresses"], ["fd00:1::17", "fd00:2::17"])
        self.assertEqual(found[LAMP], {"name": "hallway", "addresses": ["192.168.1.40"]})
        self.assertEqual(len(found), 2)  # the last one's DUID was made of no hardware address

    def test_both_servers_add_up(self):
        found = leases.parse(ODHCPD, leases.parse(DNSMASQ, {}))
        self.assertEqual(found[LAPTOP]["addresses"], ["192.168.1.23", "fd00:1::17", "fd00:2::17"])

    def test_what_is_no_lease_is_left_out_at_every_cut(self):
        for text in (DNSMASQ, ODHCPD):
            for end in range(len(text)):
                self.assertTrue(len(leases.parse(text[:end], {})) <= 2)
        for line in (b"x y z", b"1 zz:zz 1 a b", b"# a b c d e f", b"1 aa:bb 1.2.3.4 name", b"# \x00 \x00"):
            self.assertEqual(leases.parse(line, {}), {})

    def test_a_line_that_is_no_text_takes_no_other_along(self):
        broken = b"1 3c:22:fb:10:4e:92 10.0.0.1 \xff\xfe *\n"
        self.assertEqual(leases.parse(broken + DNSMASQ, {}), leases.parse(DNSMASQ, {}))

    def test_a_name_is_short_and_printable_and_leases_are_bounded(self):
        line = "1 3c:22:fb:10:4e:91 192.168.1.23 %s *\n" % ("n\x07\x1b" + "a" * 200)
        self.assertEqual(leases.parse(line.encode(), {})[LAPTOP]["name"], "n" + "a" * 62)
        line = "1 3c:22:fb:10:4e:91 192.168.1.23 \u202eTV\u2069\u200f *\n"
        self.assertEqual(leases.parse(line.encode(), {})[LAPTOP]["name"], "TV")
        many = "".join([f"1 3c:22:fb:00:{n // 256:02x}:{n % 256:02x} 10.0.0.1 a *\n" for n in range(400)])
        self.assertEqual(len(leases.parse(many.encode(), {})), leases.MAX_LEASES)


class TestVendors(unittest.TestCase):
    def test_makers_are_known_by_the_first_three_bytes(self):
        known = {"b8:27:eb:00:00:00": "Raspberry Pi", "00:0e:58:00:00:00": "Sonos", LAPTOP: "Apple"}
        self.assertEqual(vendors.vendors(list(known), VENDORS), known)

    def test_an_unknown_prefix_and_a_missing_table_say_nothing(self):
        self.assertEqual(vendors.vendors(["00:00:00:00:00:00"], VENDORS), {"00:00:00:00:00:00": ""})
        self.assertEqual(vendors.vendors([LAPTOP], "/no/such/file"), {LAPTOP: ""})

    def test_a_private_address_has_no_maker(self):
        self.assertTrue(vendors.is_private(PHONE))
        self.assertFalse(vendors.is_private(LAPTOP))
        self.assertEqual(vendors.vendors([PHONE], VENDORS), {PHONE: ""})

    def test_the_table_is_whole_sorted_and_names_no_prefix_twice(self):
        prefixes = []
        with open(VENDORS) as file:
            lines = [line.rstrip("\n") for line in file if not line.startswith("#")]
        for line in lines:
            name, codes = line.split("\t")
            own = [codes[at : at + 4] for at in range(0, len(codes), 4)]
            self.assertTrue(name and len(codes) % 4 == 0 and len(line) < vendors.LONGEST_LINE, name)
            prefixes.extend(own)
        self.assertEqual(len(prefixes), len(set(prefixes)))
        self.assertEqual(lines, sorted(lines, key=lambda line: line.lower()))


class TestDevices(unittest.TestCase):
    def test_a_device_is_named_by_its_lease_and_knows_since_when(self):
        home = Home(met("192.168.1.23", LAPTOP))
        home.leases = leases.parse(DNSMASQ, {})
        home.devices.now()
        home.clock.pass_s(90)
        laptop, phone = home.devices.now()
        self.assertEqual((laptop["name"], laptop["state"]), ("Adas-MacBook", "here"))
        self.assertEqual(laptop["addresses"], ["192.168.1.23", "fd00:1::17"])
        self.assertEqual((laptop["first_seen_s"], laptop["last_seen_s"]), (90, 0))
        self.assertEqual((phone["state"], phone["first_seen_s"], phone["is_private"]), ("away", None, True))

    def test_by_whatever_address_it_is_one_device_and_ipv4_is_told_first(self):
        home = Home(met("fe80::1", LAPTOP), met("fd00:1::17", LAPTOP), met("192.168.1.23", LAPTOP))
        home.neighbours.append(met("fe80::2", LAMP))
        laptop, lamp = home.devices.now()
        self.assertEqual(laptop["addresses"], ["192.168.1.23", "fd00:1::17", "fe80::1"])
        self.assertEqual((lamp["mac"], lamp["addresses"], lamp["state"]), (LAMP, ["fe80::2"], "here"))

    def test_who_has_been_silent_for_long_is_away(self):
        home = Home(met("192.168.1.23", LAPTOP))
        home.devices.now()
        home.neighbours = [met("192.168.1.23", LAPTOP, "silent")]
        self.assertEqual(home.devices.now()[0]["state"], "away")

    def test_who_has_left_is_away_and_keeps_the_day_of_arrival(self):
        home = Home(met("192.168.1.23", LAPTOP))
        home.devices.now()
        home.neighbours = []
        home.clock.pass_s(3600)
        (away,) = home.devices.now()
        self.assertEqual((away["state"], away["first_seen_s"], away["last_seen_s"]), ("away", 3600, 3600))
        self.assertEqual(away["addresses"], ["192.168.1.23"])

    def test_after_a_day_away_a_device_is_forgotten(self):
        home = Home(met("192.168.1.23", LAPTOP))
        home.devices.now()
        home.neighbours = []
        home.clock.pass_s(FORGOTTEN_S + 1)
        self.assertEqual(home.devices.now(), [])

    def test_an_address_that_nobody_answers_for_is_no_device(self):
        self.assertEqual(Home(met("192.168.1.9", NOBODY, "incomplete")).devices.now(), [])

    def test_what_has_no_hardware_address_of_six_bytes_is_no_device(self):
        for mac in ("", "*", "3c:22:fb:10:4e", "LINUX-1", "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03"):
            self.assertEqual(Home(met("192.168.1.9", mac)).devices.now(), [])

    def test_they_stand_by_address_as_numbers_and_those_away_last(self):
        home = Home(met("192.168.1.100", LAPTOP), met("192.168.1.20", LAMP))
        home.leases = {PHONE: {"name": "", "addresses": ["192.168.1.3"]}}
        self.assertEqual([row["mac"] for row in home.devices.now()], [LAMP, LAPTOP, PHONE])

    def test_a_flood_of_addresses_fills_no_memory_and_the_newest_stay(self):
        home = Home()
        for number in range(200):
            home.neighbours = [met(f"10.0.0.{number}", f"3c:22:fb:00:00:{number:02x}")]
            home.clock.pass_s(1)
            home.devices.now()
        rows = home.devices.now()
        self.assertEqual((len(rows), rows[0]["mac"]), (MOST, "3c:22:fb:00:00:c7"))
        self.assertEqual(len(home.devices._met), MOST)

    def test_the_table_of_makers_is_read_once_for_each_device(self):
        home = Home(met("192.168.1.23", LAPTOP))
        home.devices.now()
        home.devices.now()
        home.neighbours.append(met("192.168.1.40", LAMP))
        self.assertEqual([row["vendor"] for row in home.devices.now()], ["Maker", "Maker"])
        self.assertEqual(home.asked, [[LAPTOP], [LAMP]])


class TestLinux(unittest.TestCase):
    def test_the_modem_is_no_device_and_the_leases_give_names(self):
        router = LinuxRouter(
            {"interfaces": {"lan": "eth1", "wan": "eth0"}, "lease_files": ["leases", "none"], "model": ""},
            dump=no_netlink,
        )
        arp = """IP address       HW type     Flags       HW address            Mask     Device
10.0.2.2         0x1         0x2         52:55:0a:00:02:02     *        eth0
192.168.1.23     0x1         0x2         3c:22:fb:10:4e:91     *        eth1
"""
        router._read = lambda name: arp if name == "net/arp" else ""
        (laptop,) = router.devices.now()
        self.assertEqual((laptop["mac"], laptop["vendor"], laptop["state"]), (LAPTOP, "Apple", "here"))


if __name__ == "__main__":
    unittest.main()
