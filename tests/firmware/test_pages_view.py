import unittest

from gatelodge.web import view, words
from gatelodge.web.html import escape, fill

from tests.fakes.clock import FakeClock
from tests.fakes.simulated_router import SimulatedRouter

ADA = {"account_id": "a1", "name": "Ada <Lovelace>", "email": "ada@example.org"}


class Cloud:
    def __init__(self, state="online", owner=None, error=None):
        self.state = {"state": state, "since": None, "owner": owner, "last_error": error}
        self.claim = None


class Site:
    version = "0.1.0"

    def __init__(self, cloud=None, clock=None):
        self.clock = clock or FakeClock()
        self.router = SimulatedRouter(monotonic_ms=self.clock.monotonic_ms)
        self.cloud = cloud


def look(site):
    return view.View(site).now()


class TestHeadline(unittest.TestCase):
    def test_the_internet_works_when_somebody_outside_has_answered(self):
        now = look(Site(Cloud()))
        self.assertEqual(
            (now["text"]["internet.title"], now["state"]["internet"]), ("The internet works", "works")
        )

    def test_a_line_that_nobody_answers_on_is_waited_for(self):
        now = look(Site(Cloud("connecting"), FakeClock(is_set=False)))
        self.assertEqual(now["state"]["internet"], "waiting")

    def test_a_cable_that_is_out_is_named(self):
        site = Site(Cloud())
        site.router.cut_wire()
        now = look(site)
        self.assertEqual(now["text"]["internet.title"], "No internet")
        self.assertIn("cable", now["text"]["internet.detail"])

    def test_nobody_outside_can_reach_a_router_that_has_no_account(self):
        self.assertIn("Nobody from outside", look(Site(Cloud()))["text"]["reach.detail"])
        self.assertIn("Ada", look(Site(Cloud(owner=ADA)))["text"]["reach.detail"])

    def test_the_page_needs_no_cloud_at_all(self):
        now = look(Site(cloud=None))
        self.assertEqual(now["text"]["cloud.title"], "Not connected")
        self.assertEqual(now["state"]["internet"], "works")


class TestParts(unittest.TestCase):
    def test_a_part_that_cannot_be_read_takes_no_other_along(self):
        site = Site(Cloud())
        site.router.fail = "facts"
        now = look(site)
        self.assertEqual(now["state"]["router"], "failed")
        self.assertNotIn("router.model", now["text"])
        self.assertEqual(now["state"]["devices"], "works")

    def test_an_unset_clock_is_told(self):
        now = look(Site(Cloud(), FakeClock(is_set=False)))
        self.assertEqual(now["state"]["clock"], "waiting")
        self.assertIn("Not set", now["text"]["clock.detail"])

    def test_nobody_nearby_is_said_with_what_to_do(self):
        site = Site(Cloud())
        site.router.be_alone()
        self.assertIn("Connect a phone", look(site)["text"]["devices.detail"])

    def test_why_the_cloud_is_away_is_told(self):
        now = look(Site(Cloud("offline", error="the certificate is not trusted")))
        self.assertTrue(now["text"]["cloud.detail"].startswith("The certificate is not trusted."))

    def test_a_claim_is_markup_with_everything_from_outside_escaped(self):
        site = Site(Cloud())
        expires = site.clock.now() + 240
        site.cloud.claim = {"claim_id": "c1", "account": ADA, "number": "482913", "expires_at": expires}
        now = look(site)
        self.assertIn("482 913", now["html"]["claim"])
        self.assertIn("Ada &lt;Lovelace&gt;", now["html"]["claim"])
        self.assertNotIn("<Lovelace>", now["html"]["claim"])
        self.assertEqual(now["text"]["claim.left"], "The request ends in 4 minutes.")


class TestChanges(unittest.TestCase):
    def test_only_what_changed_is_sent(self):
        before = {"text": {"a": "1", "b": "2"}, "state": {"s": "works"}, "html": {}}
        after = {"text": {"a": "1", "b": "3", "c": "4"}, "state": {"s": "works"}, "html": {}}
        self.assertEqual(view.changes(before, after), {"text": {"b": "3", "c": "4"}})

    def test_a_quiet_second_sends_little(self):
        site = Site(Cloud())
        before = look(site)
        site.clock.pass_ms(2000)
        self.assertNotIn("html", view.changes(before, look(site)))


class TestWords(unittest.TestCase):
    def test_rates_and_sizes_are_in_units_that_people_know(self):
        self.assertEqual(
            [words.rate(n) for n in (0, 950, 1500, 12_340_000)],
            ["0 bit/s", "950 bit/s", "2 kbit/s", "12.3 Mbit/s"],
        )
        self.assertEqual([words.size(n) for n in (12, 1500, 9_400_000_000)], ["12 bytes", "2 KB", "9.4 GB"])

    def test_durations_have_at_most_two_units(self):
        found = [words.span(s) for s in (0, 1, 59, 60, 3600, 3660, 90000, 86400 * 3)]
        self.assertEqual(
            found,
            [
                "0 seconds",
                "1 second",
                "59 seconds",
                "1 minute",
                "1 hour",
                "1 hour 1 minute",
                "1 day 1 hour",
                "3 days",
            ],
        )

    def test_times_are_relative_near_now(self):
        found = [words.ago(s) for s in (0, 30, 180, 7200)]
        self.assertEqual(found, ["just now", "30 seconds ago", "3 minutes ago", "2 hours ago"])

    def test_an_exact_time_is_utc(self):
        self.assertEqual(words.moment(1795281600).replace("\u00a0", " "), "21 Nov 2026, 17:20 UTC")


class TestMarkup(unittest.TestCase):
    def test_text_cannot_leave_its_element_or_its_attribute(self):
        self.assertEqual(escape("<a b=\"c\" d='e'>&"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;")

    def test_a_template_escapes_what_is_not_marked_as_markup(self):
        self.assertEqual(fill("<p>{a}{b!}</p>", a="<i>", b="<i>"), "<p>&lt;i&gt;<i></p>")

    def test_a_name_that_is_missing_is_an_error(self):
        with self.assertRaises(KeyError):
            fill("<p>{a}</p>")


if __name__ == "__main__":
    unittest.main()
