"""The card and the dialog of system_update.py. Loaded for the page that is drawn, and unloaded after it."""

from gatelodge.text import N_, _
from gatelodge.web.html import escape, fill
from gatelodge.web.pages.parts import card, facts
from gatelodge.web.pages.security_dialogs import dialog, paragraph
from gatelodge.web.pages.security_parts import hint, opening
from gatelodge.web.pages.shell import field, form_error

NAME = "gatelodge.web.pages.system_update_parts"
UPDATE = "firmware-update"

_ACT = """<form data-post="/api/system/firmware/start"><button{kind!}>{go}</button>{error!}</form>"""
_FORM = """<form data-post="/api/system/firmware/ask" novalidate>{field!}
<label class="tick"><input type="checkbox" name="older" value="yes"> {older}</label>
<progress max="1" value="0" aria-label="{progress}" hidden></progress>{error!}
<div class="row"><button class="primary">{go}</button><button type="button" data-close>{cancel}</button></div>
</form>
"""

# state of the last update -> what the card says of it, of (version, version before).
_TOLD = {
    "waiting": N_("Version %s is installed. It runs after the next start; if it fails, %s comes back."),
    "done": N_("Updated to %s. Before that, %s ran."),
    "failed": N_("Version %s did not start. Version %s runs, as before."),
}


def drawn(now, told):
    """Markup of the card. now: of the page's view. told: owner.updates.Told."""
    rows = [(_("Running"), escape(told.running))]
    if told.other is not None:
        rows.append((_("In the other slot"), escape(told.other)))
    body = facts(rows)
    update = told.update
    if update is not None:
        body += hint(_(_TOLD[update["state"]]) % (update["version"], update["before"]))
    buttons = opening(UPDATE, _("Install an update"))
    if told.can_switch:
        buttons = _act(told.other, update is not None and update["state"] == "waiting") + buttons
    return card(now, "firmware", _("Firmware"), body + '<div class="row">' + buttons + "</div>")


def _act(version, is_waiting):
    go = _("Restart into version %s") if is_waiting else _("Switch to version %s")
    kind = ' class="primary"' if is_waiting else ""
    return fill(_ACT, go=go % version, kind=kind, error=form_error())


def updating():
    """Markup of the dialog."""
    hint_text = _("A file gatelodge-*.tar of this router's maker.")
    chosen = field("bundle", _("Signed bundle"), hint_text, type="file", required="")
    form = fill(
        _FORM,
        field=chosen,
        older=_("Install it even if it is older"),
        progress=_("How much has arrived"),
        error=form_error(),
        go=_("Check and install"),
        cancel=_("Cancel"),
    )
    lead = _("Only what the maker has signed is installed. What runs now stays until the new firmware works.")
    return dialog(UPDATE, _("Install an update"), paragraph(lead) + form)
