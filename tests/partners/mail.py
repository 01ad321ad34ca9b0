"""A mail server on the loopback address that keeps the last e-mails, for those who practise."""

from __future__ import annotations

from collections import deque
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"
KEPT = 20


class Letters:
    """The server's handler: takes every e-mail and keeps what a person reads of it."""

    def __init__(self) -> None:
        self.last: deque[dict[str, str]] = deque(maxlen=KEPT)

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = cast(bytes, envelope.original_content)
        mail = cast(EmailMessage, BytesParser(policy=default).parsebytes(content))
        plain = mail.get_body(("plain",))
        text = str(plain.get_content()).strip() if plain else ""
        self.last.appendleft({"to": mail["To"], "subject": mail["Subject"], "text": text})
        return "250 OK"

    def listen(self, port: int) -> Controller:
        """Start the server; stop what is handed back."""
        # Here, as the partners of a bench take no e-mails and have no library for it.
        from aiosmtpd.controller import Controller

        controller = Controller(self, hostname=LOOPBACK, port=port)
        controller.start()
        return controller
