"""Mail by SMTP (RFC 5321): encrypted and to a verified server, or to this computer."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import aiosmtplib

from host_tools.cloud.accounts.emails import on_the_wire
from host_tools.cloud.delivery.config import NONE, STARTTLS, TLS, SmtpSettings
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.smtp_sign_in import sign_in
from host_tools.cloud.delivery.token_source import TokenSource
from host_tools.cloud.store.models import Message

STEP_TIMEOUT_S = 15  # for one answer of the server; it may look up our name before the first
GOODBYE_S = 2
PERMANENT = range(500, 600)  # RFC 5321 section 4.2.1


class Smtp:
    at_once = 4

    def __init__(self, settings: SmtpSettings, tokens: TokenSource | None = None):
        """tokens: where they come from, where the settings say that we sign in by them."""
        self._settings = settings
        self._tokens = tokens
        self._context = None if settings.security == NONE else _context(settings)

    async def send(self, message: Message) -> str:
        mail = composed(message, self._settings.sender)
        client = self._client()
        try:
            await client.connect()
            await sign_in(client, self._settings, self._tokens)
            await client.send_message(mail)
            await _say_goodbye(client)
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            if client.is_connected:
                await _say_goodbye(client)  # RFC 5321 section 4.1.1.10
            raise _failure(error) from None  # the library's error quotes the server, who may quote the mail
        finally:
            client.close()
        return ""  # a mail that bounces later comes back to the sender's address

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._settings.host,
            port=self._settings.port,
            use_tls=self._settings.security == TLS,
            start_tls=self._settings.security == STARTTLS,
            tls_context=self._context,
            timeout=STEP_TIMEOUT_S,
        )

    async def arrived(self, message: Message) -> bool:
        return True


async def _say_goodbye(client: aiosmtplib.SMTP) -> None:
    """The server has the mail, whatever it says to this: it must not be sent again for that."""
    with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(GOODBYE_S):
            await client.quit()


def composed(message: Message, sender: str) -> EmailMessage:
    """The mail. Auto-Submitted keeps out-of-office replies away (RFC 3834, 5). Raises DeliveryError."""
    mail = EmailMessage()
    recipient = on_the_wire(message.recipient)  # many servers take no other script (RFC 6531)
    try:
        mail["From"] = f"Gatelodge <{sender}>"
        mail["To"] = recipient or ""
        mail["Subject"] = message.subject
    except ValueError:
        raise DeliveryError("the mail's header holds what none may", permanent=True) from None
    # A comma, a comment or an encoded word (RFC 2047) in it would send the mail to somebody else as well.
    if [address.addr_spec for address in mail["To"].addresses] != [recipient]:
        raise DeliveryError("the recipient is not one address", permanent=True)
    mail["Date"] = formatdate(message.created_at)
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body)
    return mail


def _context(settings: SmtpSettings) -> ssl.SSLContext:
    """With the certificate by which the server knows us, where there is one."""
    context = ssl.create_default_context(cafile=settings.ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.certificate_file:
        # A key that wants a password is refused: nobody is there to be asked.
        context.load_cert_chain(settings.certificate_file, settings.key_file, password=lambda: "")
    return context


def _failure(error: Exception) -> DeliveryError:
    """The server's code, or the kind of failure.

    A 5xx about the recipient or the text is final. One about our name, our password or our sender is the
    operator's to mend, and keeps nobody's message from being tried again.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    code = getattr(error, "code", None)
    if not code:
        return DeliveryError(f"the mail server cannot be used ({type(error).__name__})")
    theirs = isinstance(error, (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError))
    return DeliveryError(f"the mail server answered {code}", permanent=theirs and code in PERMANENT)
