"""What is written to people about their account. A code stands in the body, never in a subject."""

from __future__ import annotations

import json
import time

from host_tools.cloud.delivery.texts import FOOT, Text

MINUTES = 10  # that a code is valid (codes.CODE_S)


def sign_in_code(code: str, from_where: str, browser: str, public_url: str) -> Text:
    return Text(
        "Your code to sign in",
        f"Your code is {code}\n\nSomebody, perhaps you, signs in to your Gatelodge account with the right "
        f"password.\n\nFrom: {from_where}\nBrowser: {browser}\n\nThe code is valid for {MINUTES} minutes.\n\n"
        "If it was not you, somebody may know your password. Give the code to nobody, and choose a new "
        f"password:\n{public_url}/forgotten" + FOOT,
    )


def reset(code: str, link: str, email: str, public_url: str) -> Text:
    return Text(
        "Set a new password",
        f"Your code is {code}\n\nEnter it where you asked for it, or open this link. Both are valid for 20 "
        f"minutes, once:\n{link}\n\nThen sign in with your e-mail, {email}, at\n{public_url}/sign-in\n\n"
        "If you did not ask for it, ignore this message: nothing has changed. Give the code to nobody, "
        "whoever asks for it." + FOOT,
    )


def proof_code(code: str) -> Text:
    return Text(
        "Your code to go on",
        f"Your code is {code}\n\nEnter it in the browser that asks for it, to show that it is you. It is "
        f"valid for {MINUTES} minutes.\n\nIf it was not you, somebody is signed in to your account. Give the "
        "code to nobody, and end that session under Security." + FOOT,
    )


def short_code(code: str) -> Text:
    """As an SMS: nothing but what is needed, in one part."""
    return Text("Code", f"Your code is {code}\nGatelodge. Valid for {MINUTES} minutes. Give it to nobody.")


def chat_question(from_where: str, browser: str, buttons: str) -> Text:
    """As a message of a bot, with its buttons (delivery/telegram.py)."""
    return Text(
        "A new browser asks",
        "Somebody, perhaps you, signs in to your Gatelodge account with the right password.\n\n"
        f"From: {from_where}\nBrowser: {browser}\n\n"
        "Press the number that the browser shows. If it was not you, say so.",
        buttons,
    )


def push_question(from_where: str, browser: str, sign_in_id: str) -> Text:
    """As a notice of Web Push (delivery/web_push.py). It names no number: that is asked on the page."""
    extra = {"link": f"/approvals/{sign_in_id}", "tag": sign_in_id}
    body = f"{browser}, {from_where}. Open this to let it in, or to say that it was not you."
    return Text("A new browser asks to be let in", body, json.dumps(extra))


def change_notice(what: str, about: str, public_url: str) -> Text:
    """In a chat, or as a notice: `what` is a sentence of events.KINDS."""
    named = f"{what}: “{about}”" if about else what
    body = f"{named}. If it was not you, look at your security page at once:\n{public_url}/security"
    return Text(what, body, json.dumps({"link": "/security/log"}))


def calling(number: str) -> Text:
    """For the driver of calls: the number that calls."""
    return Text("Call", number)


def factor_changed(what: str, about: str, undo_link: str, public_url: str, now: float) -> Text:
    """`what`: a sentence of events.KINDS; `about`: the name of what changed."""
    moment = time.strftime("%d %b %Y, %H:%M UTC", time.gmtime(now))
    named = f"{what}: “{about}”" if about else what
    undo = (
        f"Undo it, and end every session, within 3 days, with the password of before:\n{undo_link}\n\n"
        if undo_link
        else ""
    )
    return Text(
        what,
        f"{named}.\n\nTime: {moment}\n\nIf it was you, there is nothing to do.\n\n"
        f"If it was not you, look at your security page at once:\n{public_url}/security\n\n{undo}" + FOOT,
    )


def undone(what: str, about: str, public_url: str, now: float) -> Text:
    """`what`: a sentence of events.KINDS; `about`: the name of what had changed."""
    moment = time.strftime("%d %b %Y, %H:%M UTC", time.gmtime(now))
    named = f"{what}: “{about}”" if about else what
    return Text(
        "A change was undone",
        f"This was undone, by the link of the mail that told of it:\n\n{named}.\n\nTime: {moment}\n\n"
        "Every session has ended, and no browser is trusted. Sign in and look at your security page:\n"
        f"{public_url}/security" + FOOT,
    )


def email_leaves(old: str, new: str, link: str, public_url: str) -> Text:
    return Text(
        "Confirm your new e-mail",
        f"Your Gatelodge account is to have the e-mail {new} in place of {old}.\n\n"
        f"If it was you, agree here, within a day:\n{link}\n\nThe new address has to agree too.\n\n"
        "If it was not you, do not open the link: somebody is signed in to your account and knows your "
        f"password. Choose a new one:\n{public_url}/forgotten" + FOOT,
    )


def email_comes(new: str, link: str) -> Text:
    return Text(
        "Confirm your new e-mail",
        f"A Gatelodge account is to have the e-mail {new}.\n\nIf it is yours, agree here, within a day:\n"
        f"{link}\n\nThe old address has to agree too. If it was not you, ignore this message." + FOOT,
    )


def email_is_taken(public_url: str) -> Text:
    return Text(
        "You have a Gatelodge account already",
        "Somebody, perhaps you, wants this e-mail for another Gatelodge account. It has an account already, "
        f"and nothing has changed. Sign in here:\n{public_url}/sign-in\n\n"
        "If it was not you, there is nothing to do." + FOOT,
    )


def waits(what: str, reason: str, due_at: float, stop_link: str, public_url: str) -> Text:
    """`what`: a sentence of events.KINDS."""
    moment = time.strftime("%d %b %Y, %H:%M UTC", time.gmtime(due_at))
    why = f"Reason: {reason}\n\n" if reason else ""
    return Text(
        what,
        f"{what}, at {moment}.\n\n{why}If it was you, there is nothing to do.\n\n"
        f"If it was not you, or you have changed your mind, stop it before then:\n{stop_link}\n\n"
        f"Your account:\n{public_url}/security" + FOOT,
    )


def carried_out(what: str, public_url: str, now: float) -> Text:
    moment = time.strftime("%d %b %Y, %H:%M UTC", time.gmtime(now))
    return Text(what, f"{what}.\n\nTime: {moment}\n\n{public_url}" + FOOT)
