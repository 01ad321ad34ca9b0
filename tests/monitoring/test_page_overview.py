"""The overview as a page: the five gauges, alerts in words, the frame of every page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.monitoring.rules import alerts
from app.monitoring.rules.advice import ADVICE
from app.systems.rules.breaker import OPEN
from tests.deliveries import letters
from tests.deliveries.hub import Hub
from tests.pages import CURL, HTMX, get, text_of

URL = "/dashboard"


@pytest.fixture
def hub(app: Flask, app_context: None) -> Hub:
    return Hub(app)


@pytest.fixture
def ana(hub: Hub, client: FlaskClient, login: Callable[..., Any]) -> FlaskClient:
    login(client, 1)
    return client


def test_it_works(ana: FlaskClient, hub: Hub) -> None:
    letters.die(count=11)
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    page = get(ana, URL)
    said = text_of(page)
    for measure in (
        "Taxa de sucesso em 24 h 0 % Crítico",
        "Eventos pendentes 0 Normal",
        "Mensagens com erro 11 Alerta",
        "Latência do banco",
        "Tempo de fila 0 s Normal",
    ):
        assert measure in said
    assert page.count("<meter ") == 5
    assert "mensagens para CRM estão paradas" in said
    assert "Aberto (bloqueando envios)" in said
    assert "Nenhum worker atende a fila integrations-high" in said
    assert "payment.failed" in said


def test_part_carries_the_header_and_curl_gets_json(ana: FlaskClient) -> None:
    part = ana.get(URL, headers=HTMX).text
    assert "<html" not in part
    assert 'id="system-state"' in part
    assert 'hx-swap-oob="true"' in part
    assert ana.get(URL, headers=CURL).json["health"]["status"] == "critical"


def test_304_while_nothing_that_shows_has_changed(ana: FlaskClient) -> None:
    part = ana.get(URL, headers=HTMX)
    letters.die()
    same = {**HTMX, "If-None-Match": part.headers["ETag"]}
    assert ana.get(URL, headers=same).status_code == 200


def test_every_page_tells_the_state_and_counts(ana: FlaskClient) -> None:
    letters.die(count=3)
    page = get(ana, "/circuit-breakers")
    assert 'id="system-state"' in page
    assert "Mensagens com erro 3" in text_of(page)
    assert "/static/img/bad.svg" in page


def test_login_page_asks_for_no_state(client: FlaskClient) -> None:
    assert 'id="system-state"' not in get(client, "/login")


def test_every_alert_has_advice() -> None:
    kinds = {"circuit_breaker", "whatsapp", "sync_failed", "queue_size", "scheduler", "worker"}
    kinds |= {"redis", "pending_events", "retry_queue", "dead_letter_queue", "error_rate"}
    assert kinds | {"database_latency", "queue_time"} <= set(ADVICE)
    assert alerts.RULES
