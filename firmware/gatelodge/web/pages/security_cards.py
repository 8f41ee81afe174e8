"""The cards of the security page. One that cannot be read says so and takes no other along."""

from gatelodge import compat, log
from gatelodge.core import totp
from gatelodge.text import N_, P_, _
from gatelodge.web import happened, words
from gatelodge.web.html import escape, fill
from gatelodge.web.pages.security_dialogs import (
    CHANGE_AUTHENTICATOR,
    CHANGE_PASSWORD,
    NEW_CODES,
    SWITCH_OFF,
)
from gatelodge.web.pages.security_parts import hint, line, list_of, opening, send, time_told
from gatelodge.web.pages.security_tokens import tokens_card

SHOWN_AT_FIRST = 5  # entries of the history: the page is to weigh little

_CARD = '<section class="card{wide}" id="{name}"><h2>{title}</h2>{body!}</section>\n'
_STACKS = '<div class="stack">{left!}</div><div class="stack">{right!}</div>'
_FAILED = '<p class="note" data-state="trouble">{text}</p>'
_WHO = '<div class="who"><h2>{title}</h2><p>{sessions}{browsers}</p></div>'
_TEXT = "<p>{text!}</p>"
_CHANGE = """<button class="quiet" data-open="{dialog}" data-id="{id}" data-name="{name}"
aria-label="{label}">{text}</button>"""
_UNDO = '<div class="note undo"><p>{text}</p>{form!}</div>'
_CODES_LEFT = """<p class="word">{left}</p><meter min="0" max="{of}" low="4" high="4" optimum="{of}"
value="{count}" aria-label="{label}"></meter>"""
_HISTORY = """<table><thead><tr>{heads!}</tr></thead><tbody id="entries">{rows!}</tbody></table>"""
_ENTRY = """<tr><th scope="row"><span class="pill" data-state="{state}">{result}</span><span
class="quiet">{method}</span></th><td data-label="{when_label}">{when!}</td><td
data-label="{from_label}">{address}<span class="quiet">{browser}</span><span
class="quiet mono">{mac}</span></td></tr>"""
_MORE = """<button data-more="/api/security/history" data-into="#entries">{text}</button>"""
_EMPTY = '<tr class="empty"><td colspan="3">{text}</td></tr>'

_WHEN, _FROM = N_("When"), N_("From")
_SESSIONS = P_("%d session", "%d sessions")
_BROWSERS = P_("%d trusted browser", "%d trusted browsers")


