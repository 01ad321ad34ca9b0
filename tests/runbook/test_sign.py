"""Sign a checklist and hand over; the next shift sees it first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.errors import Conflict, Invalid
from app.runbook.rules.checks import Evidence
from app.runbook.rules.handover import LONGEST, NOTHING, Answered, prefilled
from tests.runbook.conftest import DAVI, Book

Login = Callable[..., object]
PAGE = {"Accept": "text/html"}
FAIL = Evidence("fail", "37 mensagens", "menos de 10", 0)
PASS = Evidence("pass", "0 mensagens", "menos de 10", 0)


def test_it_works(book: Book) -> None:
    book.answer_all()
    book.sign("Avisar o CRM.")
    row = book.sheet().row
    assert (row.signed_by, row.signed_at, row.note) == ("Ana", book.time.now, "Avisar o CRM.")
    assert book.sheet().state == "signed"


def test_not_before_all_is_answered(book: Book) -> None:
    book.tick(1, "failed")
    with pytest.raises(Conflict, match="4 sem resposta"):
        book.sign()


def test_only_once(book: Book) -> None:
    book.answer_all()
    book.sign("primeira")
    with pytest.raises(Conflict, match="Ana já assinou"):
        book.sign("segunda", by=DAVI)
    assert book.sheet().row.note == "primeira"


def test_not_after_the_next_shift_began(book: Book, set_time: Callable[[str], int]) -> None:
    book.answer_all()
    checklist_id = book.id
    now = set_time("2026-11-23 18:00")
    from app.runbook.actions import checklists
    from tests.runbook.conftest import ANA, ZONE

    with book.app.app_context(), pytest.raises(Conflict, match="turno seguinte"):
        checklists.sign(checklist_id, "", by=ANA, now=now, zone=ZONE)


def test_a_note_has_an_end(book: Book) -> None:
    book.answer_all()
    with pytest.raises(Invalid):
        book.sign("x" * (LONGEST + 1))


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (Answered("DLQ", "done", "", PASS), ""),
        (Answered("DLQ", "failed", "", FAIL), "- Falhou – DLQ: 37 mensagens"),
        (Answered("DLQ", "failed", "CRM fora", None), "- Falhou – DLQ (CRM fora)"),
        (
            Answered("DLQ", "done", "teste", FAIL),
            "- Verificação falhando – DLQ: 37 mensagens (teste)",
        ),
        (Answered("DLQ", "not_applicable", "feriado", PASS), "- Não se aplica – DLQ (feriado)"),
    ],
)
def test_the_note_starts_with_what_is_open(item: Answered, line: str) -> None:
    assert prefilled([item], [], 0, []) == (line or NOTHING)


def test_the_note_tells_alerts_letters_and_incidents() -> None:
    assert prefilled([], ["O banco está lento."], 1234, ["7 – CRM fora"]) == (
        "- Alerta: O banco está lento.\n"
        "- Mensagens com erro esperando decisão: 1.234.\n"
        "- Incidente aberto: 7 – CRM fora"
    )


def test_in_the_page(
    book: Book, client: FlaskClient, login: Login, set_time: Callable[[str], int]
) -> None:
    """Prefilled, signed; the evening sees it first, until somebody has read it."""
    login(client, 1)
    path = f"/hoje/{book.id}/assinar"
    refused = client.post(path, data={"note": "guarde-me"}, headers=PAGE)
    assert (refused.status_code, "guarde-me" in refused.text) == (409, True)
    book.look(dead={("lead.created", "crm"): 12})
    book.answer_all()
    assert "Verificação falhando – Verificar DLQ" in client.get(path, headers=PAGE).text
    # On the page itself the data is looked at again.
    assert "- Alerta: O agendador está parado" in client.get("/hoje", headers=PAGE).text
    assert client.post(path, data={"note": "12 na DLQ"}, headers=PAGE).status_code == 303
    checklist_id = book.id
    assert "O que o próximo turno precisa saber" not in client.get("/hoje", headers=PAGE).text
    assert "Li a passagem" not in client.get("/hoje", headers=PAGE).text
    set_time("2026-11-23 18:01")
    page = client.get("/hoje", headers=PAGE).text
    assert page.index("Passagem de turno de Ana") < page.index("Verificação vespertina")
    assert client.post(f"/hoje/{checklist_id}/lida", headers=PAGE).status_code == 303
    assert "12 na DLQ" not in client.get("/hoje", headers=PAGE).text


def test_a_missed_shift_does_not_hide_the_hand_over(
    book: Book, client: FlaskClient, login: Login, set_time: Callable[[str], int]
) -> None:
    """Nobody worked the evening: the morning after sees what was left."""
    book.answer_all()
    book.sign("O CRM troca o certificado.")
    left = book.id
    set_time("2026-11-24 08:03")
    login(client, 1)
    page = client.get("/hoje", headers=PAGE).text
    assert page.index("O CRM troca o certificado.") < page.index("Verificação matinal")
    assert "O checklist das 18:00 de 23/11/2026 não foi feito." in page
    client.post(f"/hoje/{left}/lida", headers=PAGE)
    assert "O CRM troca o certificado." not in client.get("/hoje", headers=PAGE).text


def test_by_programs(book: Book, client: FlaskClient, api_key: Callable[..., str]) -> None:
    headers = {"X-API-Key": api_key("checklists:*")}
    path = f"/api/checklists/{book.id}/sign"
    assert client.post(path, json={}, headers=headers).status_code == 409
    book.answer_all()
    signed = client.post(path, json={}, headers=headers).json["data"]
    assert (signed["state"], signed["signed_by"]) == ("signed", "Sistema X")
    assert signed["note"]
