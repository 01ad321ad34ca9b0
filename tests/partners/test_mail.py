"""The mailbox of those who practise: real SMTP in, readable on the page of the partners."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.messages.mailbox import HOST, free_port
from tests.partners.mail import KEPT, Letters
from tests.partners.server import PartnerServer
from tests.partners.ui import page


@pytest.fixture
def box() -> Iterator[tuple[Letters, int]]:
    letters, port = Letters(), free_port()
    controller = letters.listen(port)
    yield letters, port
    controller.stop()


def send(port: int, subject: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "hub@exemplo.com", "helena@exemplo.com.br", subject
    mail.set_content("Olá! Avalie em http://127.0.0.1/feedback/abc <b>")
    mail.add_alternative("<p>Olá</p>", subtype="html")
    with smtplib.SMTP(HOST, port) as server:
        server.send_message(mail)


def test_what_comes_is_read_on_the_page(box: tuple[Letters, int]) -> None:
    letters, port = box
    send(port, "Boas-vindas à Carinho")
    server = PartnerServer()
    server.control.letters = letters
    shown = page(server.control.state())
    assert "helena@exemplo.com.br: Boas-vindas à Carinho" in shown
    assert 'href="http://127.0.0.1/feedback/abc"' in shown
    assert "&lt;b&gt;" in shown


def test_only_the_last_are_kept(box: tuple[Letters, int]) -> None:
    letters, port = box
    for number in range(KEPT + 2):
        send(port, f"Número {number}")
    assert [each["subject"] for each in letters.last][:1] == [f"Número {KEPT + 1}"]
    assert len(letters.last) == KEPT
