"""The sender of deliveries of kind `email`: SMTP with TLS, bounded waits, codes told apart."""

from __future__ import annotations

import smtplib
import socket
import ssl
from email.errors import MessageError
from email.message import EmailMessage

from flask import current_app
from msgspec.structs import replace

from app import clock
from app.config import Settings
from app.deliveries.actions.claim import Claimed
from app.deliveries.rules.message import message_id
from app.messages.rules.mail import NO, Mail, composed, meaning
from app.systems.rules.answer import Answer

SHOWN = 300
NOTHING = Answer(None, b"", {}, 0)


def send(row: Claimed) -> Answer:
    """Send one e-mail; every failure is an Answer."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.smtp_host:
        return replace(NOTHING, error_class="not_configured")
    started = clock.monotonic()
    answer = _attempt(Mail.read(row.body), message_id(row.id, row.created_at), settings)
    latency = round((clock.monotonic() - started) * 1000)
    return replace(answer, latency_ms=latency, url=f"SMTP {settings.smtp_host}")


def _attempt(mail: Mail, known_by: str, settings: Settings) -> Answer:
    try:
        message = composed(mail, settings.smtp_from, known_by, clock.now())
    except (ValueError, MessageError) as problem:
        return replace(NOTHING, error_class=NO, error=str(problem)[:SHOWN])
    return _delivered(message, settings)


def _delivered(message: EmailMessage, settings: Settings) -> Answer:
    try:
        with _opened(settings) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as problem:
        code, text = next(iter(problem.recipients.values()))
        return _refused(code, text)
    except smtplib.SMTPResponseException as problem:
        return _refused(problem.smtp_code, problem.smtp_error)
    except Exception as problem:  # noqa: BLE001 - whatever a server does is an answer
        return replace(NOTHING, error_class=_class_of(problem), error=str(problem)[:SHOWN])
    return replace(NOTHING, settled=True)


def _opened(settings: Settings) -> smtplib.SMTP:
    """A connection that is secured and signed in as the settings say."""
    context, seconds = ssl.create_default_context(), settings.call_timeout
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=seconds, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=seconds)
    try:
        if settings.smtp_tls == "starttls":
            server.starttls(context=context)
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
    except BaseException:
        server.close()
        raise
    return server


def _refused(code: int, text: bytes | str) -> Answer:
    """The server's own words; 4xx passes, 5xx does not."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return replace(NOTHING, error_class=meaning(code), error=f"{code} {said}"[:SHOWN])


# The first that fits decides.
CLASSES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((TimeoutError,), "timeout"),
    ((ssl.SSLError,), "tls"),
    ((socket.gaierror,), "dns"),
    ((smtplib.SMTPServerDisconnected,), "cut_off"),
    ((smtplib.SMTPNotSupportedError,), "tls"),
    ((ConnectionResetError, BrokenPipeError), "cut_off"),
    ((OSError,), "connect"),
)


def _class_of(problem: BaseException) -> str:
    return next((name for kinds, name in CLASSES if isinstance(problem, kinds)), "protocol")
