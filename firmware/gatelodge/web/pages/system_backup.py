"""Backup and restore on the system page, and the router's name, which is what a backup without secrets keeps.

A backup is made by POST and leaves in the answer, which the script saves as a file: its password is in no
address. A restore sends the file and its password twice: once to tell what is inside, and once to take it
over. So nothing of it waits in the router for an answer.
"""

import binascii
import time

from gatelodge.core import backup
from gatelodge.refusals import refusal
from gatelodge.text import N_, _
from gatelodge.web import reply, words
from gatelodge.web.fields import Encoded
from gatelodge.web.html import escape, fill
from gatelodge.web.pages import enrolment
from gatelodge.web.pages.parts import card, facts
from gatelodge.web.pages.security_dialogs import dialog, paragraph
from gatelodge.web.pages.security_parts import hint, opening
from gatelodge.web.pages.shell import field, form_error
from gatelodge.web.routes import OWNER, api, get, post

BACKUP = "backup"
RESTORE = "restore"

MOST_SENT = backup.MOST_BYTES + 1  # of a file: one byte too many is enough to be told that it is none
LONGEST_FILE = -(-MOST_SENT // 3) * 4  # in base64
MAKE = {"password": 256, "again": 256, "secrets?": ("no", "yes")}
OPEN = {"backup": Encoded(LONGEST_FILE), "password": 256, "act": ("look", "restore")}

_NAME = """<form data-post="/api/system/name" novalidate>{field!}{error!}
<div class="row"><button>{go}</button></div></form>
"""
DIALOGS = '<div id="dialogs" data-from="/api/system/dialogs"></div>'
_MAKE = """<form data-post="/api/system/backup" data-then="backup" novalidate>{fields!}
<label class="tick"><input type="checkbox" name="secrets" value="yes"> {secrets}</label>{note!}{error!}
<div class="row"><button class="primary">{go}</button><button type="button" data-close>{cancel}</button></div>
</form>
"""
# The second button appears once the page tells what is inside, and goes when the file or password changes.
_RESTORE = """<form data-post="/api/system/restore" data-then="inside" novalidate>{fields!}
<div data-inside role="status"></div>{error!}
<div class="row"><button name="act" value="look">{look}</button>
<button class="danger" name="act" value="restore" hidden>{go}</button>
<button type="button" data-close>{cancel}</button></div></form>
"""


class BackupPages:
    def __init__(self, site, update):
        """update: system_update.UpdatePages, whose dialog comes with these."""
        self._site = site
        self._update = update
        self._owner = site.owner

    def rows(self):
        return [
            get("/api/system/dialogs", OWNER, self.dialogs),
            post("/api/system/name", OWNER, self.name, {"name": 64}, about=api("Name the router")),
            _sensitive("backup", self.make, MAKE, "Make a backup", "Backup"),
            _sensitive("restore", self.restore, OPEN, "Look into a backup, or restore it", "Inside"),
        ]

    def cards(self, now):
        """Markup of the cards on the system page. now: of its view."""
        name = field(
            "name",
            _("Name of this router"),
            _("For you to tell it from others. It stays in this router and in its backups."),
            id="router-name",
            type="text",
            value=self._owner.router_name,
            maxlength="40",
            autocomplete="off",
        )
        named = fill(_NAME, field=name, error=form_error(), go=_("Save the name"))
        lead = hint(_("One file, sealed by a password of its own. Without that password nobody can read it."))
        buttons = opening(BACKUP, _("Make a backup")) + " " + opening(RESTORE, _("Restore a backup"))
        kept = lead + '<div class="row">' + buttons + "</div>"
        return card(now, "name", _("Name"), named) + card(now, "backup", _("Backup and restore"), kept)

    def dialogs(self, _visit, _values):
        return reply.data({"html": _making() + _restoring() + self._update.dialog()})

    def name(self, visit, values):
        self._owner.name_router(visit.visitor, values["name"])
        return reply.data({"again": True, "say": _("The name is saved.")})

    def make(self, visit, values):
        """The file is in this answer, and nowhere afterwards."""
        if values["again"] != values["password"]:
            raise refusal("backup_passwords_differ")
        with_secrets = values["secrets"] == "yes"
        version = self._site.version
        file = self._owner.backups.make(visit.visitor, values["password"], with_secrets, version)
        told = _("The backup is made. Keep the file and its password apart.")
        return reply.data({"file": _base64(file), "name": self._file_name(), "say": told})

    def restore(self, visit, values):
        file = _bytes(values["backup"])
        if values["act"] == "look":
            inside = self._owner.backups.look(file, values["password"])
            return reply.data({"inside": _told(inside, self._site.identity.get("serial_number"))})
        inside = self._owner.backups.restore(visit.visitor, file, values["password"])
        if inside.has_secrets:
            told = _("The backup is restored. Sign in with the password and an authenticator from it.")
            return reply.data({"go": "/signin", "say": told})
        return reply.data({"again": True, "say": _("The backup is restored.")})

    def _file_name(self):
        serial_number = self._site.identity.get("serial_number", "router")
        clock = self._site.clock
        date = "%04d-%02d-%02d" % time.gmtime(int(clock.now()))[:3] if clock.is_set else "undated"
        return "gatelodge-%s-%s.backup" % (serial_number, date)


def _sensitive(path, handler, fields, summary, shape):
    """A row whose handler runs only when a code was given in the last five minutes."""
    return post("/api/system/" + path, OWNER, handler, fields, True, api(summary, shape))


def _base64(data):
    return binascii.b2a_base64(data).decode().strip()


def _bytes(text):
    """What is not base64 is no backup, and is told so."""
    try:
        return binascii.a2b_base64(text)
    except ValueError:
        return b""


def _making():
    again = field("again", _("The same password again"), type="password", autocomplete="off", required="")
    fields = enrolment.new_password("/api/security/strength", "backup-password", after=again)
    lead = _("Choose a password for the file. It is needed to restore it, and nobody can find it for you.")
    note = _(
        "Whoever has the file and its password then knows what your authenticators show. The router's own "
        "key, recovery codes, trusted browsers and API tokens are never in it."
    )
    form = fill(
        _MAKE,
        fields=fields,
        secrets=_("Also this router's secrets: its password and authenticators"),
        note=hint(note),
        error=form_error(),
        go=_("Make the backup"),
        cancel=_("Cancel"),
    )
    return dialog(BACKUP, _("Make a backup"), paragraph(lead) + form)


def _restoring():
    fields = field("backup", _("File"), id="backup-file", type="file", data_most=str(MOST_SENT), required="")
    fields += field(
        "password",
        _("Password of the backup"),
        id="restore-password",
        type="password",
        autocomplete="off",
        required="",
    )
    form = fill(
        _RESTORE,
        fields=fields,
        error=form_error(),
        look=_("Show what is inside"),
        go=_("Restore"),
        cancel=_("Cancel"),
    )
    lead = _("Nothing changes before you have seen what is inside.")
    return dialog(RESTORE, _("Restore a backup"), paragraph(lead) + form)


def _told(inside, serial_number):
    """Markup of what a restore would bring. Every text of the file is somebody else's."""
    made = words.moment(inside.made_at) if inside.made_at is not None else _("at an unknown time")
    rows = [
        (_("Made"), escape(made)),
        (_("By firmware"), escape(inside.firmware)),
        (_("From router"), escape(inside.serial_number)),
        (_("Name"), escape(inside.name or _("None"))),
        (_("Secrets"), escape(_secrets(inside))),
    ]
    drawn = facts(rows)
    if inside.serial_number != serial_number:
        drawn += hint(_("That is another router than this one."))
    return drawn + (hint(_(_MEANS)) if inside.has_secrets else "")


def _secrets(inside):
    if not inside.has_secrets:
        return _("None")
    return ", ".join([_("password")] + inside.authenticators)


_MEANS = N_(
    "Restored, its password and authenticators replace those of this router. Every session, trusted browser "
    "and API token ends, and you sign in again. The recovery codes of this router stay. Codes shown until a "
    "minute from now do not work."
)
