import unittest

from gatelodge import compat
from gatelodge.router import kernel

ARP = """IP address       HW type     Flags       HW address            Mask     Device
192.168.1.2      0x1         0x2         52:55:0a:00:02:02     *        eth1
192.168.1.9      0x1         0x0         00:00:00:00:00:00     *        eth1
"""
ROUTE = """Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0202000A	0003	0	0	0	00000000	0	0	0
eth0	0002000A	00000000	0001	0	0	0	00FFFFFF	0	0	0
eth1	0001A8C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
"""
TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.0.2.0/24 2 0 1
        |-- 10.0.2.0
           /24 link UNICAST
        |-- 10.0.2.15
           /32 host LOCAL
     |-- 192.168.1.1
        /32 host LOCAL
"""
ROUTE6 = """00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
fe800000000000000000000000000002 00000400 00000001 00000000 00000003     eth0
20010db8000400010000000000000000 40 00000000000000000000000000000000 00 \
00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
"""
INET6 = """fe80000000000000505400fffe123456 02 40 20 80     eth0
20010db8000400010000000000000015 02 40 00 00     eth0
fd000001000000000000000000000001 03 40 00 80     eth1
"""
DEVICES = """Inter-|   Receive                                                |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier
    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0
  eth0:9339557130 6920 0 0 0 0 0 0 301546 3401 0 0 0 0 0 0
"""
MEMINFO = (
    "MemTotal:         124928 kB\nMemFree:           48000 kB\nMemAvailable:      73216 kB\nBuffers: 1 kB\n"
)


class TestKernel(unittest.TestCase):
    def test_memory_is_in_kb(self):
        self.assertEqual(
            kernel.memory(MEMINFO), {"total_kb": 124928, "free_kb": 48000, "available_kb": 73216}
        )

    def test_load_and_uptime(self):
        self.assertEqual(kernel.load("0.17 0.28 0.16 1/80 1234\n"), [0.17, 0.28, 0.16])
        self.assertEqual(kernel.uptime_s("1415.93 2700.11\n"), 1415)

    def test_counters_without_a_space_after_the_colon(self):
        self.assertEqual(kernel.counters(DEVICES), {"lo": (100, 100), "eth0": (9339557130, 301546)})

    def test_neighbours_say_whether_they_answered(self):
        found = kernel.neighbours(ARP, 64)
        self.assertEqual([each["state"] for each in found], ["reachable", "incomplete"])
        self.assertEqual(found[0]["mac"], "52:55:0a:00:02:02")

    def test_neighbours_are_bounded(self):
        self.assertEqual(len(kernel.neighbours(ARP, 1)), 1)

    def test_the_default_route_names_the_way_out(self):
        self.assertEqual(kernel.default_interface(kernel.routes(ROUTE)), "eth0")
        without = ROUTE.replace("eth0	00000000", "eth0	01000000")
        self.assertEqual(kernel.default_interface(kernel.routes(without)), "")

    def test_a_default_route_of_ppp_has_no_gateway_and_is_a_way_out(self):
        text = ROUTE.replace("0202000A", "00000000").replace("0003", "0001")
        self.assertEqual(kernel.default_interface(kernel.routes(text)), "eth0")
        self.assertEqual(kernel.gateway_of("eth0", kernel.routes(text)), "")

    def test_a_default_route_that_rejects_is_no_way_out(self):
        text = ROUTE.replace("	0003	", "	0201	")
        self.assertEqual(kernel.default_interface(kernel.routes(text)), "")

    def test_each_interface_gets_the_address_of_its_network(self):
        routes, addresses = kernel.routes(ROUTE), kernel.local_addresses(TRIE)
        self.assertEqual(addresses, ["10.0.2.15", "192.168.1.1"])
        self.assertEqual(kernel.address_of("eth0", routes, addresses), "10.0.2.15")
        self.assertEqual(kernel.address_of("eth1", routes, addresses), "192.168.1.1")
        self.assertEqual(kernel.address_of("eth2", routes, addresses), "")

    def test_the_gateway_is_the_next_router_out_of_an_interface(self):
        self.assertEqual(kernel.gateway_of("eth0", kernel.routes(ROUTE)), "10.0.2.2")
        self.assertEqual(kernel.gateway_of("eth1", kernel.routes(ROUTE)), "")
        self.assertEqual(kernel.gateway6_of("eth0", ROUTE6), "fe80::2")
        self.assertEqual((kernel.gateway6_of("eth1", ROUTE6), kernel.gateway6_of("eth0", "")), ("", ""))

    def test_an_interface_has_the_global_addresses_of_ipv6_only(self):
        self.assertEqual(kernel.addresses6_of("eth0", INET6, 4), ["2001:db8:4:1::15"])
        self.assertEqual(kernel.addresses6_of("eth1", INET6, 4), ["fd00:1::1"])
        self.assertEqual(kernel.addresses6_of("eth0", INET6, 0), [])

    def test_name_servers_are_those_that_are_named(self):
        text = "# nameserver 1.1.1.1\nsearch lan\nnameserver 192.0.2.1\nnameserver\nnameserver fe80::1%eth0\n"
        self.assertEqual(kernel.name_servers(text, 4), ["192.0.2.1", "fe80::1%eth0"])
        self.assertEqual(kernel.name_servers(text, 1), ["192.0.2.1"])

    def test_a_port_without_a_speed_has_none(self):
        self.assertEqual([kernel.speed_mbit(text) for text in ("1000", "-1", "")], [1000, None, None])

    def test_a_file_is_read_to_its_end_or_as_far_as_is_bounded(self):
        path = "/tmp/gatelodge-test-kernel-" + compat.entropy(4).hex()
        try:
            for size in (0, 1, kernel.PIECE - 1, kernel.PIECE, kernel.PIECE + 1, kernel.MAX_FILE + 1):
                content = bytes([at & 255 for at in range(size)])
                with open(path, "wb") as file:
                    file.write(content)
                self.assertEqual(kernel.read_bytes(path), content[: kernel.MAX_FILE])
        finally:
            compat.remove(path)

    def test_files_that_are_missing_or_empty_tell_nothing(self):
        self.assertEqual(kernel.read("/no/such/file"), "")
        self.assertEqual(kernel.uptime_s(""), 0)
        self.assertEqual(kernel.load(""), [0.0, 0.0, 0.0])
        self.assertEqual(kernel.memory("")["total_kb"], 0)
        self.assertEqual((kernel.neighbours("", 9), kernel.routes(""), kernel.counters("")), ([], [], {}))


if __name__ == "__main__":
    unittest.main()
