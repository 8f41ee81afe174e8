"""Security: password, authenticators, recovery codes, API tokens, and who is or was signed in.

Every change asks for proof first (`proof` of its row): the script then shows the dialog of shell.py, and
sends the form again. Only switching two-factor off does not: its form holds the password and a code.
"""

from gatelodge.core.api_tokens import LIFETIMES
from gatelodge.text import N_, P_, _
from gatelodge.web import reply, view, words
from gatelodge.web.pages import enrolment, security_tokens
from gatelodge.web.pages.parts import headline, live_page, qr_drawing
from gatelodge.web.pages.security_cards import Cards, history_rows
from gatelodge.web.pages.security_dialogs import CHANGE_PASSWORD, dialogs
from gatelodge.web.routes import OWNER, api, get, post

ID = 8  # characters of the ids of authenticators, sessions and trusted browsers
FEW_CODES = 3

_DIALOGS = '<div id="dialogs" data-from="/api/security/dialogs"></div>'
_ENDED = N_("Every other session and every trusted browser has ended.")
_ENDED_ALL = N_("Every other session, every trusted browser and every API token has ended.")
_CODES_LEFT = P_("Two-factor is on, %d recovery code left", "Two-factor is on, %d recovery codes left")


PASSWORDS = {"old_password": 256, "password": 256}
NEW = {"secret": 64, "code": 16, "name": 64}
TOKEN = {"name": 64, "lifetime": tuple(sorted(LIFETIMES)), "scopes?": 256}


def change(path, handler, fields, summary, shape="Done"):
    """A row whose handler runs only when a code was given in the last five minutes."""
    return post("/api/security/" + path, OWNER, handler, fields, True, api(summary, shape))


