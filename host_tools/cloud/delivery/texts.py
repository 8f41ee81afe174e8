"""The messages, as plain text: the subject, then the body. A code stands in the body, never in a subject.

They are written in the reader's language: whoever writes to somebody else says to whom (languages/text.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from host_tools.cloud.languages import figures
from host_tools.cloud.languages.text import N_, _, ngettext
from host_tools.cloud.links import code_of

SIGNATURE = "Gatelodge\n"


class Text(NamedTuple):
    subject: str
    body: str
    extra: str = ""  # what a channel can do beyond text, in JSON: a chat's buttons, a notice's link


def letter(subject: str, *paragraphs: str) -> Text:
    """A mail. An empty paragraph is left out."""
    return Text(subject, "\n\n".join(filter(None, (*paragraphs, SIGNATURE))))


def leading(sentence: str, link: str) -> str:
    """A paragraph that ends in a link, on a line of its own."""
    return f"{sentence}\n{link}"


def opening(sentence: str, link: str) -> str:
    """The same, of a link with a code: the code again, for where no script takes it from the link."""
    code = _("If that page asks for a code: %(code)s", code=code_of(link))
    return f"{leading(sentence, link)}\n{code}"


def confirm_email(code: str, link: str) -> Text:
    return letter(
        _("Confirm your e-mail address"),
        _("Your code is %(code)s", code=code),
        _("Enter it where you signed up. It is valid for 10 minutes."),
        opening(_("Or open this link, within a day:"), link),
        _("If you did not sign up for Gatelodge, ignore this message: nothing has been created."),
    )


def already_signed_up(public_url: str) -> Text:
    return letter(
        _("You have a Gatelodge account already"),
        leading(
            _(
                "Somebody, perhaps you, signed up with this e-mail address. It has an account already, and "
                "nothing has changed. Sign in here:"
            ),
            f"{public_url}/sign-in",
        ),
        _("If it was not you, there is nothing to do."),
    )


def router_reset(serial_number: str, public_url: str) -> Text:
    return letter(
        _("A router was reset"),
        _(
            "The router %(serial_number)s was reset, by somebody who is at it or signed in on its page. Its "
            "password, its authenticators and its recovery codes are erased, and it has left your Gatelodge "
            "account.",
            serial_number=serial_number,
        ),
        _(
            "If it was you, set it up again with the service code on its label. If it was not you, look "
            "after the router: whoever has it and its label can register it in an account of their own."
        ),
        _routers(public_url),
    )


def router_released_there(serial_number: str, public_url: str, undo_link: str = "") -> Text:
    return letter(
        _("A router was released"),
        _(
            "The router %(serial_number)s was released on its own page, by somebody who is signed in there "
            "with a code. It has left your Gatelodge account.",
            serial_number=serial_number,
        ),
        _(
            "If it was not you, look after the router: whoever has it and its label can register it in an "
            "account of their own."
        ),
        _undoing(undo_link),
        _routers(public_url),
    )


def router_registered(serial_number: str, public_url: str) -> Text:
    happened = _(
        "The router %(serial_number)s was registered in your Gatelodge account.", serial_number=serial_number
    )
    return letter(_("A router was registered"), happened, _routers(public_url))


def router_released(serial_number: str, public_url: str) -> Text:
    happened = _(
        "The router %(serial_number)s was released in your Gatelodge account.", serial_number=serial_number
    )
    return letter(_("A router was released"), happened, _routers(public_url))


def _routers(public_url: str) -> str:
    return leading(_("Your routers:"), f"{public_url}/routers")


# kind of gatelodge.contract.messages.NOTICES -> (subject, what has happened on the router's page)
_NOTICES = {
    "new_browser": (
        N_("A new browser signed in to your router"),
        N_("Somebody signed in with a browser that has not been there before."),
    ),
    "password_changed": (
        N_("Your router's password was changed"),
        N_("The password of its page was changed."),
    ),
    "two_factor_on": (
        N_("Two-factor was switched on at your router"),
        N_("The first authenticator was added, and ten recovery codes were made."),
    ),
    "two_factor_off": (
        N_("Two-factor was switched off at your router"),
        N_("Every authenticator and recovery code was dropped. The password alone now opens its page."),
    ),
    "authenticator_added": (
        N_("An authenticator was added at your router"),
        N_("Another authenticator was added."),
    ),
    "authenticator_removed": (
        N_("An authenticator was removed at your router"),
        N_(
            "One of several authenticators was removed. For 10 minutes that can be undone on its "
            "security page."
        ),
    ),
    "authenticator_restored": (
        N_("An authenticator was brought back at your router"),
        N_("The removal of an authenticator was undone."),
    ),
    "recovery_codes_renewed": (
        N_("New recovery codes were made at your router"),
        N_("Ten new recovery codes were made. Those before are void."),
    ),
    "recovered_at_console": (
        N_("Your router was recovered at its serial console"),
        N_("Somebody with a cable to it and its password made new recovery codes. Those before are void."),
    ),
    "locked_out": (
        N_("Too many wrong tries at your router"),
        N_(
            "Somebody tried so often that it now takes the router's button or its serial console to "
            "try again."
        ),
    ),
    "backup_made": (
        N_("A backup of your router was made"),
        N_(
            "A file with its password and its authenticators was made. Whoever has the file and the "
            "backup's own password can read them."
        ),
    ),
    "backup_restored": (
        N_("A backup was restored at your router"),
        N_("Its settings now come from a file, perhaps with another password and other authenticators."),
    ),
    "firmware_changed": (
        N_("Your router gets other firmware"),
        N_("Signed firmware was installed or chosen on its page. It runs from the next start on."),
    ),
    "changes_undone": (
        N_("Changes were undone at your router"),
        N_(
            "The password and the authenticators from before the last changes are back. Every session and "
            "every API token there has ended."
        ),
    ),
    "token_created": (
        N_("An API token was made at your router"),
        N_("A personal token was made. Whoever has it can use the router's API without the password."),
    ),
}
# Of a router that is younger than this cloud.
_OTHER_NOTICE = (
    N_("Something changed at your router"),
    N_("Something changed that matters for its safety."),
)


_RELEASED = N_("It was released from your account on its own page.")


def router_notice(serial_number: str, notice: Mapping[str, Any], undo_link: str = "") -> Text:
    """notice: a router's, contract.messages "notice". What the router wrote in it stands in the body only."""
    subject, happened = _NOTICES.get(notice["kind"], _OTHER_NOTICE)
    return letter(
        _(subject),
        _(happened),
        "\n".join(_facts(serial_number, notice)),
        _(
            "If it was you, there is nothing to do. If it was not you, open the router's page at home, go to "
            "Security, and press “This was not me”."
        ),
        _undoing(undo_link),
    )