class Cards:
    def __init__(self, site):
        self._site = site
        self._owner = site.owner
        self._security = site.owner.security

    def all(self, visit):
        """The markup of every card."""
        draw = self._card
        factors = draw("authenticators", _("Authenticators"), self._authenticators, visit)
        factors += draw("password", _("Password"), self._password, visit)
        factors += draw("tokens", _("API tokens"), lambda _visit: tokens_card(self._site), visit)
        instead = draw("recovery", _("Recovery codes"), self._recovery, visit)
        instead += draw("browsers", _("Trusted browsers"), self._browsers, visit)
        below = draw("sessions", _("Sessions"), self._sessions, visit, " wide")
        below += draw("history", _("What has happened"), self._history, visit, " wide")
        return fill(_STACKS, left=factors, right=instead) + below

    def beside(self, visit):
        """How many are signed in, beside the headline."""
        sessions = len(self._security.sessions(visit.session_token))
        return fill(
            _WHO,
            title=_("Signed in now"),
            sessions=words.counted(sessions, *_SESSIONS),
            browsers=self._safely("trusted browsers", self._trusted, ""),
        )

    def undo(self):
        """A note for each authenticator that was removed a moment ago, with the way back."""
        notes = []
        for row in self._security.removed():
            form = send("authenticator/restore", _("Undo"), row["id"])
            text = _("“%s” was removed. For 10 minutes it can be brought back.") % row["name"]
            notes.append(fill(_UNDO, text=text, form=form))
        return "".join(notes)

    def _card(self, name, title, draw, visit, wide=""):
        failed = fill(_FAILED, text=_("This part could not be read. Load the page again."))
        body = self._safely(name, lambda: draw(visit), failed)
        return fill(_CARD, wide=wide, name=name, title=title, body=body)

    def _safely(self, name, draw, failed):
        try:
            return draw()
        except Exception as error:
            log.exception("web", "the security page could not show the " + name, error)
            return failed

    def _trusted(self):
        browsers = len(self._owner.trust.listed())
        return ", " + words.counted(browsers, *_BROWSERS) if browsers else ""

    def _password(self, _visit):
        changed = self._time(self._security.password_changed_at())
        shown = fill(_TEXT, text=_("Changed %s.") % changed)
        if not compat.PBKDF2_IS_NATIVE:
            weak = _("This router has no fast library for hashing, so a long password counts for more here.")
            shown += hint(weak)
        return shown + opening(CHANGE_PASSWORD, _("Change the password"))

    def _recovery(self, _visit):
        left, of, made_at = self._security.recovery_codes()
        if not self._security.is_two_factor:
            return hint(_("There are none while two-factor is off."))
        text = _("%d of %d left") % (left, of)
        shown = fill(_CODES_LEFT, left=text, of=of, count=left, label=_("Recovery codes left"))
        made = fill(_TEXT, text=_("Made %s. Each works once.") % self._time(made_at))
        lost = _("Without phone and codes, only the serial console lets you in, after the password.")
        return shown + made + hint(lost) + opening(NEW_CODES, _("Make new codes"))

    def _authenticators(self, _visit):
        rows = [self._authenticator(row) for row in self._owner.status()["authenticators"]]
        add = send("authenticator/begin", _("Add an authenticator"), then="enrol", is_primary=not rows)
        if not rows:
            empty = _("None. With one, a code from your phone is asked for after the password.")
            return hint(empty) + add
        off = opening(SWITCH_OFF, _("Switch two-factor off"))
        return list_of(rows) + '<div class="row">' + add + off + "</div>"

    def _authenticator(self, row):
        detail = _("Last used %s.") % self._time(row["last_used_at"])
        if row["drift_steps"]:
            detail += " " + escape(drift(row["drift_steps"]))
        button = fill(
            _CHANGE,
            dialog=CHANGE_AUTHENTICATOR,
            id=row["id"],
            name=row["name"],
            label=_("Change %s") % row["name"],
            text=_("Change"),
        )
        return line(row["name"], detail, button)

    def _browsers(self, _visit):
        rows = []
        for row in self._owner.trust.listed():
            name = happened.browser(row["browser"]) or _("Unknown browser")
            detail = _("Last used %s from %s.") % (self._time(row["last_used_at"]), escape(row["address"]))
            button = send("browser/end", _("Remove"), row["id"], label=_("Remove %s") % name)
            rows.append(line(name, detail, button))
        if not rows:
            empty = _("None. A browser that you trust when you sign in skips the code for 30 days.")
            return hint(empty)
        return list_of(rows)

    def _sessions(self, visit):
        found = self._security.sessions(visit.session_token)
        rows = [self._session(row) for row in found]
        others = send("sessions/end", _("End every other session")) if len(found) > 1 else ""
        return list_of(rows) + others

    def _session(self, row):
        name = happened.browser(row["browser"]) or _("Unknown browser")
        since = self._time(row["created_at"])
        detail = _("%s, signed in %s %s.") % (
            escape(row["address"]),
            since,
            escape(happened.method(row["method"])),
        )
        if row["is_this"]:
            return line(name, detail, mark=_("This one"))
        label = _("End the session of %s at %s") % (name, row["address"])
        button = send("session/end", _("End"), row["id"], label=label)
        return line(name, detail, button)

    def _history(self, _visit):
        entries = self._security.history(SHOWN_AT_FIRST + 1)
        heads = (N_("What"), _WHEN, _FROM)
        heads = "".join(["<th scope=col>" + escape(_(head)) + "</th>" for head in heads])
        rows = history_rows(self._site, entries[:SHOWN_AT_FIRST])
        more = fill(_MORE, text=_("Show the last 50")) if len(entries) > SHOWN_AT_FIRST else ""
        doubt = _(
            "Is there something that you did not do? This ends every other session, every trusted browser "
            "and every API token, and asks for a new password."
        )
        not_me = fill(_TEXT, text=escape(doubt)) + send("not-me", _("This was not me"))
        table = fill(_HISTORY, heads=heads, rows=rows)
        return table + more + '<div class="doubt">' + not_me + "</div>"

    def _time(self, unix_s):
        return time_told(self._site.clock, unix_s)


def history_rows(site, entries):
    """Rows of the table of the history, from owner.history.History.entries."""
    rows = "".join([_entry(site.clock, entry) for entry in entries])
    return rows or fill(_EMPTY, text=_("Nothing yet. Every sign-in and every change will be here."))


def _entry(clock, entry):
    result, state = happened.result(entry["result"])
    return fill(
        _ENTRY,
        state=state,
        result=result,
        method=happened.method(entry["method"]),
        when=time_told(clock, entry["at"]),
        address=entry["address"],
        browser=happened.browser(entry["browser"]),
        mac=entry["mac"],
        when_label=_(_WHEN),
        from_label=_(_FROM),
    )


def drift(steps):
    """How far an authenticator's clock is off, as far as codes tell."""
    text = _("Its clock is about %d s ahead.") if steps > 0 else _("Its clock is about %d s behind.")
    return text % (abs(steps) * totp.STEP_S)
