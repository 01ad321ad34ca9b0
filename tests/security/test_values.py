"""Values that no column takes: numbers, dates and NUL, in paths, queries, forms and JSON."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import BaseModel

from tests.access.matrix import ROWS
from tests.access.test_matrix import _filled
from tests.pages import BROWSER

pytestmark = pytest.mark.usefixtures("any_database")

LARGE = [2**63, 2**64, 10**30, -(2**63) - 1, -(10**30)]
DATES = ["9999-12-31", "9999-12-31T23:59:59-12:00", "0001-01-01", "0001-01-01T00:00+14:00"]
LISTS = ("/api/dlq", "/dlq", "/dlq/export.csv", "/api/events", "/events", "/auditoria",
         "/auditoria.csv", "/report/daily")  # fmt: skip


@pytest.fixture
def environ() -> dict[str, str]:
    return {"RATE_LIMIT_PER_MINUTE": "1000000", "RATE_LIMIT_BURST": "1000000"}


@pytest.mark.parametrize("path", LISTS)
def test_a_range_beyond_the_calendar(
    seeded_app: Flask, client: FlaskClient, login, path: str
) -> None:
    login(client, 3)
    for text in [*map(str, LARGE), *DATES]:
        for name in ("from", "to", "date", "page", "after", "days", "status"):
            answer = client.get(path, query_string={name: text}, buffered=True)
            assert answer.status_code in (200, 404, 422), (name, text)


def _filters(kind: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    """Every model that reads a page of a list from a query string, those that inherit too."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("app.") and {"page", "per_page"} & each.model_fields.keys():
            yield each
        yield from _filters(each)


def test_every_page_has_bounds(app: Flask) -> None:
    """Also where a list changes the size it inherits: below 1 it is no page, without end all."""
    found = set(_filters())
    assert {"PageFilter", "LetterFilter", "AuditFilter"} <= {each.__name__ for each in found}
    for each in found:
        for name in {"page", "per_page"} & each.model_fields.keys():
            bounds = {type(one).__name__ for one in each.model_fields[name].metadata}
            assert {"Ge", "Le"} <= bounds, (each.__name__, name)


@pytest.mark.parametrize("path", ["/dlq", "/events", "/syncs", "/auditoria", "/messages"])
def test_a_page_of_no_size(seeded_app: Flask, client: FlaskClient, login, path: str) -> None:
    login(client, 3)
    for size in ("-828212", "-1", "0", "101000", "x"):
        answer = client.get(path, query_string={"per_page": size, "q": "a"}, headers=BROWSER)
        assert answer.status_code == 422, size


@pytest.mark.parametrize("verb", ["archive", "retry"])
def test_numbers_that_are_no_rows(
    seeded_app: Flask, client: FlaskClient, api_key, verb: str
) -> None:
    headers = {"X-API-Key": api_key("dlq:write")}
    for number in LARGE:
        one = client.post(f"/api/dlq/{verb}", json={"ids": [number], "why": "x"}, headers=headers)
        form = {"ids": str(number), "why": "x"}
        ticked = client.post(f"/api/dlq/{verb}", data=form, headers=headers)
        assert (one.status_code, ticked.status_code) == (422, 422), number
        for name in ("limit", "from", "to"):
            body = {"why": "x", name: number}
            answer = client.post(f"/api/dlq/{verb}-all", json=body, headers=headers)
            assert answer.status_code == 422, (name, number)
    body = {"why": "x", "to": "9999-12-31"}
    answer = client.post(f"/api/dlq/{verb}-all", json=body, headers=headers)
    assert answer.status_code == 422


PLACES = sorted({(row.split()[0], row.split()[1]) for row in ROWS if "<" in row.split()[1]})


def test_nul_in_a_path_is_no_address(seeded_app: Flask, client: FlaskClient, login) -> None:
    login(client, 3)
    for method, path in PLACES:
        begin, _, _ = path.partition("<")
        place = _filled(path).replace(_filled(path)[len(begin) :].partition("/")[0], "a%00b", 1)
        answer = client.open(place, method=method, headers=BROWSER, buffered=True)
        assert answer.status_code == 404, (method, place)


@pytest.mark.parametrize("name", ["q", "type", "system", "next", "passo", "range", "anything"])
def test_nul_in_a_query_is_refused(
    seeded_app: Flask, client: FlaskClient, login, name: str
) -> None:
    login(client, 3)
    for path in ("/dlq", "/events", "/procurar", "/hoje", "/login", "/alerts/maintenance"):
        assert client.get(f"{path}?{name}=a%00b", headers=BROWSER).status_code == 422, path


def test_nul_in_a_form_is_refused(seeded_app: Flask, client: FlaskClient, login) -> None:
    login(client, 3)
    forms = {
        "/chaves": {"name": "a\0b", "scopes": "events:read"},
        "/pessoas": {"name": "a\0b", "email": "a@b.test", "level": "1"},
        "/incidentes": {"title": "a\0b", "severity": "high"},
        "/contatos/1": {"name": "a\0b"},
        "/sistemas/crm/pausar": {"why": "a\0b", "confirmed": "1"},
        "/hoje/modelo/morning": {"title_1": "a\0b", "effect_1": "a\0b", "check_1": "x"},
        "/dlq/retry": {"ids": "a\0b", "why": "a\0b", "confirmed": "1"},
    }
    for path, form in forms.items():
        answer = client.post(path, data=form, headers=BROWSER)
        assert answer.status_code in (303, 404, 409, 422), (path, answer.status_code)
