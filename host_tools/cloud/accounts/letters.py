"""What is written to people about their account. A code stands in the body, never in a subject.

Each is in the reader's language: `with to(account):` around it. `kind` is one of events.KINDS, `about` the
name of what changed.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager

from host_tools.cloud.accounts.events import KINDS, concerning
from host_tools.cloud.delivery.texts import Text, leading, letter, opening
from host_tools.cloud.languages import figures
from host_tools.cloud.languages.text import N_, _, reader, speaking
from host_tools.cloud.store.models import Account

MINUTES = 10  # that a code is valid (codes.CODE_S)

NOT_YOU = N_("If it was not you, look at your security page at once:")
UNDO_BY_PASSWORD = N_("Undo it, and end every session, within 3 days, with the password of before:")
UNDO_BY_PROOF = N_("Undo it, and end every session, within 3 days, once you have proved that it is you:")
NOTHING_TO_DO = N_("If it was you, there is nothing to do.")


def to(account: Account) -> AbstractContextManager[None]:
    """While something is written to the account's person. Who has no language yet is who asks just now."""
    return speaking(account.language or reader().tag, account.time_zone)


def sign_in_code(code: str, from_where: str, browser: str, public_url: str) -> Text:
    return letter(
        _("Your code to sign in"),
        _("Your code is %(code)s", code=code),
        _("Somebody, perhaps you, signs in to your Gatelodge account with the right password."),
        _origin(from_where, browser),
        _("The code is valid for %(minutes)s minutes.", minutes=MINUTES),
        leading(
            _(
                "If it was not you, somebody may know your password. Give the code to nobody, and choose a "
                "new password:"
            ),
            f"{public_url}/forgotten",
        ),
    )


def reset(code: str, link: str, email: str, public_url: str) -> Text:
    return letter(
        _("Set a new password"),
        _("Your code is %(code)s", code=code),
        opening(
            _("Enter it where you asked for it, or open this link. Both are valid for 20 minutes, once:"),
            link,
        ),
        leading(_("Then sign in with your e-mail, %(email)s, at", email=email), f"{public_url}/sign-in"),
        _(
            "If you did not ask for it, ignore this message: nothing has changed. Give the code to nobody, "
            "whoever asks for it."
        ),
    )


def reset_closed(public_url: str) -> Text:
    """In place of reset(): only passkeys sign in."""
    return letter(
        _("Sign in with a passkey"),
        _(
            "Somebody, perhaps you, asked for a new password. Only passkeys sign in to your account, and a "
            "password would open nothing. Nothing has changed."
        ),
        leading(_("Sign in with one of your passkeys:"), f"{public_url}/sign-in"),
        _("If you have lost them all, write to support."),
    )


def proof_code(code: str) -> Text:
    return letter(
        _("Your code to go on"),
        _("Your code is %(code)s", code=code),
        _(
            "Enter it in the browser that asks for it, to show that it is you. It is valid for %(minutes)s "
            "minutes.",
            minutes=MINUTES,
        ),
        _(
            "If it was not you, somebody is signed in to your account. Give the code to nobody, and end that "
            "session under Security."
        ),
    )


def short_code(code: str) -> Text:
    """As an SMS: nothing but what is needed, in one part (GSM 7-bit: 160 characters, UCS-2: 70)."""
    lines = (
        _("Your code is %(code)s", code=code),
        _("Gatelodge. Valid for %(minutes)s minutes. Give it to nobody.", minutes=MINUTES),
    )
    return Text(_("Code"), "\n".join(lines))


def chat_question(from_where: str, browser: str, buttons: str) -> Text:
    """As a message of a bot, with its buttons (delivery/telegram.py)."""
    paragraphs = (
        _("Somebody, perhaps you, signs in to your Gatelodge account with the right password."),
        _origin(from_where, browser),
        _("Press the number that the browser shows. If it was not you, say so."),
    )
    return Text(_("A new browser asks"), "\n\n".join(paragraphs), buttons)


