"""What people are told by mail of their requests, and support of a new one."""

from __future__ import annotations

from host_tools.cloud.delivery.texts import Text, leading, letter
from host_tools.cloud.languages.text import _

QUOTED_MAX = 2000  # characters of an answer; the rest is on the page
SUBJECT_MAX = 150


def answered(subject: str, answer: str, link: str) -> Text:
    return letter(
        _("Support has answered: %(subject)s", subject=subject)[:SUBJECT_MAX],
        answer if len(answer) <= QUOTED_MAX else answer[:QUOTED_MAX] + " …",
        leading(_("The whole correspondence, and where you answer:"), link),
        _("Nobody reads replies to this mail. Support never asks for a password or a code."),
    )


def closed(subject: str, link: str) -> Text:
    return letter(
        _("Your request is closed: %(subject)s", subject=subject)[:SUBJECT_MAX],
        _("Support has closed your request “%(subject)s”.", subject=subject),
        leading(_("If you need more help, write there again:"), link),
    )


def asked(subject: str, name: str, link: str) -> Text:
    """For support. What the person wrote stays on the page, which asks who reads it for two-factor."""
    return letter(
        _("A new help request: %(subject)s", subject=subject)[:SUBJECT_MAX],
        _("%(name)s asks for help: “%(subject)s”.", name=name, subject=subject),
        leading(_("Read it, and answer, at the desk:"), link),
    )
