"""A real SMTP server on the loopback address that keeps what it gets and refuses on demand."""

from __future__ import annotations

import socket
import ssl
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"
USER, PASSWORD = "hub", "a password that no log may show"


class Mailbox:
    """The server's handler: `refuse` is what RCPT is answered, `refuse_data` what DATA is."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = self.refuse_data = ""
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.refuse_data:
            return self.refuse_data
        content = cast(bytes, envelope.original_content)
        self.mails.append(cast(EmailMessage, BytesParser(policy=default).parsebytes(content)))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to one person."""
        return [mail for mail in self.mails if mail["To"] == address]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _known(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else ()
    return AuthResult(success=given == (USER, PASSWORD), handled=False)


def serve(mailbox: Mailbox, **options: Any) -> Controller:
    """Start it; `tls_context` and so on are the library's options."""
    mailbox.port = free_port()
    controller = Controller(mailbox, hostname=HOST, port=mailbox.port, **options)
    controller.start()
    return controller


def serve_with_login(mailbox: Mailbox, context: ssl.SSLContext) -> Controller:
    """The same, asking for STARTTLS and a login."""
    return serve(
        mailbox, tls_context=context, require_starttls=True, authenticator=_known,
        auth_required=True,
    )  # fmt: skip
