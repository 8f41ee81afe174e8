"""The messages, as plain text: the subject, then the body. A code stands in the body, never in a subject."""

from __future__ import annotations

from typing import NamedTuple

FOOT = "\n\nGatelodge\n"


class Text(NamedTuple):
    subject: str
    body: str


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
