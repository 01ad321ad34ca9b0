"""Late and missed checklists alert; the past is kept, day by day."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.db import reading
from app.runbook.queries.late import late_alerts
from tests.runbook.conftest import Book

Login = Callable[..., object]
SetTime = Callable[[str], int]
PAGE = {"Accept": "text/html"}


def told(book: Book) -> list[tuple[str, str]]:
    with book.app.app_context(), reading() as c:
        return [(alert.type, alert.subject) for alert in late_alerts(c, book.time.now)]


def test_it_works(book: Book, set_time: SetTime) -> None:
    """Quiet for half an hour, then late, then missed until the next one is signed."""
    set_time("2026-11-23 08:00")
    book.sheet()
    assert told(book) == []
    set_time("2026-11-23 08:30")
    assert told(book) == [("checklist", "2026-11-23-morning")]
    set_time("2026-11-23 18:00")
    book.sheet()
    assert told(book) == [("checklist", "2026-11-23-morning")]
    set_time("2026-11-23 18:31")
    assert len(told(book)) == 2
    book.answer_all()
    book.sign()
    assert told(book) == []


def test_signed_in_time_says_nothing(book: Book, set_time: SetTime) -> None:
    book.answer_all()
    book.sign()
    set_time("2026-11-23 12:00")
    assert told(book) == []


def test_it_is_among_the_alerts(book: Book, client: FlaskClient, set_time: SetTime) -> None:
    book.sheet()
    set_time("2026-11-23 09:00")
    found = client.get("/alerts").json["alerts"]
    mine = next(alert for alert in found if alert["type"] == "checklist")
    assert "O checklist das 08:00 de 23/11/2026 está atrasado" in mine["message"]
    assert (mine["level"], mine["value"], mine["threshold"]) == ("warning", 60, 30)


def test_the_next_shift_is_told(
    book: Book, client: FlaskClient, login: Login, set_time: SetTime
) -> None:
    login(client, 1)
    book.sheet()
    set_time("2026-11-23 18:02")
    page = client.get("/hoje", headers=PAGE).text
    assert "O checklist das 08:00 de 23/11/2026 não foi feito." in page


def test_missed_for_days(book: Book, client: FlaskClient, login: Login, set_time: SetTime) -> None:
    """Each missed shift stays an alert until somebody signs; the page counts and names them."""
    book.answer_all()
    book.sign()
    set_time("2026-11-25 18:40")
    login(client, 1)
    book.sheet()
    missed = ["2026-11-25-morning", "2026-11-24-evening", "2026-11-24-morning"]
    missed.append("2026-11-23-evening")
    assert [subject for _, subject in told(book)] == missed
    page = client.get("/hoje", headers=PAGE).text
    assert "4 checklists seguidos não foram feitos, desde o das 18:00 de 23/11/2026." in page
    for day in ("23", "24", "25"):
        assert f"/hoje/historico/2026-11-{day}#sheet-" in page
    set_time("2026-11-25 19:11")
    assert len(told(book)) == 5
    book.answer_all()
    book.sign()
    assert told(book) == []
    assert "seguidos não foram feitos" not in client.get("/hoje", headers=PAGE).text


def test_the_days_are_kept(
    book: Book, client: FlaskClient, login: Login, set_time: SetTime
) -> None:
    login(client, 1)
    assert "Nada por aqui ainda" in client.get("/hoje/historico", headers=PAGE).text
    book.answer_all()
    book.sign("tudo certo")
    set_time("2026-11-24 08:10")
    login(client, 1)
    book.sheet()
    days = client.get("/hoje/historico").json["data"]
    assert [(d["day"], [c["state"] for c in d["checklists"]]) for d in days] == [
        ("2026-11-24", ["open"]),
        ("2026-11-23", ["signed", "missed"]),
    ]
    older = client.get("/hoje/historico?antes=2026-11-24").json["data"]
    assert [day["day"] for day in older] == ["2026-11-23"]
    page = client.get("/hoje/historico/2026-11-23", headers=PAGE).text
    for text in ("Assinado por Ana em 23/11/2026 08:05:00", "tudo certo", "Assinatura:"):
        assert text in page


@pytest.mark.parametrize("day", ["2026-11-22", "ontem", "2026-13-40", "2026-11-23x"])
def test_there_is_no_such_day(book: Book, client: FlaskClient, login: Login, day: str) -> None:
    login(client, 1)
    book.sheet()
    assert client.get(f"/hoje/historico/{day}").status_code == 404


@pytest.mark.parametrize("level", [1, 2, 3])
def test_where_each_level_lands(book: Book, client: FlaskClient, login: Login, level: int) -> None:
    login(client, level)
    wanted = {1: "runbook.today", 2: "runbook.incidents", 3: "monitoring.sla"}[level]
    views = book.app.view_functions
    endpoint = wanted if wanted in views else "monitoring.dashboard"
    with book.app.test_request_context():
        path = book.app.url_for(endpoint)
    assert client.get("/", headers=PAGE).location == path
