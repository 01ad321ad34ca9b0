"""What the checklists ask is data with versions; an instance keeps its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.runbook.conftest import Book

Login = Callable[..., object]
SetTime = Callable[[str], int]
PAGE = {"Accept": "text/html"}
PATH = "/hoje/modelo/morning"


def lines(*titles: str, **values: str) -> dict[str, str]:
    form = {"version": "1", "why": "pedido da Gestão"}
    for n, title in enumerate(titles, 1):
        form |= {f"title_{n}": title, f"check_{n}": "manual", f"effect_{n}": ""}
    return form | values


def test_it_works(book: Book, client: FlaskClient, login: Login, set_time: SetTime) -> None:
    """Today's checklist stays as it is; tomorrow's asks the new version, in the order wished."""
    login(client, 3)
    assert len(book.sheet().items) == 5
    form = lines("Ligar para o plantão", "", "Ver disjuntores", check_3="breakers", place_3="1")
    assert client.post(PATH, data={**form, "place_1": "2"}, headers=PAGE).status_code == 303
    assert len(book.sheet().items) == 5
    set_time("2026-11-24 08:01")
    login(client, 3)
    sheet = book.sheet()
    assert [(item.title, item.check) for item in sheet.items] == [
        ("Ver disjuntores", "breakers"),
        ("Ligar para o plantão", "manual"),
    ]
    assert sheet.row.version == 2
    page = client.get(PATH, headers=PAGE).text
    assert "pedido da Gestão" in page
    assert "Versão 2" in page


@pytest.mark.parametrize("place", ["²", "٣", "½", "-1", "1e3", "9999", "9" * 5_000, "x"])
def test_a_place_that_is_no_number_is_the_one_it_has(
    book: Book, client: FlaskClient, login: Login, set_time: SetTime, place: str
) -> None:
    login(client, 3)
    book.sheet()
    form = lines("Ligar", "Ver disjuntores", place_1=place)
    assert client.post(PATH, data=form, headers=PAGE).status_code == 303
    set_time("2026-11-24 08:01")
    assert [item.title for item in book.sheet().items] == ["Ligar", "Ver disjuntores"]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (lines(), "title_1"),
        (lines("x" * 201), "title_1"),
        (lines("x", check_1="no such check"), "check_1"),
        (lines("", effect_1="sem título"), "title_1"),
        (lines("x", effect_1="x" * 301), "effect_1"),
        (lines("x", why=" "), "why"),
    ],
)
def test_refused(
    book: Book, client: FlaskClient, login: Login, form: dict[str, str], field: str
) -> None:
    login(client, 3)
    book.sheet()
    answer = client.post(PATH, data=form, headers=PAGE)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text


def test_two_at_once(book: Book, client: FlaskClient, login: Login) -> None:
    login(client, 3)
    book.sheet()
    assert client.post(PATH, data=lines("primeira"), headers=PAGE).status_code == 303
    answer = client.post(PATH, data=lines("segunda"), headers=PAGE)
    assert (answer.status_code, "segunda" in answer.text) == (409, True)


@pytest.mark.parametrize("level", [1, 2])
def test_only_management(book: Book, client: FlaskClient, login: Login, level: int) -> None:
    login(client, level)
    assert "Você não pode alterar os modelos" in client.get(PATH, headers=PAGE).text
    assert client.post(PATH, data=lines("x"), headers=PAGE).status_code == 403
