"""Mail by SMTP (RFC 5321), with STARTTLS wherever the server offers it."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import aiosmtplib

from host_tools.cloud.delivery.post import SEND_TIMEOUT_S, DeliveryError
from host_tools.cloud.store.models import Message


class Smtp:
    def __init__(self, host: str, port: int, sender: str):
        self._host = host
        self._port = port
        self._sender = sender

    async def send(self, message: Message) -> None:
        try:
            await aiosmtplib.send(
                composed(message, self._sender), hostname=self._host, port=self._port, timeout=SEND_TIMEOUT_S
            )
        except aiosmtplib.SMTPException as error:
            raise DeliveryError(_reason(error)) from error


def composed(message: Message, sender: str) -> EmailMessage:
    """The mail. Auto-Submitted keeps out-of-office replies away (RFC 3834, 5). Raises DeliveryError."""
    mail = EmailMessage()
    mail["From"] = f"Gatelodge <{sender}>"
    mail["To"] = message.recipient
    # A comma, a comment or an encoded word (RFC 2047) in it would send the mail to somebody else as well.
    if [address.addr_spec for address in mail["To"].addresses] != [message.recipient]:
        raise DeliveryError("the recipient is not one address")
    mail["Subject"] = message.subject
    mail["Date"] = formatdate(message.created_at)
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body)
    return mail


def _reason(error: aiosmtplib.SMTPException) -> str:
    """The server's code, or the kind of failure: its text may repeat the recipient."""
    code = getattr(error, "code", None)
    return f"the mail server answered {code}" if code else type(error).__name__