def router_change(kind: str) -> str:
    """What happened on a router, as a page lists it: kinds of the contract, and "released"."""
    happened = _RELEASED if kind == "released" else _NOTICES.get(kind, _OTHER_NOTICE)[1]
    return _(happened)


def _undoing(link: str) -> str:
    sentence = _(
        "If somebody else is in, undo it here within 3 days: the router goes back to the password and the "
        "authenticators from before."
    )
    return leading(sentence, link) if link else ""


def _facts(serial_number: str, notice: Mapping[str, Any]) -> list[str]:
    facts = [_("Router: %(serial_number)s", serial_number=serial_number), _time(notice["at"])]
    facts.append(_("From: %(place)s", place=_one_line(notice["address"])))
    if notice["browser"]:
        facts.append(_("Browser: %(browser)s", browser=_one_line(notice["browser"])))
    if notice["dropped"]:
        dropped = ngettext(
            "Before it, %(num)s more happened. The router's page lists it.",
            "Before it, %(num)s more happened. The router's page lists them.",
            notice["dropped"],
        )
        facts.append(dropped)
    return facts


def _time(at: int | None) -> str:
    if at is None:
        return _("Time: unknown, its clock was not set")
    return _("Time: %(moment)s", moment=figures.local(at))


def _one_line(text: str) -> str:
    """A router's text, as it may stand on a line of a mail."""
    return "".join(character if character.isprintable() else " " for character in text)
