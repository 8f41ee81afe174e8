"""The dialogs of the security page. A button names one by its id in data-open.

The script asks for them all when the first is wanted: the page itself is to weigh little.
"""

from gatelodge.text import N_, _
from gatelodge.web.html import fill
from gatelodge.web.pages import enrolment
from gatelodge.web.pages.shell import USERNAME, code_field, field, form_error

CHANGE_PASSWORD = "change-password"
ENROL = "enrol"
CHANGE_AUTHENTICATOR = "change-authenticator"
SWITCH_OFF = "switch-off"
NEW_CODES = "new-codes"
CODES = "codes"

_DIALOG = """<dialog id="{id}" aria-labelledby="{id}-title"{more!}><h2 id="{id}-title">{title}</h2>
{body!}</dialog>
"""
_LEAD = "<p>{text}</p>"
_FORM = """<form data-post="/api/security/{path}"{then!} novalidate>{fields!}{error!}
<div class="row"><button class="{kind}">{go}</button>{cancel!}</div></form>"""
_CANCEL = '<button type="button" data-close>{cancel}</button>'
_HIDDEN = '<input type="hidden" name="{name}">'

_ENDS = N_("Every other session and every trusted browser ends.")


def dialogs(is_two_factor):
    """All that the page can open."""
    drawn = _password() + _enrol() + _codes()
    return drawn + (_authenticator() + _off() + _new_codes() if is_two_factor else "")


def _dialog(name, title, body, more=""):
    return fill(_DIALOG, id=name, title=title, body=body, more=more)


def _form(path, go, fields="", then="", kind="primary", with_cancel=True):
    return fill(
        _FORM,
        path=path,
        go=go,
        fields=fields,
        then=' data-then="' + then + '"' if then else "",
        error=form_error(),
        kind=kind,
        cancel=fill(_CANCEL, cancel=_("Cancel")) if with_cancel else "",
    )


def _lead(text):
    return fill(_LEAD, text=text)


def _password_field(name, label):
    return field(name, label, id=name + "-now", type="password", autocomplete="current-password", required="")


def _password():
    old = _password_field("old_password", _("Password until now"))
    fields = enrolment.new_password("/api/security/strength", "new-password", old)
    return _dialog(
        CHANGE_PASSWORD,
        _("Change the password"),
        _lead(_(_ENDS)) + _form("password", _("Change the password"), fields),
    )


def _enrol():
    fields = fill(_HIDDEN, name="secret") + enrolment.authenticator_name(_("New phone"), "enrol-name")
    fields += code_field(
        _("Six-digit code"), _("From the app. It changes every 30 seconds."), id="enrol-code"
    )
    lead = _("Scan the picture with an authenticator app, then enter the code that it shows.")
    body = _lead(lead + " " + _(_ENDS)) + enrolment.authenticator()
    body += _form("authenticator/add", _("Add the authenticator"), fields, CODES)
    return _dialog(ENROL, _("Add an authenticator"), body)


def _authenticator():
    name = _HIDDEN_ID + enrolment.authenticator_name("", "changed-name")
    removing = _lead(_("Removed, its codes stop working.") + " " + _(_ENDS) + " " + _(_UNDO))
    body = _form("authenticator/rename", _("Save the name"), name) + '<div class="doubt">' + removing
    body += _form("authenticator/remove", _("Remove it"), _HIDDEN_ID, kind="danger", with_cancel=False)
    return _dialog(CHANGE_AUTHENTICATOR, _("Change the authenticator"), body + "</div>")


def _off():
    fields = USERNAME + _password_field("password", _("Password"))
    fields += field(
        "code",
        _("Six-digit code"),
        _("From your authenticator app. A recovery code works too."),
        id="off-code",
        type="text",
        autocomplete="one-time-code",
        maxlength="16",
        required="",
    )
    lead = _("The password alone then opens this page. Every authenticator and recovery code is dropped.")
    form = _form("two-factor/off", _("Switch two-factor off"), fields, kind="danger")
    return _dialog(SWITCH_OFF, _("Switch two-factor off"), _lead(lead + " " + _(_ENDS)) + form)


def _new_codes():
    lead = _lead(_("The codes until now stop working.") + " " + _(_ENDS))
    form = _form("recovery-codes", _("Make new codes"), then=CODES)
    return _dialog(NEW_CODES, _("Make ten new recovery codes"), lead + form)


def _codes():
    """Stays until the codes are put away: closedby none keeps Escape from closing it."""
    body = _lead(_(enrolment.CODES_LEAD)) + enrolment.recovery_codes("/security", _("Done"))
    return _dialog(CODES, _(enrolment.CODES_TITLE), body, ' closedby="none"')


_HIDDEN_ID = fill(_HIDDEN, name="id")
_UNDO = N_("For 10 minutes you can undo it.")
