"""What people are told by mail of their requests."""

from __future__ import annotations

from host_tools.cloud.delivery.texts import FOOT, Text

QUOTED_MAX = 2000  # characters of an answer; the rest is on the page
SUBJECT_MAX = 150


def answered(subject: str, answer: str, link: str) -> Text:
    cut = answer if len(answer) <= QUOTED_MAX else answer[:QUOTED_MAX] + " …"
    return Text(
        f"Support has answered: {subject}"[:SUBJECT_MAX],
        f"{cut}\n\nThe whole correspondence, and where you answer:\n{link}\n\n"
        "Nobody reads replies to this mail. Support never asks for a password or a code." + FOOT,
    )


def closed(subject: str, link: str) -> Text:
    return Text(
        f"Your request is closed: {subject}"[:SUBJECT_MAX],
        f"Support has closed your request “{subject}”.\n\nIf you need more help, write there again:\n{link}"
        + FOOT,
    )
