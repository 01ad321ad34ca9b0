"""The list of events as a page."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.deliveries.hub import Hub
from tests.pages import BROWSER, CURL, HTMX, get, text_of


@pytest.fixture
def hub(app: Flask, app_context: None) -> Hub:
    return Hub(app)


@pytest.fixture
def ana(hub: Hub, client: FlaskClient, login: Callable[..., Any]) -> FlaskClient:
    login(client, 1)
    return client


def test_it_works(ana: FlaskClient, hub: Hub) -> None:
    hub.event("lead.created")
    said = text_of(get(ana, "/events"))
    assert "lead.created #" in said
    assert "2 a caminho" in said
    assert "1 de 1" in said


def test_empty_differs_from_no_match(ana: FlaskClient, hub: Hub) -> None:
    assert "Nada por aqui ainda" in get(ana, "/events")
    hub.event("lead.created")
    assert "Nada corresponde aos filtros" in get(ana, "/events?status=failed")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("type=lead.created", 1),
        ("type=lead.updated", 0),
        ("source=site", 1),
        ("source=crm", 0),
        ("status=pending", 1),
        ("from=2020-01-01", 1),
        ("to=2020-01-01", 0),
    ],
)
def test_filter_narrows(ana: FlaskClient, hub: Hub, query: str, shown: int) -> None:
    hub.event("lead.created")
    assert get(ana, f"/events?{query}").count('<tr id="event-') == shown


def test_number_opens_the_event(ana: FlaskClient, hub: Hub) -> None:
    event = hub.event("lead.created")
    answer = ana.get(f"/events?q=%23{event}", headers=BROWSER)
    assert (answer.status_code, answer.location) == (303, f"/events/{event}")


def test_pages_follow_each_other(ana: FlaskClient, hub: Hub) -> None:
    hub.deliveries(count=27)
    page = get(ana, "/events")
    assert page.count('<tr id="event-') == 25
    assert "cursor=" in page


def test_newer_events_wait_until_asked_for(ana: FlaskClient, hub: Hub) -> None:
    seen = hub.event("lead.created")
    (live,) = re.findall(r'hx-get="([^"]*upto=[^"]*)"', get(ana, "/events?type=lead.created"))
    for event_type in ("lead.created", "lead.created", "lead.updated"):
        hub.event(event_type)
    part = ana.get(html.unescape(live), headers=HTMX).text
    assert "2 novas – mostrar" in part
    assert re.findall(r'<tr id="event-(\d+)"', part) == [str(seen)]
    (shown,) = re.findall(r'id="newer" href="([^"]*)"', part)
    assert get(ana, shown).count('<tr id="event-') == 3


def test_part_and_json(ana: FlaskClient, hub: Hub) -> None:
    event = hub.event("lead.created")
    part = ana.get("/events", headers=HTMX)
    assert "<html" not in part.text
    same = {**HTMX, "If-None-Match": part.headers["ETag"]}
    assert ana.get("/events", headers=same).status_code == 304
    assert ana.get("/events", headers=CURL).json["data"][0]["id"] == event


def test_wrong_date_is_refused(ana: FlaskClient) -> None:
    assert ana.get("/events?from=yesterday", headers=BROWSER).status_code == 422
