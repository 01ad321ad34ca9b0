"""The breakers' page: states with their effect, the reset and each way it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from app import clock
from app.db import reading, transaction
from app.systems.models import BreakerMove
from app.systems.queries.breakers import last_moves
from app.systems.rules.breaker import OPEN
from tests.deliveries.hub import Hub
from tests.pages import BROWSER, CURL, HTMX, XSS, get, text_of, token_less

URL = "/circuit-breakers"
RESET = f"{URL}/crm/reset"


@pytest.fixture
def hub(app: Any, app_context: None) -> Hub:
    return Hub(app)


@pytest.fixture
def ana(client: FlaskClient, login: Callable[..., Any]) -> FlaskClient:
    login(client, 1)
    return client


def test_it_works(ana: FlaskClient, hub: Hub) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    hub.deliveries(count=2)
    said = text_of(get(ana, URL))
    assert "Mensagens para CRM estão paradas." in said
    assert "Falhas seguidas 5 de 5" in said
    assert "Próximo teste em" in said
    assert "Mensagens à espera 2" in said
    assert "Abriu: test" in said


def test_htmx_gets_the_part_alone_and_304_while_it_stays(ana: FlaskClient, hub: Hub) -> None:
    part = ana.get(URL, headers=HTMX)
    assert "<html" not in part.text
    assert 'id="breaker-crm"' in part.text
    again = ana.get(URL, headers={**HTMX, "If-None-Match": part.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    changed = ana.get(URL, headers={**HTMX, "If-None-Match": part.headers["ETag"]})
    assert changed.status_code == 200


def test_curl_gets_json(client: FlaskClient, hub: Hub) -> None:
    services = client.get(URL, headers=CURL).json["services"]
    assert services["crm"]["state"] == "closed"


def test_reset_closes_and_remembers_why(ana: FlaskClient, hub: Hub) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    form = {"why": f"voltou {XSS}", "confirmed": "1"}
    answer = ana.post(RESET, data=form, headers=BROWSER)
    assert (answer.status_code, answer.location) == (303, URL)
    assert hub.breaker().state == "closed"
    page = get(ana, URL)
    assert XSS not in page
    assert "Disjuntor de CRM religado." in text_of(page)
    assert "voltou" in text_of(page)


def test_second_click_changes_nothing(ana: FlaskClient, hub: Hub) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    for _ in range(2):
        ana.post(RESET, data={"why": "voltou", "confirmed": "1"}, headers=BROWSER)
    assert [after for _, after in hub.moves()] == ["open", "closed"]


def test_without_javascript_it_asks_first(ana: FlaskClient, hub: Hub) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    page = ana.post(RESET, headers=BROWSER)
    assert page.status_code == 200
    assert "Religar o disjuntor de CRM?" in page.text
    assert 'name="confirmed" value="1"' in page.text
    assert hub.breaker().state == OPEN


def test_no_reset_without_a_reason(ana: FlaskClient, hub: Hub) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    page = ana.post(RESET, data={"confirmed": "1", "why": " "}, headers=BROWSER)
    assert page.status_code == 422
    assert "Escreva o motivo" in page.text
    assert hub.breaker().state == OPEN


def test_no_reset_without_the_form_token(ana: FlaskClient, hub: Hub) -> None:
    token_less(ana)
    form = {"why": "voltou", "confirmed": "1"}
    assert ana.post(RESET, data=form, headers=BROWSER).status_code == 403


def test_unknown_system_is_refused(ana: FlaskClient, hub: Hub) -> None:
    form = {"why": "voltou", "confirmed": "1"}
    assert ana.post(f"{URL}/nada/reset", data=form, headers=BROWSER).status_code == 400


def test_nobody_is_sent_to_the_login(client: FlaskClient, hub: Hub) -> None:
    answer = client.get(URL, headers=BROWSER)
    assert answer.status_code == 303
    assert answer.location.startswith("/login")


@pytest.mark.usefixtures("app_context")
def test_only_the_last_moves_are_read() -> None:
    with transaction() as tx:
        move = {"before": "closed", "after": "open", "cause": "", "moved_by": "hub"}
        many = [{**move, "system": name, "at": n} for n in range(30) for name in ("crm", "site")]
        tx.connection.execute(insert(BreakerMove), many)
    with reading() as c:
        found = last_moves(c, ["crm", "marketing"])
        assert [row.at for row in found["crm"]] == list(range(29, 19, -1))
        assert found["marketing"] == []
