"""A mail server on the loopback (aiosmtpd), as plain, encrypted or strict as a test wants it."""

import asyncio
import base64
from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from host_tools.cloud.delivery.config import NONE, STARTTLS, TLS, Delivery, SmtpSettings
from tests.host_tools.cloud_rig import free_port

USER, PASSWORD = "gatelodge", "the mail server's password"


JSON_FAULT = '{"status":"invalid_token"}'


class Inbox:
    """aiosmtpd's handler: keeps what came and over what, or answers with `refusal` (to `refuse`),
    or not at all while it is `silent` (at DATA, at QUIT)."""

    def __init__(self):
        self.mails, self.encrypted, self.logins = [], [], []
        self.refusal, self.refuse, self.tried = None, "DATA", 0
        self.silent = None

    async def answers(self, step):
        """Not while it is `silent` at that step."""
        while self.silent == step:
            await asyncio.sleep(0.02)

    async def handle_QUIT(self, server, session, envelope):
        await self.answers("QUIT")
        return "221 Bye"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refusal and self.refuse == "RCPT":
            self.tried += 1
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.tried += 1
        await self.answers("DATA")
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


class TokenInbox(Inbox):
    """Takes bearer tokens alone: RFC 7628, or Google's frame of before."""

    def __init__(self, tokens):
        super().__init__()
        self.tokens, self.ended, self.frames = tokens, [], []

    async def _take(self, server, args, end):
        """A fault is a challenge, which the client has to end."""
        blob = base64.b64decode(args[1]) if len(args) > 1 else await server.challenge_auth("")
        self.frames.append(blob.decode())
        pairs = dict(pair.split("=", 1) for pair in self.frames[-1].split("\x01") if "=" in pair)
        kind, _, token = pairs["auth"].partition(" ")
        self.logins.append(args[0])
        if kind == "Bearer" and self.tokens.takes(token):
            return AuthResult(success=True, auth_data=token)
        self.ended.append(await server.challenge_auth(JSON_FAULT) == end)
        return AuthResult(success=False, handled=False)


class BearerInbox(TokenInbox):
    async def auth_OAUTHBEARER(self, server, args):
        return await self._take(server, args, b"\x01")


class Xoauth2Inbox(TokenInbox):
    async def auth_XOAUTH2(self, server, args):
        return await self._take(server, args, b"")


class ExternalInbox(Inbox):
    """Takes whom the line's certificate names (RFC 4422 appendix A)."""

    async def auth_EXTERNAL(self, server, args):
        certificate = server.transport.get_extra_info("peercert")
        self.logins.append((args[1], certificate is not None))
        return AuthResult(success=certificate is not None, auth_data=args[1])


@contextmanager
def mail_server(security=NONE, context=None, login=False, inbox=None):
    """context: the server's, where it speaks TLS. login: nothing is taken without USER and PASSWORD.

    inbox: in the place of the usual one, and nothing is taken without what it asks for.
    """
    login, inbox = login or inbox is not None, inbox or Inbox()
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