def push_question(from_where: str, browser: str, sign_in_id: str) -> Text:
    """As a notice of Web Push (delivery/web_push.py). It names no number: that is asked on the page."""
    body = _(
        "%(browser)s, %(place)s. Open this to let it in, or to say that it was not you.",
        browser=browser,
        place=from_where,
    )
    extra = {"link": f"/approvals/{sign_in_id}", "tag": sign_in_id}
    return Text(_("A new browser asks to be let in"), body, json.dumps(extra))


def change_notice(kind: str, about: str, public_url: str) -> Text:
    """In a chat, or as a notice."""
    body = f"{_named(kind, about)} {leading(_(NOT_YOU), f'{public_url}/security')}"
    return Text(_(KINDS[kind]), body, json.dumps({"link": "/security/log"}))


def calling(number: str) -> Text:
    """For the driver of calls (delivery/telephony.py): the number that calls, and in which language."""
    return Text(_("Call"), number, json.dumps({"language": reader().tag}))


def factor_changed(
    kind: str, about: str, undo_link: str, public_url: str, now: float, by_password: bool = True
) -> Text:
    """by_password: whether the link asks for it (undo.py)."""
    undo = _(UNDO_BY_PASSWORD) if by_password else _(UNDO_BY_PROOF)
    return letter(
        _(KINDS[kind]),
        _named(kind, about),
        _time(now),
        _(NOTHING_TO_DO),
        leading(_(NOT_YOU), f"{public_url}/security"),
        opening(undo, undo_link) if undo_link else "",
    )


def undone(kind: str, about: str, public_url: str, now: float) -> Text:
    return letter(
        _("A change was undone"),
        _("This was undone, by the link of the mail that told of it:"),
        _named(kind, about),
        _time(now),
        leading(
            _("Every session has ended, and no browser is trusted. Sign in and look at your security page:"),
            f"{public_url}/security",
        ),
    )


def email_leaves(old: str, new: str, link: str, public_url: str) -> Text:
    return letter(
        _("Confirm your new e-mail"),
        _("Your Gatelodge account is to have the e-mail %(new)s in place of %(old)s.", new=new, old=old),
        opening(_("If it was you, agree here, within a day:"), link),
        _("The new address has to agree too."),
        leading(
            _(
                "If it was not you, do not open the link: somebody is signed in to your account and knows "
                "your password. Choose a new one:"
            ),
            f"{public_url}/forgotten",
        ),
    )


def email_comes(new: str, link: str) -> Text:
    return letter(
        _("Confirm your new e-mail"),
        _("A Gatelodge account is to have the e-mail %(new)s.", new=new),
        opening(_("If it is yours, agree here, within a day:"), link),
        _("The old address has to agree too. If it was not you, ignore this message."),
    )


def email_is_taken(public_url: str) -> Text:
    return letter(
        _("You have a Gatelodge account already"),
        leading(
            _(
                "Somebody, perhaps you, wants this e-mail for another Gatelodge account. It has an account "
                "already, and nothing has changed. Sign in here:"
            ),
            f"{public_url}/sign-in",
        ),
        _("If it was not you, there is nothing to do."),
    )


def waits(kind: str, reason: str, due_at: float, stop_link: str, public_url: str) -> Text:
    what = _(KINDS[kind])
    return letter(
        what,
        _("%(what)s, at %(moment)s.", what=what, moment=figures.local(due_at)),
        _("Reason: %(reason)s", reason=reason) if reason else "",
        _(NOTHING_TO_DO),
        opening(
            _("If it was not you, or you have changed your mind, stop it before then:"),
            stop_link,
        ),
        leading(_("Your account:"), f"{public_url}/security"),
    )


def carried_out(kind: str, public_url: str, now: float) -> Text:
    return letter(_(KINDS[kind]), _named(kind, ""), _time(now), public_url)


def _named(kind: str, about: str) -> str:
    what = _(KINDS[kind])
    if not about:
        return _("%(what)s.", what=what)
    return _("%(what)s: “%(about)s”.", what=what, about=concerning(kind, about))


def _origin(from_where: str, browser: str) -> str:
    return "\n".join((_("From: %(place)s", place=from_where), _("Browser: %(browser)s", browser=browser)))


def _time(at: float) -> str:
    return _("Time: %(moment)s", moment=figures.local(at))
