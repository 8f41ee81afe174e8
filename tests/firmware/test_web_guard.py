import unittest

from gatelodge.web.guard import Guard, cookie, host_name
from gatelodge.web.wire import Refusal

GUARD = Guard(["gatelodge.home", "Router.LAN"])


def refusal_of(call, *arguments):
    try:
        call(*arguments)
    except Refusal as refusal:
        return refusal.status
    return None


class TestHost(unittest.TestCase):
    def test_own_names_and_any_address_are_served_on_any_port(self):
        for host in (
            "gatelodge.home",
            "GATELODGE.home:8443",
            "router.lan",
            "192.168.1.1",
            "127.0.0.1:8443",
            "[fe80::1]:443",
        ):
            self.assertIsNone(refusal_of(GUARD.check_host, host), host)

    def test_names_that_somebody_else_could_point_here_are_refused(self):
        for host in (
            "evil.example",
            "gatelodge.home.evil.example",
            "192.168.1.1.evil.example",
            "",
            "256.1.1.1",
            "1.2.3",
        ):
            self.assertEqual((host, refusal_of(GUARD.check_host, host)), (host, 421))

    def test_a_malformed_host_has_no_name(self):
        for host in (
            "gatelodge.home:",
            "gatelodge.home:80a",
            "gatelodge.home:123456",
            "[::1",
            "[::1]x",
            "a@gatelodge.home:1:2",
        ):
            self.assertEqual(host_name(host), "")


class TestOrigin(unittest.TestCase):
    def check(self, method="POST", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return refusal_of(GUARD.check_origin, method, "gatelodge.home:8443", named)

    def test_a_change_from_our_own_page_passes(self):
        self.assertIsNone(self.check(Origin="https://gatelodge.home:8443", Sec_Fetch_Site="same-origin"))

    def test_a_change_from_a_client_that_is_no_browser_passes(self):
        self.assertIsNone(self.check())

    def test_a_change_from_another_site_is_refused(self):
        for origin in (
            "https://evil.example",
            "http://gatelodge.home:8443",
            "https://gatelodge.home",
            "null",
            "",
        ):
            self.assertEqual((origin, self.check(Origin=origin)), (origin, 403))

    def test_what_the_browser_calls_foreign_is_refused(self):
        for site in ("cross-site", "same-site", "none"):
            self.assertEqual((site, self.check(Sec_Fetch_Site=site)), (site, 403))

    def test_reading_is_free(self):
        self.assertIsNone(self.check("GET", Origin="https://evil.example", Sec_Fetch_Site="cross-site"))


class TestCookie(unittest.TestCase):
    def test_a_cookie_is_out_of_reach_for_scripts_other_sites_and_plain_http(self):
        parts = cookie("__Host-session", "token").split("; ")
        self.assertEqual(parts, ["__Host-session=token", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"])

    def test_a_cookie_may_end_by_itself(self):
        self.assertTrue(cookie("__Host-signin", "token", 300).endswith("; Max-Age=300"))


if __name__ == "__main__":
    unittest.main()
