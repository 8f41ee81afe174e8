"""A mail server on the loopback (aiosmtpd), as plain, encrypted or strict as a test wants it."""

from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from host_tools.cloud.delivery.config import NONE, STARTTLS, TLS, Delivery, SmtpSettings
from tests.host_tools.cloud_rig import free_port

USER, PASSWORD = "gatelodge", "the mail server's password"


class Inbox:
    """aiosmtpd's handler: keeps what came and over what, or answers with `refusal` (to `refuse`)."""

    def __init__(self):
        self.mails, self.encrypted, self.logins = [], [], []
        self.refusal, self.refuse, self.tried = None, "DATA", 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refusal and self.refuse == "RCPT":
            self.tried += 1
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.tried += 1
        if self.refusal:
            return self.refusal
        self.mails.append(envelope)
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == (USER, PASSWORD), handled=False)

    def settings(self, **changed):
        known = {"host": "127.0.0.1", "port": self.port, "security": self.security}
        return SmtpSettings(**{**known, **changed})

    def delivery(self, **changed):
        return Delivery(smtp=self.settings(**changed))


@contextmanager
def mail_server(security=NONE, context=None, login=False):
    """context: the server's, where it speaks TLS. login: nothing is taken without USER and PASSWORD."""
    inbox = Inbox()
    inbox.port, inbox.security = free_port(), security
    options = {"authenticator": inbox.authenticate, "auth_required": True} if login else {}
    if login and security != STARTTLS:
        options["auth_require_tls"] = False  # aiosmtpd knows of TLS only what STARTTLS began
    if security == STARTTLS:
        options |= {"tls_context": context, "require_starttls": True}
    if security == TLS:
        options["ssl_context"] = context
    controller = Controller(inbox, "127.0.0.1", inbox.port, **options)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()
