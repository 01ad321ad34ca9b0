"""Answer an item, undo the answer; two people at once undo nothing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.access.models import AuditEntry
from app.db import reading
from app.errors import Conflict, Invalid, NotFound
from app.runbook.rules import ticks as rules
from tests.runbook.conftest import ANA, DAVI, Book

Login = Callable[..., object]
DEAD = {("lead.created", "crm"): 10}


def test_it_works(book: Book) -> None:
    book.tick(3, "done", "olhei as dez")
    item = book.sheet().items[2]
    assert (item.state, item.by_name, item.at) == ("done", "Ana", book.time.now)
    assert (item.note, item.seq) == ("olhei as dez", 1)
    assert book.sheet().answered == 1
    with book.app.app_context(), reading() as c:
        entry = c.execute(select(AuditEntry.__table__).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.actor_name, entry.why) == (
        "checklist.ticked",
        "Ana",
        "olhei as dez",
    )


@pytest.mark.parametrize("command", ["done", "not_applicable", "failed"])
def test_undo_is_a_command_with_history(book: Book, command: str) -> None:
    book.tick(1, command, "motivo")
    book.tick(1, "undo", by=DAVI)
    item = book.sheet().items[0]
    assert (item.state, item.by_name, item.note) == ("open", "", "")
    said = [(tick.action, tick.by_name, tick.note) for tick in item.ticks]
    assert said == [(command, "Ana", "motivo"), ("undo", "Davi", "")]


def test_the_same_twice_changes_nothing(book: Book) -> None:
    book.tick(1, "done", seen=0)
    book.tick(1, "done", seen=0, by=DAVI)
    item = book.sheet().items[0]
    assert (item.by_name, len(item.ticks)) == ("Ana", 1)


@pytest.mark.parametrize(
    ("before", "command", "seen"),
    [
        (["failed"], "done", None),
        (["failed"], "done", 0),
        (["done", "undo"], "done", 0),
        (["done", "undo", "failed"], "undo", 1),
    ],
)
def test_nobody_undoes_what_they_did_not_see(
    book: Book, before: list[str], command: str, seen: int | None
) -> None:
    for said in before:
        book.tick(1, said, "motivo")
    state = book.sheet().items[0].state
    with pytest.raises(Conflict):
        book.tick(1, command, "motivo", seen, by=DAVI)
    assert book.sheet().items[0].state == state


def test_of_many_at_once_one_wins(book: Book, any_database: str) -> None:
    book.sheet()
    refused: list[str] = []

    def answer(command: str) -> None:
        try:
            book.tick(1, command, "motivo", 0)
        except Conflict as problem:
            refused.append(problem.message)

    commands = ("done", "failed", "not_applicable")
    threads = [threading.Thread(target=answer, args=(command,)) for command in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    item = book.sheet().items[0]
    assert (len(refused), item.seq, len(item.ticks)) == (2, 1, 1)
    assert item.ticks[0].action == item.state


@pytest.mark.parametrize(
    ("command", "failing", "note", "allowed"),
    [
        ("done", False, "", True),
        ("done", True, "", False),
        ("done", True, "  ", False),
        ("done", True, "é do teste de ontem", True),
        ("failed", True, "", True),
        ("failed", False, "", True),
        ("not_applicable", False, "", False),
        ("not_applicable", False, "sem envios hoje", True),
    ],
)
def test_a_disagreement_needs_a_reason(
    book: Book, command: str, failing: bool, note: str, allowed: bool
) -> None:
    book.look(dead=DEAD if failing else {})
    if allowed:
        book.tick(3, command, note)
        assert book.sheet().items[2].state == command
    else:
        with pytest.raises(Invalid) as refused:
            book.tick(3, command, note)
        assert "note" in refused.value.details


def test_the_evidence_of_that_moment_stays_with_the_answer(book: Book) -> None:
    book.look(dead=DEAD)
    book.tick(3, "done", "são do teste")
    book.look()
    item = book.sheet().items[2]
    assert item.first is not None
    assert item.last is not None
    assert (item.first.result, item.last.result) == ("fail", "pass")
    assert '"fail"' in item.ticks[0].evidence_json


def test_a_note_has_an_end(book: Book) -> None:
    with pytest.raises(Invalid):
        book.tick(1, "done", "x" * (rules.LONGEST_NOTE + 1))


def test_there_is_no_such_item(book: Book) -> None:
    with pytest.raises(NotFound):
        book.tick(6, "done")


def test_after_the_signature_nothing_changes(book: Book) -> None:
    book.answer_all()
    book.sign()
    with pytest.raises(Conflict, match="Ana já assinou"):
        book.tick(1, "undo")


def test_by_programs(book: Book, client: FlaskClient, api_key: Callable[..., str]) -> None:
    headers = {"X-API-Key": api_key("checklists:*")}
    sheet = client.get("/api/checklists/today", headers=headers).json["data"]
    assert (sheet["shift"], sheet["total"], sheet["state"]) == ("morning", 5, "open")
    assert sheet["items"][2]["evidence"]["result"] == "pass"
    path = f"/api/checklists/{sheet['id']}/items/3"
    answer = client.post(f"{path}/done", json={"note": "ok", "seen": 0}, headers=headers)
    assert (answer.status_code, answer.json["data"]["state"]) == (200, "done")
    assert client.post(f"{path}/failed", headers=headers).status_code == 409
    assert client.post(f"{path}/undo", headers=headers).json["data"]["state"] == "open"
    answer = client.post(f"{path}/not-applicable", json={}, headers=headers)
    assert (answer.status_code, list(answer.json["details"])) == (422, ["note"])
    assert client.post(f"{path}/forget", headers=headers).status_code == 404


def test_an_answer_is_measured_against_the_data_of_now(
    book: Book, client: FlaskClient, api_key: Callable[..., str]
) -> None:
    """Ten were dead when the page was made; meanwhile they were delivered: no reason is asked."""
    book.look(dead=DEAD)
    headers = {"X-API-Key": api_key("checklists:*")}
    path = f"/api/checklists/{book.id}/items/3/done"
    found = client.post(path, json={}, headers=headers).json["data"]
    assert (found["state"], found["evidence"]["result"]) == ("done", "pass")
    assert '"pass"' in book.sheet().items[2].ticks[0].evidence_json


@pytest.mark.parametrize(("scope", "status"), [("checklists:read", 403), ("checklists:tick", 200)])
def test_keys_need_the_scope(
    book: Book, client: FlaskClient, api_key: Callable[..., str], scope: str, status: int
) -> None:
    path = f"/api/checklists/{book.id}/items/1/done"
    body = {"note": "ok"}
    assert client.post(path, json=body, headers={"X-API-Key": api_key(scope)}).status_code == status


def form(command: str, **values: object) -> dict[str, object]:
    return {"command": command, "seen": 0, **values}


PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
PAGE = {"Accept": "text/html"}


def test_in_the_page(book: Book, client: FlaskClient, login: Login) -> None:
    """htmx gets the live part, with the other answers; without JavaScript the page follows."""
    login(client, 1)
    path = f"/hoje/{book.id}"
    answer = client.post(f"{path}/3", data=form("done"), headers=PART)
    assert answer.status_code == 200
    assert "Feito por Ana" in answer.text
    assert "<html" not in answer.text
    answer = client.post(f"{path}/4", data=form("failed", note="nada rodou"), headers=PAGE)
    assert (answer.status_code, answer.location) == (303, "/hoje#item-4")
    page = client.get("/hoje", headers=PAGE).text
    assert "Falhou, diz Ana" in page
    assert "nada rodou" in page


def test_a_failure_begins_its_procedure_in_one_click(
    book: Book, client: FlaskClient, login: Login
) -> None:
    login(client, 1)
    client.post(f"/hoje/{book.id}/3", data=form("failed"), headers=PAGE)
    found = re.search(
        r'action="(/procedimentos/dlq)" id="procedure-3">.*?name="origin" value="([^"]+)"',
        client.get("/hoje", headers=PAGE).text, re.DOTALL,
    )  # fmt: skip
    assert found is not None
    answer = client.post(found[1], data={"origin": found[2]}, headers=PAGE)
    assert answer.status_code == 303
    run = client.get(answer.location).json["data"]
    assert (run["procedure"], run["origin"]) == ("dlq", f"checklist:{book.id}:3")


def test_the_page_asks_for_the_reason(book: Book, client: FlaskClient, login: Login) -> None:
    login(client, 1)
    path = f"/hoje/{book.id}/5"
    answer = client.post(path, data=form("not_applicable"), headers=PART)
    assert (answer.status_code, "Escreva por que não se aplica" in answer.text) == (422, True)
    answer = client.post(path, data=form("not_applicable"), headers=PAGE)
    assert (answer.status_code, 'name="why"' in answer.text) == (422, True)
    answer = client.post(path, data=form("not_applicable", why="feriado"), headers=PAGE)
    assert answer.status_code == 303
    assert book.sheet().items[4].note == "feriado"


def test_a_conflict_is_said(book: Book, client: FlaskClient, login: Login) -> None:
    login(client, 1)
    book.tick(3, "failed", by=DAVI)
    answer = client.post(f"/hoje/{book.id}/3", data=form("done"), headers=PART)
    assert answer.status_code == 409
    assert "Davi já respondeu este item: falhou." in answer.text


def test_strangers_stay_out(book: Book, client: FlaskClient) -> None:
    assert client.post(f"/hoje/{book.id}/1", data=form("done")).status_code == 401
    assert client.post(f"/api/checklists/{book.id}/items/1/done").status_code == 401


@pytest.mark.parametrize("level", [1, 2, 3])
def test_each_level_answers(book: Book, client: FlaskClient, login: Login, level: int) -> None:
    login(client, level)
    answer = client.post(f"/hoje/{book.id}/3", data=form("done"), headers=PART)
    assert answer.status_code == 200
    assert ANA.name in answer.text or level != 1


def test_the_live_part_is_not_sent_twice(book: Book, client: FlaskClient, login: Login) -> None:
    login(client, 1)
    first = client.get("/hoje", headers=PART)
    again = {**PART, "If-None-Match": first.headers["ETag"]}
    assert (first.status_code, client.get("/hoje", headers=again).status_code) == (200, 304)
    book.tick(3, "done")
    assert client.get("/hoje", headers=again).status_code == 200


def test_an_item_says_what_it_knows(hub: Flask, book: Book) -> None:
    assert [item.about.procedure for item in book.sheet().items] == [
        "whatsapp_disconnected",
        "",
        "dlq",
        "sync_failing",
        "queue_large",
    ]
