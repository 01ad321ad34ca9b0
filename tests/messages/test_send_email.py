"""E-mail over a real SMTP server: TLS, login, and refusals that pass or do not."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from app.messages.actions.send_email import send
from app.messages.rules.mail import Mail, meaning, usable
from tests.deliveries.test_http_tls import certificate
from tests.messages.mailbox import HOST, PASSWORD, USER, Mailbox, free_port, serve, serve_with_login

__all__ = ["certificate"]
MAIL = Mail("helena@exemplo.com.br", "Olá, ação", "texto\n", "<p>texto</p>")


@pytest.fixture
def secured(certificate: Path) -> Iterator[Mailbox]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    mailbox = Mailbox()
    controller = serve_with_login(mailbox, context)
    yield mailbox
    controller.stop()


@pytest.fixture
def plain() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    controller = serve(mailbox)
    yield mailbox
    controller.stop()


def _send(app: Flask, port: int, mail: Mail = MAIL, **changes: Any) -> Any:
    """One attempt with these settings."""
    settings = app.extensions["settings"]
    values = {"smtp_host": HOST, "smtp_port": port, "smtp_tls": "none", **changes}
    app.extensions["settings"] = settings.model_copy(update=values)
    row: Any = SimpleNamespace(id=7, created_at=1_000, body=mail.as_body())
    try:
        with app.app_context():
            return send(row)
    finally:
        app.extensions["settings"] = settings


LOGIN = {"smtp_tls": "starttls", "smtp_user": USER, "smtp_password": PASSWORD}


def test_it_works(app: Flask, plain: Mailbox) -> None:
    answer = _send(app, plain.port)
    assert answer.settled and answer.error_class == ""
    (mail,) = plain.mails
    assert (mail["To"], mail["Subject"]) == (MAIL.to, MAIL.subject)
    assert mail["Message-ID"] == "<msg_7_3e8@carinho.com.vc>"
    assert mail.get_content_type() == "multipart/alternative"
    parts = [part.get_content().strip() for part in mail.iter_parts()]
    assert parts == ["texto", "<p>texto</p>"]


def test_with_tls_and_login(
    app: Flask, secured: Mailbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert _send(app, secured.port, **LOGIN).settled
    assert len(secured.mails) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(app: Flask, secured: Mailbox) -> None:
    answer = _send(app, secured.port, **LOGIN)
    assert (answer.error_class, secured.mails) == ("tls", [])


def test_a_wrong_password_is_worth_another_try_and_shown_nowhere(
    app: Flask, secured: Mailbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    answer = _send(app, secured.port, **{**LOGIN, "smtp_password": "wrong-secret"})
    assert answer.error_class == "mail_auth"
    assert "wrong-secret" not in repr(answer)


def test_a_server_without_tls_does_not_get_the_mail(app: Flask, plain: Mailbox) -> None:
    assert _send(app, plain.port, smtp_tls="starttls").error_class == "tls"
    assert plain.mails == []


@pytest.mark.parametrize(
    ("refuse", "refuse_data", "error_class"),
    [
        ("550 no such user", "", "bad_address"),
        ("450 busy", "", "mail_later"),
        ("", "552 too large", "bad_address"),
        ("", "421 closing", "mail_later"),
    ],
)
def test_refusals(
    app: Flask, plain: Mailbox, refuse: str, refuse_data: str, error_class: str
) -> None:
    plain.refuse, plain.refuse_data = refuse, refuse_data
    answer = _send(app, plain.port)
    assert (answer.error_class, answer.settled) == (error_class, False)
    assert (refuse or refuse_data)[:3] in answer.error


def test_nobody_listens(app: Flask) -> None:
    assert _send(app, free_port()).error_class == "connect"


def test_no_server_is_set(app: Flask) -> None:
    assert _send(app, 1, smtp_host="").error_class == "not_configured"


@pytest.mark.parametrize(
    ("code", "found"),
    [(421, "mail_later"), (450, "mail_later"), (550, "bad_address"), (535, "mail_auth")],
)
def test_meaning(code: int, found: str) -> None:
    assert meaning(code) == found


@pytest.mark.parametrize(
    ("address", "found"),
    [("A@b.co ", "a@b.co"), ("x", ""), (None, ""), ("a@b.co\nBcc: c@d.e", ""), (7, "")],
)
def test_usable(address: object, found: str) -> None:
    assert usable(address) == found
