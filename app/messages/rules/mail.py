"""An e-mail as a delivery keeps it, as the standard wants it, and what a server's answer means."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from app import clock
from app.access.rules.emails import normal_email
from app.payloads import dump_json

NOT_YET, NO, NOT_US = "mail_later", "bad_address", "mail_auth"
AUTH_CODES = frozenset({530, 534, 535, 538})


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail to one person."""

    to: str
    subject: str
    text: str
    html: str = ""

    def as_body(self) -> bytes:
        """The e-mail as a delivery keeps it."""
        return dump_json(asdict(self))

    @classmethod
    def read(cls, body: bytes) -> Mail:
        """The e-mail in a delivery."""
        return cls(**json.loads(body))


def usable(address: object) -> str:
    """The address in the form to send to, '' for what is none."""
    return normal_email(str(address or ""))


def composed(mail: Mail, sender: str, message_id: str, now: int) -> EmailMessage:
    """The message on the wire; its id is the same on every attempt."""
    name, _, address = sender.rpartition("<")
    address = address.rstrip("> ")
    message = EmailMessage()
    message["From"] = Address(name.strip(' "'), addr_spec=address)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(clock.to_datetime(now))
    message["Message-ID"] = f"<{message_id}@{address.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    return message


def meaning(code: int) -> str:
    """The error class of a server's refusal: 4xx passes, 5xx does not."""
    if code in AUTH_CODES:
        return NOT_US
    return NO if 500 <= code < 600 else NOT_YET
