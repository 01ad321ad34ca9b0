"""Rows with moments that no calendar has take no page down, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import BigInteger, update

from app import clock
from app.db import Base, transaction
from app.messages.actions import connection
from app.monitoring import jobs
from tests.automations.conftest import environ, mail_server, mailbox, office
from tests.automations.office import PHONE, Office
from tests.deliveries import letters
from tests.runbook.test_run_procedure import start

__all__ = ["environ", "mail_server", "mailbox", "office"]

PROVIDER = ("whatsapp.qr", "whatsapp.queue")
# Whose moments decide whether the person is signed in at all.
SIGNED_IN = ("users", "login_sessions")

# Each must be there, or nothing has been shown.
SHOWN = (
    "/alerts", "/alerts/1", "/dlq", "/dlq/1", "/dlq/lotes/1", "/events/1", "/incidentes/1", "/hoje",
    "/procedimentos/execucoes/1", "/whatsapp-connection", "/messages/1", "/auditoria",
)  # fmt: skip


def is_moment(column: Any) -> bool:
    """Moments are whole numbers named `…at`, `since` or `…until`."""
    named = column.name in ("at", "since") or column.name.endswith(("_at", "until"))
    return named and isinstance(column.type, BigInteger) and not column.primary_key


def store(moment: int) -> None:
    """Write the moment over each one that is stored."""
    with transaction() as tx:
        for table in Base.metadata.sorted_tables:
            odd = {column.name: moment for column in table.columns if is_moment(column)}
            if odd and table.name not in SIGNED_IN:
                tx.connection.execute(update(table).values(**odd))


def pages(app: Flask) -> Iterator[str]:
    """Each address that answers to GET, about the first row of its kind."""
    words = {"day": "2026-11-23", "shift": "morning", "key": "breaker", "name": "crm",
             "system": "crm", "queue": "high", "job_type": "sync.crm_operacao"}  # fmt: skip
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint not in ("static", *PROVIDER):
            path = re.sub(r"<(?:[^<>:]*:)?(\w+)>", lambda m: words.get(m[1], "1"), rule.rule)
            yield path


def fill(office: Office, client: FlaskClient) -> None:
    """A row of each kind that a page tells of."""
    office.receive("lead.created", {"phone": PHONE})
    office.work()
    letters.die(count=2)
    connection.check()
    jobs.watch()
    run = start(client, "breaker", subject="crm")
    window = {"starts_at": clock.iso(clock.now()), "ends_at": clock.iso(clock.now() + clock.HOUR)}
    made = [
        client.post("/api/dlq/archive-all", json={}),
        client.post("/incidentes", data={"title": "queda", "severity": "high"}),
        client.post(f"{run}/acoes/whatsapp_check", data={}),
        client.get("/hoje"),
        client.post("/alerts/maintenance", data={"system": "crm", "why": "troca", **window}),
    ]
    assert all(each.status_code < 300 for each in made)


@pytest.mark.parametrize("moment", [2**63 - 1, -(2**63), 10**17, -62_135_596_801_000, 0])
def test_every_page_stands(
    app: Flask, office: Office, client: FlaskClient, login: Any, moment: int
) -> None:
    login(client, 3)
    fill(office, client)
    store(moment)
    kinds = ("text/html", "application/json")
    told = {
        (path, kind): client.get(path, headers={"Accept": kind}, buffered=True).status_code
        for path in pages(app)
        for kind in kinds
    }
    assert {asked: status for asked, status in told.items() if status not in (200, 303, 404)} == {}
    assert [path for path in SHOWN for kind in kinds if told[path, kind] != 200] == []
