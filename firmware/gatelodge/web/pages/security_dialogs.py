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
_ENDS_ALL = N_("Every other session, every trusted browser and every API token ends.")


def dialogs(is_two_factor):
    """All that the page can open."""
    drawn = _password() + _enrol() + _codes()
    return drawn + (_authenticator() + _off() + _new_codes() if is_two_factor else "")


def dialog(name, title, body, more=""):
    return fill(_DIALOG, id=name, title=title, body=body, more=more)


def dialog_form(path, go, fields="", then="", kind="primary", with_cancel=True):
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


def paragraph(text):
    return fill(_LEAD, text=text)


def _password_field(name, label):
    return field(name, label, id=name + "-now", type="password", autocomplete="current-password", required="")


def _password():
    old = _password_field("old_password", _("Password until now"))
    fields = enrolment.new_password("/api/security/strength", "new-password", old)
    return dialog(
        CHANGE_PASSWORD,
        _("Change the password"),
        paragraph(_(_ENDS_ALL)) + dialog_form("password", _("Change the password"), fields),
    )


def _enrol():
    fields = fill(_HIDDEN, name="secret") + enrolment.authenticator_name(_("New phone"), "enrol-name")
    fields += code_field(
        _("Six-digit code"), _("From the app. It changes every 30 seconds."), id="enrol-code"
    )
    lead = _("Scan the picture with an authenticator app, then enter the code that it shows.")
    body = paragraph(lead + " " + _(_ENDS)) + enrolment.authenticator()
    body += dialog_form("authenticator/add", _("Add the authenticator"), fields, CODES)
    return dialog(ENROL, _("Add an authenticator"), body)


def _authenticator():
    name = _HIDDEN_ID + enrolment.authenticator_name("", "changed-name")
    removing = paragraph(_("Removed, its codes stop working.") + " " + _(_ENDS) + " " + _(_UNDO))
    body = dialog_form("authenticator/rename", _("Save the name"), name) + '<div class="doubt">' + removing
    body += dialog_form("authenticator/remove", _("Remove it"), _HIDDEN_ID, kind="danger", with_cancel=False)
    return dialog(CHANGE_AUTHENTICATOR, _("Change the authenticator"), body + "</div>")


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
    form = dialog_form("two-factor/off", _("Switch two-factor off"), fields, kind="danger")
    return dialog(SWITCH_OFF, _("Switch two-factor off"), paragraph(lead + " " + _(_ENDS)) + form)


def _new_codes():
    lead = paragraph(_("The codes until now stop working.") + " " + _(_ENDS))
    form = dialog_form("recovery-codes", _("Make new codes"), then=CODES)
    return dialog(NEW_CODES, _("Make ten new recovery codes"), lead + form)


def _codes():
    """Stays until the codes are put away: closedby none keeps Escape from closing it."""
    body = paragraph(_(enrolment.CODES_LEAD)) + enrolment.recovery_codes("/security", _("Done"))
    return dialog(CODES, _(enrolment.CODES_TITLE), body, ' closedby="none"')


_HIDDEN_ID = fill(_HIDDEN, name="id")
_UNDO = N_("For 10 minutes you can undo it.")
