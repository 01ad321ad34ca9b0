"""A system in maintenance raises nothing, from its start to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app import clock
from app.access.actor import SYSTEM
from app.db import reading, transaction
from app.errors import Conflict, Invalid
from app.monitoring.actions.maintenance import end_maintenance, plan_maintenance
from app.monitoring.queries.maintenance import maintained
from app.systems.models import BreakerRow

NOW = 1_800_000_000_000
HOUR = clock.HOUR


def test_only_while_it_lasts(app_context: None) -> None:
    plan_maintenance("crm", NOW + HOUR, NOW + 2 * HOUR, by=SYSTEM, why="troca", now=NOW)
    with reading() as c:
        found = [maintained(c, NOW + n * HOUR // 2) for n in (1, 2, 3, 4)]
    assert found == [frozenset(), {"crm"}, {"crm"}, frozenset()]


def test_ends_early_once(app_context: None) -> None:
    id_ = plan_maintenance("crm", NOW, NOW + HOUR, by=SYSTEM, why="troca", now=NOW)
    assert end_maintenance(id_, by=SYSTEM, now=NOW + 1) == "crm"
    with reading() as c:
        assert maintained(c, NOW + 2) == frozenset()
    with pytest.raises(Conflict):
        end_maintenance(id_, by=SYSTEM, now=NOW + 3)


@pytest.mark.parametrize(
    ("system", "start", "end", "why", "wrong"),
    [
        ("nada", 0, 1, "x", "system"),
        ("crm", 0, 0, "x", "ends_at"),
        ("crm", -2, -1, "x", "ends_at"),
        ("crm", 0, 24 * 8, "x", "ends_at"),
        ("crm", 24 * 91, 24 * 91 + 1, "x", "starts_at"),
        ("crm", 0, 1, " ", "why"),
    ],
)
def test_refusals(
    app_context: None, system: str, start: int, end: int, why: str, wrong: str
) -> None:
    with pytest.raises(Invalid) as refused:
        plan_maintenance(system, NOW + start * HOUR, NOW + end * HOUR, by=SYSTEM, why=why, now=NOW)
    assert set(refused.value.details) == {wrong}


def test_an_open_breaker_in_maintenance_is_no_alert(
    well: Flask, client: FlaskClient, login: Callable[..., Any]
) -> None:
    with transaction() as tx:
        crm = update(BreakerRow).where(BreakerRow.system == "crm")
        tx.connection.execute(crm.values(state="open", failures=5, opened_at=clock.now()))
    assert client.get("/alerts").get_json()["critical"] == 1
    login(client)
    html = {"Accept": "text/html"}
    form = {"system": "crm", "starts_at": "2020-01-01T08:00", "ends_at": "x", "why": "troca"}
    refused = client.post("/alerts/maintenance", data=form, headers=html)
    assert refused.status_code == 422
    assert "Há um problema" in refused.text
    made = plan_maintenance(
        "crm", clock.now(), clock.now() + HOUR, by=SYSTEM, why="troca", now=clock.now()
    )
    assert client.get("/alerts").get_json()["total"] == 0
    page = client.get("/alerts", headers=html).text
    assert "Manutenção de CRM" in page
    assert client.post(f"/alerts/maintenance/{made}/end", headers=html).status_code == 303
    assert client.get("/alerts").get_json()["critical"] == 1
