"""API tokens on the security page: the card that lists them, and the dialogs that make and show one."""

from gatelodge.core import api_tokens
from gatelodge.text import _
from gatelodge.web import scopes, words
from gatelodge.web.html import escape, fill
from gatelodge.web.pages.security_dialogs import dialog, dialog_form, paragraph
from gatelodge.web.pages.security_parts import hint, line, list_of, opening, send, time_told
from gatelodge.web.pages.shell import field

NEW_TOKEN = "new-token"
TOKEN = "token"  # the dialog that shows one, and what comes after the form

_SCOPES = "<fieldset><legend>{title}</legend>{ticks!}</fieldset>"
_TICK = """<label class="tick"><input type="checkbox" name="scopes" value="{scope}"> {words}</label>"""
_LIFETIMES = """<div class="field"><label for="lifetime">{title}</label><select id="lifetime" name="lifetime"
aria-describedby="lifetime-error">{options!}</select><p class="error" id="lifetime-error"
role="alert"></p></div>
"""
_OPTION = '<option value="{value}"{selected!}>{words}</option>'
_SHOWN = """<p class="key" id="made-token"></p><div class="row">
<button type="button" data-copy="#made-token" data-done="{copied}">{copy}</button>
<button type="button" class="primary" data-go="/security">{done}</button></div>
"""


def tokens_card(site):
    rows = site.owner.api_tokens.listed()
    if not rows:
        shown = hint(_("None. With one, a program of yours reads this router without the password."))
    else:
        shown = list_of([_token(site.clock, row) for row in rows])
    if len(rows) >= api_tokens.MOST:
        return shown + hint(_("There are sixteen, and no more fit. Revoke one first."))
    return shown + opening(NEW_TOKEN, _("Create a token"))


def _token(clock, row):
    detail = escape(", ".join(row["scopes"])) + "<br>" + _times(clock, row)
    label = _("Revoke %s") % row["name"]
    button = send("token/revoke", _("Revoke"), row["id"], label=label)
    return line(row["name"], detail, button, _("Over") if row["is_over"] else "")


def _times(clock, row):
    told = [_("Made %s.") % time_told(clock, row["created_at"])]
    if row["last_used_at"] is None:
        told.append(_("Never used."))
    else:
        told.append(_("Last used %s.") % time_told(clock, row["last_used_at"]))
    if row["expires_at"] is not None:
        text = _("Ended %s.") if row["is_over"] else _("Works until %s.")
        told.append(text % escape(words.moment(row["expires_at"])))
    return " ".join(told)


def dialogs():
    return _new() + _made()


def _new():
    name = field("name", _("Name"), id="token-name", type="text", maxlength="40", autocomplete="off")
    ticks = [fill(_TICK, scope=scope, words=_(told)) for scope, told in scopes.listed()]
    chosen = fill(_SCOPES, title=_("It may"), ticks="".join(ticks))
    lead = paragraph(_("Whoever has the token can do this without the password, from the home network."))
    form = dialog_form("token/create", _("Create the token"), name + chosen + _lifetimes(), TOKEN)
    return dialog(NEW_TOKEN, _("Create an API token"), lead + form)


def _lifetimes():
    options = [_lifetime(value) for value in ("30", "90", "365", "none")]
    return fill(_LIFETIMES, title=_("It works for"), options="".join(options))


def _lifetime(value):
    selected = " selected" if value == api_tokens.DEFAULT_LIFETIME else ""
    return fill(_OPTION, value=value, selected=selected, words=_(scopes.LIFETIMES[value]))


def _made():
    """Stays until the token is put away, as the recovery codes do."""
    lead = paragraph(_("Put it where your program finds it. It is shown now and never again."))
    shown = fill(_SHOWN, copy=_("Copy"), copied=_("Copied"), done=_("Done"))
    return dialog(TOKEN, _("Your API token"), lead + shown, ' closedby="none"')
