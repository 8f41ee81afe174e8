"""The messages, as plain text: the subject, then the body. A code stands in the body, never in a subject."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

FOOT = "\n\nGatelodge\n"


class Text(NamedTuple):
    subject: str
    body: str
    extra: str = ""  # what a channel can do beyond text, in JSON: a chat's buttons, a notice's link


def confirm_email(code: str, link: str) -> Text:
    return Text(
        "Confirm your e-mail address",
        f"Your code is {code}\n\nEnter it where you signed up. It is valid for 10 minutes.\n\n"
        f"Or open this link, within a day:\n{link}\n\n"
        "If you did not sign up for Gatelodge, ignore this message: nothing has been created." + FOOT,
    )


def already_signed_up(public_url: str) -> Text:
    return Text(
        "You have a Gatelodge account already",
        "Somebody, perhaps you, signed up with this e-mail address. It has an account already, "
        f"and nothing has changed. Sign in here:\n{public_url}/sign-in\n\n"
        "If it was not you, there is nothing to do." + FOOT,
    )


def authenticator_changed(what: str, name: str, public_url: str) -> Text:
    """`what`: "added" or "removed"."""
    return Text(
        f"An authenticator was {what}",
        f"The authenticator “{name}” was {what} in your Gatelodge account.\n\n"
        f"If it was not you, sign in and look at your security page at once:\n{public_url}/security" + FOOT,
    )


def router_reset(serial_number: str, public_url: str) -> Text:
    return Text(
        "A router was reset",
        f"The router {serial_number} was reset, by somebody who is at it or signed in on its page. "
        "Its password, its authenticators and its recovery codes are erased, and it has left your Gatelodge "
        "account.\n\n"
        "If it was you, set it up again with the service code on its label. If it was not you, look after "
        "the router: whoever has it and its label can register it in an account of their own.\n\n"
        f"Your routers:\n{public_url}/routers" + FOOT,
    )


def router_released_there(serial_number: str, public_url: str) -> Text:
    return Text(
        "A router was released",
        f"The router {serial_number} was released on its own page, by somebody who is signed in there with a "
        "code. It has left your Gatelodge account.\n\n"
        "If it was not you, look after the router: whoever has it and its label can register it in an "
        "account of their own.\n\n"
        f"Your routers:\n{public_url}/routers" + FOOT,
    )


def router_changed(what: str, serial_number: str, public_url: str) -> Text:
    """`what`: "registered" or "released"."""
    return Text(
        f"A router was {what}",
        f"The router {serial_number} was {what} in your Gatelodge account.\n\n"
        f"Your routers:\n{public_url}/routers" + FOOT,
    )


# kind of gatelodge.contract.messages.NOTICES -> (subject, what has happened on the router's page)
_NOTICES = {
    "new_browser": (
        "A new browser signed in to your router",
        "Somebody signed in with a browser that has not been there before.",
    ),
    "password_changed": ("Your router's password was changed", "The password of its page was changed."),
    "two_factor_on": (
        "Two-factor was switched on at your router",
        "The first authenticator was added, and ten recovery codes were made.",
    ),
    "two_factor_off": (
        "Two-factor was switched off at your router",
        "Every authenticator and recovery code was dropped. The password alone now opens its page.",
    ),
    "authenticator_added": ("An authenticator was added at your router", "Another authenticator was added."),
    "authenticator_removed": (
        "An authenticator was removed at your router",
        "One of several authenticators was removed. For 10 minutes that can be undone on its security page.",
    ),
    "authenticator_restored": (
        "An authenticator was brought back at your router",
        "The removal of an authenticator was undone.",
    ),
    "recovery_codes_renewed": (
        "New recovery codes were made at your router",
        "Ten new recovery codes were made. Those before are void.",
    ),
    "recovered_at_console": (
        "Your router was recovered at its serial console",
        "Somebody with a cable to it and its password made new recovery codes. Those before are void.",
    ),
    "locked_out": (
        "Too many wrong tries at your router",
        "Somebody tried so often that it now takes the router's button or its serial console to try again.",
    ),
    "backup_made": (
        "A backup of your router was made",
        "A file with its password and its authenticators was made. Whoever has the file and the backup's own "
        "password can read them.",
    ),
    "backup_restored": (
        "A backup was restored at your router",
        "Its settings now come from a file, perhaps with another password and other authenticators.",
    ),
    "token_created": (
        "An API token was made at your router",
        "A personal token was made. Whoever has it can use the router's API without the password.",
    ),
}
# Of a router that is younger than this cloud.
_OTHER_NOTICE = ("Something changed at your router", "Something changed that matters for its safety.")


def router_notice(serial_number: str, notice: Mapping[str, Any]) -> Text:
    """notice: a router's, contract.messages "notice". What the router wrote in it stands in the body only."""
    subject, happened = _NOTICES.get(notice["kind"], _OTHER_NOTICE)
    facts = f"Router: {serial_number}\nTime: {_moment(notice['at'])}\nFrom: {_one_line(notice['address'])}"
    if notice["browser"]:
        facts += f"\nBrowser: {_one_line(notice['browser'])}"
    if notice["dropped"]:
        facts += f"\nBefore it, {notice['dropped']} more happened. The router's page lists them."
    return Text(
        subject,
        f"{happened}\n\n{facts}\n\n"
        "If it was you, there is nothing to do. If it was not you, open the router's page at home, go to "
        "Security, and press “This was not me”." + FOOT,
    )


def _moment(at: int | None) -> str:
    if at is None:
        return "unknown, its clock was not set"
    return time.strftime("%d %b %Y, %H:%M UTC", time.gmtime(at))


def _one_line(text: str) -> str:
    """A router's text, as it may stand on a line of a mail."""
    return "".join(character if character.isprintable() else " " for character in text)
