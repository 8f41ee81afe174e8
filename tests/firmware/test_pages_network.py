import unittest

from gatelodge.web import view
from gatelodge.web.pages.devices import DevicesPages, notes_markup
from gatelodge.web.pages.internet import InternetPages

from tests.fakes.clock import FakeClock
from tests.fakes.simulated_router import SimulatedRouter

LAPTOP, PHONE = "3c:22:fb:10:4e:91", "da:a1:19:06:2b:44"


class Site:
    version = "0.1.0"
    cloud = None

    def __init__(self, clock=None):
        self.clock = clock or FakeClock()
        self.router = SimulatedRouter(monotonic_ms=self.clock.monotonic_ms)
        self.views = {}
        DevicesPages(self)
        InternetPages(self)

    def look(self, page):
        return self.views[page].now()


class TestDevices(unittest.TestCase):
    def test_the_largest_fact_is_how_many_are_here(self):
        text = Site().look("devices")["text"]
        self.assertEqual(
            (text["devices.title"], text["devices.detail"]), ("3 devices are here", "2 more are away.")
        )

    def test_since_when_is_told_and_exactly_so_on_the_cell(self):
        site = Site()
        site.look("devices")
        site.clock.pass_s(180)
        now = site.look("devices")
        self.assertEqual(now["text"]["device." + LAPTOP + ".first"], "3 minutes ago")
        self.assertIn('title="21\u00a0Nov\u00a02026, 17:20', now["html"]["devices"])

    def test_a_router_that_knows_no_time_tells_no_exact_one(self):
        now = Site(FakeClock(is_set=False)).look("devices")
        self.assertIn('title=""', now["html"]["devices"])

    def test_the_table_is_sent_again_only_when_a_device_came_or_went(self):
        site = Site()
        before = site.look("devices")
        for _ in range(40):
            site.clock.pass_ms(1999)
            after = site.look("devices")
            self.assertEqual(after["html"], before["html"])
        site.router.people.pop()
        site.router.people.pop()
        self.assertIn("html", view.changes(before, site.look("devices")))

    def test_the_notes_say_that_ipv6_is_not_told_only_where_it_is_not(self):
        self.assertEqual(["IPv6 alone" in notes_markup(tells) for tells in (True, False)], [False, True])

    def test_names_are_escaped(self):
        site = Site()
        site.router.call_laptop("<script>")
        self.assertIn("&lt;script&gt;", site.look("devices")["html"]["devices"])

    def test_a_list_that_cannot_be_read_says_so_and_keeps_no_moments_wrong(self):
        site = Site()
        site.router.fail = "neighbours"
        now = site.look("devices")
        self.assertEqual((now["state"], now["text"], now["html"]), ({"devices": "failed"}, {}, {}))

    def test_sixty_four_devices_fill_a_bounded_page(self):
        site = Site()
        site.router.people = [(f"10.0.0.{n}", f"3c:22:fb:00:00:{n:02x}", "reachable") for n in range(200)]
        site.router.leases = {}
        self.assertEqual(site.look("devices")["html"]["devices"].count("<tr>"), 64)


class TestInternet(unittest.TestCase):
    def test_every_fact_of_the_line_has_a_text_also_when_there_is_none(self):
        site = Site()
        for wire in (True, False):
            (site.router.join_wire if wire else site.router.cut_wire)()
            text = site.look("internet")["text"]
            self.assertTrue(all(text[key] for key in text), text)

    def test_the_first_address_stands_beside_the_largest_fact(self):
        text = Site().look("internet")["text"]
        self.assertEqual(text["line.address"], "10.0.2.15")
        self.assertEqual(text["line.addresses"], "10.0.2.15, 2001:db8:4:1::15")
        self.assertEqual(text["line.link"], "Up, 1.0 Gbit/s")

    def test_only_pages_with_the_chart_are_sent_samples(self):
        site = Site()
        self.assertEqual([site.views[name].has_traffic for name in ("devices", "internet")], [False, True])

    def test_a_part_that_fails_takes_no_other_along(self):
        site = Site()
        site.router.fail = "interfaces"
        state = site.look("internet")["state"]
        self.assertEqual((state["interfaces"], state["line"], state["traffic"]), ("failed", "works", "works"))


if __name__ == "__main__":
    unittest.main()