class SecurityPages:
    def __init__(self, site):
        self._site = site
        self._security = site.owner.security
        self._cards = Cards(site)
        self._view = site.views["security"] = view.View(site, (("security", self._standing),))

    def rows(self):
        return [
            get("/security", OWNER, self.page),
            get("/api/security/history", OWNER, self.history),
            get("/api/security/dialogs", OWNER, self.dialogs),
            post("/api/security/strength", OWNER, self.strength, {"password": 256}),
            post(
                "/api/security/two-factor/off",
                OWNER,
                self.switch_off,
                {"password": 256, "code": 64},
                about=api("Switch two-factor off"),
            ),
            change("password", self.password, PASSWORDS, "Change the password"),
            change("authenticator/begin", self.begin, {}, "A secret to add", "NewAuthenticator"),
            change("authenticator/add", self.add, NEW, "Add an authenticator", "Added"),
            change("authenticator/rename", self.rename, {"id": ID, "name": 64}, "Rename an authenticator"),
            change("authenticator/remove", self.remove, {"id": ID}, "Remove an authenticator"),
            change("authenticator/restore", self.restore, {"id": ID}, "Undo that, for ten minutes"),
            change("recovery-codes", self.recovery_codes, {}, "Make ten new ones", "RecoveryCodes"),
            change("session/end", self.end_session, {"id": ID}, "End a session"),
            change("sessions/end", self.end_sessions, {}, "End every other session"),
            change("browser/end", self.end_browser, {"id": ID}, "Trust a browser no more"),
            change("not-me", self.not_me, {}, "End whatever may be somebody else's"),
            change("token/create", self.create_token, TOKEN, "Make a personal token", "NewToken"),
            change("token/revoke", self.revoke_token, {"id": ID}, "Revoke a personal token"),
        ]

    # What is shown

    def page(self, visit, _values):
        body = headline(self._view.now(), "security", self._cards.beside(visit)) + self._cards.undo()
        body += '<div class="cards">' + self._cards.all(visit) + "</div>"
        body = live_page(self._site, "security", body) + _DIALOGS
        return reply.page(self._site.shell.signed_in("/security", _("Security"), body, visit.session))

    def _standing(self, _shown):
        """The largest fact: whether a code is asked for, and whether a lost phone locks the owner out."""
        left = self._security.recovery_codes()[0]
        if not self._security.is_two_factor:
            title, detail, state = _(_OFF[0]), _OFF[1], _OFF[2]
        elif not left:
            title, detail, state = _(_NO_CODE[0]), _NO_CODE[1], _NO_CODE[2]
        else:
            title = words.counted(left, *_CODES_LEFT)
            detail, state = _ON if left > FEW_CODES else _FEW
        return view.told("security", title, _(detail), state)

    def history(self, _visit, _values):
        """Every entry that is kept, as rows for the page's table."""
        return reply.data({"html": history_rows(self._site, self._security.history())})

    def dialogs(self, _visit, _values):
        drawn = dialogs(self._security.is_two_factor) + security_tokens.dialogs()
        return reply.data({"html": drawn})

    def strength(self, _visit, values):
        return reply.data(enrolment.strength_told(self._site.owner.password_strength(values["password"])))

    # What is changed

    def password(self, visit, values):
        self._security.change_password(
            visit.session_token, visit.visitor, values["old_password"], values["password"]
        )
        return _again(N_("The password is changed."), _ENDED_ALL)

    def begin(self, visit, _values):
        new = self._security.begin_authenticator(visit.session_token)
        return reply.data({"secret": new.secret, "qr": qr_drawing(new.uri)})

    def add(self, visit, values):
        codes = self._security.add_authenticator(
            visit.session_token, visit.visitor, values["secret"], values["code"], values["name"]
        )
        if codes:
            return reply.data({"recovery_codes": codes})
        return _again(N_("The authenticator is added."), _ENDED)

    def rename(self, visit, values):
        self._security.rename_authenticator(visit.visitor, values["id"], values["name"])
        return _again(N_("The name is changed."))

    def remove(self, visit, values):
        self._security.remove_authenticator(visit.session_token, visit.visitor, values["id"])
        return _again(N_("The authenticator is removed."), _ENDED)

    def restore(self, visit, values):
        self._security.restore_authenticator(visit.session_token, visit.visitor, values["id"])
        return _again(N_("The authenticator is back."), _ENDED)

    def switch_off(self, visit, values):
        self._security.switch_off(visit.session_token, visit.visitor, values["password"], values["code"])
        return _again(N_("Two-factor is off."), _ENDED)

    def recovery_codes(self, visit, _values):
        codes = self._security.renew_recovery_codes(visit.session_token, visit.visitor)
        return reply.data({"recovery_codes": codes})

    def end_session(self, visit, values):
        self._security.end_session(visit.session_token, visit.visitor, values["id"])
        return _again(N_("The session has ended."))

    def end_sessions(self, visit, _values):
        self._security.end_other_sessions(visit.session_token, visit.visitor)
        return _again(N_("Every other session has ended."))

    def end_browser(self, visit, values):
        self._site.owner.trust.end(values["id"], visit.visitor, visit.session_token)
        return _again(N_("The browser is not trusted any more, and its sessions have ended."))

    def not_me(self, visit, _values):
        """Whoever it was is out; the page then asks for a new password, which they may know."""
        self._security.not_me(visit.session_token, visit.visitor)
        now = N_("Now change the password: somebody may know it.")
        return _again(_ENDED_ALL, now, open_dialog=CHANGE_PASSWORD)

    def create_token(self, visit, values):
        """The token is in this answer, and nowhere afterwards."""
        tokens = self._site.owner.api_tokens
        made = tokens.create(visit.visitor, values["name"], values["scopes"], values["lifetime"])
        return reply.data({"token": made})

    def revoke_token(self, visit, values):
        self._site.owner.api_tokens.revoke(visit.visitor, values["id"])
        return _again(N_("The token is revoked. It opens nothing any more."))


def _again(*sentences, open_dialog=None):
    """Have the page loaded again; it then says the marked sentences, and opens a dialog."""
    say = " ".join([_(sentence) for sentence in sentences])
    return reply.data({"again": True, "say": say, "open": open_dialog})


# (title, detail, state) of the headline; the titles of _ON and _FEW count the codes.
_OFF = (
    N_("Two-factor is off"),
    N_("Whoever learns the password is in. Add an authenticator."),
    "trouble",
)
_NO_CODE = (
    N_("No recovery code is left"),
    N_("If the phone is lost, nothing but the serial console lets you in. Make new codes."),
    "trouble",
)
_FEW = (N_("If the phone is lost, one of them signs you in. Make new codes soon."), "waiting")
_ON = (N_("If the phone is lost, one of them signs you in."), "works")
