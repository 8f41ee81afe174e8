import unittest

from gatelodge.contract.errors import StateError
from gatelodge.refusals import SigninError
from gatelodge.web.pages.cloud import CloudPages

from tests.fakes.clock import FakeClock

ADA = {"account_id": "a1", "name": "Ada <Lovelace>", "email": "ada@example.org"}
LINK = "https://localhost:8444/routers/invited#7K3M-9QWX-2B4N-T8RC-V5HD-0ZJE-6GPS"


class Cloud:
    def __init__(self, state="online", owner=None, error=None, releasing=False):
        self.state = {"state": state, "since": 1_795_281_000, "owner": owner, "last_error": error}
        self.state["releasing"] = releasing
        self.claim = self.invitation = None
        self.asked = []

    def invite(self):
        self.asked.append("invite")

    def release(self):
        if self.state["owner"] is None:
            raise StateError("This router belongs to no account.")
        self.asked.append("release")

    def be_invited(self, state, link=None, error=None):
        self.invitation = {"state": state, "link": link, "error": error, "expires_s": 540}
        return self


class Visit:
    session_token = "token"
    client = "192.168.1.23"


class Site:
    identity = {"cloud": {"host": "cloud.test"}}

    def __init__(self, cloud):
        self.cloud, self.clock, self.owner, self.views = cloud, FakeClock(), None, {}
        self.pages = CloudPages(self)

    def look(self):
        return self.views["cloud"].now()


def account(cloud):
    return Site(cloud).look()["html"]["account"]


class TestStates(unittest.TestCase):
    def test_the_link_says_since_when_and_why(self):
        text = Site(Cloud("offline", error="the line broke")).look()["text"]
        self.assertEqual(
            (text["link.state"], text["link.error"], text["link.address"]),
            ("Not connected", "The line broke.", "cloud.test"),
        )
        self.assertTrue(text["link.since"].startswith("10 minutes ago ("))

    def test_a_moment_before_the_clock_was_set_is_not_told(self):
        for since in (None, 4, 1_999_999_999):
            cloud = Cloud()
            cloud.state["since"] = since
            self.assertEqual(Site(cloud).look()["text"]["link.since"], "–")

    def test_a_router_without_a_cloud_says_so_and_fails_at_nothing(self):
        state = Site(None).look()["state"]
        self.assertEqual((state["cloud"], state["link"], state["account"]), ("waiting", "works", "works"))


class TestAccount(unittest.TestCase):
    def test_an_owner_is_named_with_what_can_be_done_and_what_it_costs(self):
        html = account(Cloud(owner=ADA))
        for text in ("Ada &lt;Lovelace&gt;", "ada@example.org", "/api/cloud/release", "no longer reach"):
            self.assertIn(text, html)

    def test_a_router_of_nobody_offers_both_ways_into_an_account(self):
        html = account(Cloud())
        self.assertIn("/api/cloud/invite", html)
        self.assertIn("Enter the service code.", html)

    def test_without_the_cloud_there_is_nothing_to_press(self):
        for state in ("offline", "connecting"):
            self.assertNotIn("<button", account(Cloud(state)))

    def test_a_release_that_the_cloud_has_not_heard_is_told(self):
        for state in ("online", "offline"):
            self.assertIn("Released here.", account(Cloud(state, releasing=True)))

    def test_a_link_is_shown_as_a_picture_and_as_a_link_with_the_time_left(self):
        site = Site(Cloud().be_invited("open", LINK))
        now = site.look()
        self.assertIn('href="' + LINK + '"', now["html"]["account"])
        self.assertIn("<svg viewBox=", now["html"]["account"])
        self.assertEqual(now["text"]["account.left"], "It works once, for 9 minutes.")

    def test_the_picture_is_drawn_once(self):
        site = Site(Cloud().be_invited("open", LINK))
        site.look()
        drawn = site.pages._drawn[1]
        site.look()
        self.assertTrue(site.pages._drawn[1] is drawn)

    def test_a_link_that_fits_into_no_code_is_a_link_all_the_same(self):
        html = account(Cloud().be_invited("open", LINK + "x" * 220))
        self.assertNotIn("<svg", html)
        self.assertIn(LINK, html)

    def test_waiting_for_the_link_and_a_refusal_are_told(self):
        self.assertIn("in a moment", account(Cloud().be_invited("asked")))
        html = account(Cloud().be_invited("refused", error="it <is> owned"))
        self.assertIn("It &lt;is&gt; owned.", html)
        self.assertIn("/api/cloud/invite", html)


class TestActs(unittest.TestCase):
    def test_a_release_needs_a_code_first(self):
        site = Site(Cloud(owner=ADA))
        self.assertEqual([row.path for row in site.pages.rows() if row.proof], ["/api/cloud/release"])
        site.pages.release(Visit(), {})
        self.assertEqual(site.cloud.asked, ["release"])

    def test_what_the_client_refuses_is_told_on_the_form(self):
        for cloud, text in ((Cloud(), "belongs to no account"), (None, "no cloud")):
            with self.assertRaises(SigninError) as caught:
                Site(cloud).pages.release(Visit(), {})
            self.assertEqual(caught.exception.field, "form")
            self.assertIn(text, caught.exception.text)

    def test_a_link_is_asked_for(self):
        site = Site(Cloud())
        site.pages.invite(Visit(), {})
        self.assertEqual(site.cloud.asked, ["invite"])


if __name__ == "__main__":
    unittest.main()
