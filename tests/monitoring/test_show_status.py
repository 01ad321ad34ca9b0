"""The operations' doors: shapes of the contract, figures from the counters, who gets in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from werkzeug.serving import make_server

from app import clock, queues
from app.config import SYSTEMS
from app.counters import Count
from app.db import transaction
from app.deliveries.actions.revive import retry_dead_letters
from app.deliveries.models import DeadLetter
from app.heartbeats import Heartbeat
from app.monitoring.rules import days
from app.systems.models import BreakerRow, System
from tests.monitoring import rows

Get = Callable[..., Any]
SYNCS = {"sync.crm_operacao", "sync.operacao_financeiro", "sync.crm_financeiro",
         "sync.cuidadores_crm"}  # fmt: skip
BREAKER = {"service", "state", "failure_count", "failure_threshold", "timeout_seconds",
           "opened_at"}  # fmt: skip


def _open(system: str) -> None:
    with transaction() as tx:
        values = {"state": "open", "failures": 5, "opened_at": clock.now()}
        tx.connection.execute(
            update(BreakerRow).where(BreakerRow.system == system).values(**values)
        )


# Shapes


def test_status(get: Get) -> None:
    rows.waiting(2)
    rows.dead(3)
    rows.count(Count("events.done", rows.TYPE, rows.SOURCE, 4))
    data = get("/status")
    assert data["app"] == {"name": "carinho-integracoes", "env": "development", "debug": False}
    assert data["events"] == {"pending": 2, "today_processed": 4, "today_failed": 3}
    assert data["retry_queue"] == {"total": 0, "ready": 0}
    letters = {"total": 3, "last_24h": 3, "last_7d": 3, "by_type": {"lead.created": 3}}
    assert data["dead_letter"] == letters
    assert set(data["sync_jobs"]) == SYNCS
    assert data["whatsapp"] == {"connected": None, "status": "not_checked"}
    assert set(data["circuit_breakers"]) == set(SYSTEMS)
    assert data["circuit_breakers"]["crm"]["state"] == "closed"


def test_dashboard_of_a_hub_that_is_well(get: Get) -> None:
    rows.count(Count("events.done", rows.TYPE, rows.SOURCE, 4))
    data = get("/dashboard")
    assert data["health"] == {"status": "healthy", "critical_alerts": 0, "warning_alerts": 0}
    assert data["alerts"] == []
    assert {name: measure["band"] for name, measure in data["sla"].items()} == {
        "success_rate": "normal", "pending_events": "normal", "dead_letters": "normal",
        "database_latency": "normal", "queue_time": "normal",
    }  # fmt: skip
    assert data["dependencies"]["database"]["status"] == "ok"
    assert data["dependencies"]["redis"]["latency_ms"] >= 0
    assert set(data["sync"]) == SYNCS
    assert set(data["sync"]["sync.crm_operacao"]) == {
        "last_run", "last_status", "recent_failures", "duration_seconds", "next_run", "paused",
    }  # fmt: skip


def test_dashboard_counts_by_type_source_and_system(get: Get) -> None:
    rows.count(
        Count("events.accepted", "lead.created", "site", 5),
        Count("events.accepted", "payment.received", "financeiro", 2),
        Count("events.done", "lead.created", "site", 3),
        Count("events.failed", "lead.created", "site", 1),
        Count("deliveries.sent", "lead.created", "crm", 3),
        Count("deliveries.sent", "payment.received", "crm", 1),
        Count("deliveries.failed", "lead.created", "marketing", 1),
    )
    rows.count(Count("events.done", "lead.created", "site", 9), at=clock.now() - 2 * clock.DAY)
    data = get("/dashboard")
    assert data["events"]["today"] == {"total": 7, "processed": 3, "failed": 1}
    lead, payment = (
        {"total": 5, "processed": 3, "failed": 1},
        {"total": 2, "processed": 0, "failed": 0},
    )
    assert data["events"]["by_type"] == {"lead.created": lead, "payment.received": payment}
    assert data["events"]["by_source"] == {"financeiro": payment, "site": lead}
    assert data["deliveries"]["today"] == {"total": 5, "sent": 4, "failed": 1}
    assert data["deliveries"]["by_endpoint"] == {
        "crm": {"total": 4, "sent": 4, "failed": 0},
        "marketing": {"total": 1, "sent": 0, "failed": 1},
    }


def test_alerts(get: Get) -> None:
    assert get("/alerts")["alerts"] == []
    rows.dead(10)
    _open("crm")
    data = get("/alerts")
    assert (data["total"], data["critical"], data["warning"]) == (3, 2, 1)
    assert [alert["type"] for alert in data["alerts"]] == [
        "error_rate", "circuit_breaker", "dead_letter_queue",
    ]  # fmt: skip
    assert data["alerts"][1]["services"] == ["crm"]
    assert data["alerts"][2]["threshold"] == 10


def test_report_of_the_day_before_and_of_a_date(app: Flask, get: Get) -> None:
    zone = app.extensions["settings"].zone
    today = days.today(clock.now(), zone)
    counts = (
        Count("events.accepted", "a.b", "site", 9), Count("events.done", "a.b", "site", 7),
        Count("events.failed", "a.b", "site", 2), Count("deliveries.sent", "a.b", "crm", 7),
        Count("deliveries.failed", "a.b", "crm", 2), Count("dlq.added", "a.b", "crm", 2),
    )  # fmt: skip
    rows.count(*counts, at=today - 1)
    rows.count(*counts, at=today)
    yesterday = days.day_of(today - 1, zone).isoformat()
    data = get("/report/daily")
    assert data.pop("sync_jobs") == {name: {"total": 0, "success": 0} for name in SYNCS}
    assert data == {
        "date": yesterday,
        "events": {"total": 9, "processed": 7, "failed": 2},
        "deliveries": {"total": 9, "success": 7},
        "dead_letter_added": 2,
    }
    assert get(f"/report/daily?date={yesterday}")["events"]["total"] == 9
    assert get("/report/daily?date=2001-02-03")["events"]["total"] == 0


@pytest.mark.parametrize("wanted", ["yesterday", "2026-02-30", "1999-12-31", "9999-12-31"])
def test_report_of_a_wrong_date(get: Get, wanted: str) -> None:
    data = get(f"/report/daily?date={wanted}", 422)
    assert (data["error"], list(data["details"])) == ("Validation failed", ["date"])


def test_a_day_begins_at_midnight_in_sao_paulo(app: Flask) -> None:
    start, end = days.bounds(date(2026, 11, 23), app.extensions["settings"].zone)
    assert (clock.iso(start), end - start) == ("2026-11-23T03:00:00.000Z", clock.DAY)


def test_breakers_and_reset(get: Get, client: FlaskClient) -> None:
    _open("crm")
    data = get("/circuit-breakers")
    assert set(data["services"]) == set(SYSTEMS)
    crm = data["services"]["crm"]
    assert set(crm) == BREAKER
    assert (crm["state"], crm["failure_count"], crm["failure_threshold"]) == ("open", 5, 5)
    answer = client.post("/circuit-breakers/crm/reset")
    assert (answer.status_code, set(answer.json)) == (200, {"message", "status"})
    assert set(answer.json["status"]) == BREAKER
    assert get("/circuit-breakers")["services"]["crm"]["state"] == "closed"


def test_reset_of_an_unknown_service(get: Get, client: FlaskClient) -> None:
    answer = client.post("/circuit-breakers/mars/reset")
    assert (answer.status_code, answer.json["error"]) == (400, "Invalid service")
    assert answer.json["allowed"] == sorted(SYSTEMS)


def test_a_page_of_another_site_resets_nothing(get: Get, client: FlaskClient) -> None:
    _open("crm")
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/circuit-breakers/crm/reset", headers=headers).status_code == 403
    assert get("/circuit-breakers")["services"]["crm"]["state"] == "open"


def test_metrics(get: Get, client: FlaskClient) -> None:
    rows.waiting(2)
    text = client.get("/metrics").text
    assert 'hub_queue_size{queue="integrations-high"} 2\n' in text
    assert "hub_events_pending 2\n" in text
    assert 'hub_processes{kind="scheduler"} 1\n' in text
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


# What waits


def test_queues_and_retries(get: Get) -> None:
    now = clock.now()
    rows.waiting(2, due_at=now - 40_000)
    rows.waiting(3, queue=queues.RETRY, attempts=1, due_at=now + clock.HOUR)
    rows.waiting(1, queue=queues.RETRY, attempts=1, due_at=now - 5_000)
    data = get("/dashboard")
    assert data["queues"]["sizes"][queues.HIGH] == 2
    retry = {"total": 4, "ready": 1, "oldest": clock.iso(now - 5_000)}
    assert data["queues"]["retry_queue"] == retry
    assert data["sla"]["queue_time"]["band"] == "warning"
    assert 40 <= data["sla"]["queue_time"]["value"] < 60


def test_what_is_in_flight_does_not_wait(get: Get) -> None:
    rows.waiting(lease="x", due_at=clock.now() + 30_000)
    assert get("/dashboard")["sla"]["queue_time"]["value"] == 0


def test_what_a_breaker_holds_is_told_apart(get: Get) -> None:
    rows.waiting(2, queue=queues.RETRY, due_at=clock.now() - clock.HOUR)
    _open("crm")
    data = get("/dashboard")
    assert data["queues"]["held"] == {"crm": 2}
    assert data["queues"]["retry_queue"]["ready"] == 0
    assert data["sla"]["queue_time"]["value"] == 0


def test_what_a_pause_holds_is_told_apart(get: Get) -> None:
    rows.waiting(due_at=clock.now() - clock.HOUR)
    with transaction() as tx:
        tx.connection.execute(update(System).where(System.name == "crm").values(paused=True))
    data = get("/dashboard")
    assert (data["queues"]["held"], data["sla"]["queue_time"]["value"]) == ({"crm": 1}, 0)


def test_after_a_breaker_closed_waiting_counts_from_then_on(get: Get) -> None:
    rows.waiting(due_at=clock.now() - clock.HOUR)
    with transaction() as tx:
        tx.connection.execute(update(BreakerRow).values(closed_at=clock.now() - 10_000))
    assert 10 <= get("/dashboard")["sla"]["queue_time"]["value"] < 30


def test_events_without_a_plan_wait_on_the_queue_that_plans(get: Get) -> None:
    rows.waiting(status="sent")
    with transaction() as tx:
        old = clock.now() - 70_000
        tx.connection.execute(update(rows.Event).values(planned=False, created_at=old))
    data = get("/dashboard")
    assert data["queues"]["sizes"][queues.DEFAULT] == 1
    assert data["sla"]["queue_time"]["band"] == "critical"


def test_a_failure_taken_back_leaves_the_rate(get: Get) -> None:
    rows.count(Count("events.failed", "a.b", "site", 5), Count("events.done", "a.b", "site", 5))
    assert get("/dashboard")["sla"]["success_rate"] == {"value": 50, "band": "critical"}
    rows.count(Count("events.failed", "a.b", "site", -5), Count("events.done", "a.b", "site", 5))
    assert get("/dashboard")["sla"]["success_rate"] == {"value": 100, "band": "normal"}


def test_failures_that_are_retried_leave_the_rate(get: Get) -> None:
    rows.count(Count("events.done", rows.TYPE, rows.SOURCE, 20))
    rows.dead(3)
    assert get("/dashboard")["sla"]["success_rate"]["band"] == "critical"
    with transaction() as tx:
        ids = list(tx.connection.scalars(select(DeadLetter.id)))
        assert retry_dead_letters(tx, ids[:2], "Ana", clock.now()).done == ids[:2]
    assert get("/status")["events"]["today_failed"] == 1
    assert get("/dashboard")["sla"]["success_rate"] == {"value": 95.24, "band": "normal"}


def test_dead_processes_raise_alerts(get: Get) -> None:
    with transaction() as tx:
        gone = Heartbeat.kind.in_(("scheduler", f"worker:{queues.HIGH}"))
        tx.connection.execute(delete(Heartbeat).where(gone))
    assert [alert["type"] for alert in get("/alerts")["alerts"]] == ["scheduler", "worker"]


# Who gets in


DOORS = ("/status", "/dashboard", "/alerts", "/report/daily", "/metrics", "/circuit-breakers")
FAR = {"REMOTE_ADDR": "203.0.113.5"}


@pytest.mark.parametrize("path", DOORS)
def test_strangers_need_a_key(get: Get, client: FlaskClient, api_key: Any, path: str) -> None:
    assert client.get(path, environ_base=FAR).status_code == 401
    key = api_key("breakers:read" if path == "/circuit-breakers" else "overview:read")
    assert client.get(path, environ_base=FAR, headers={"X-API-Key": key}).status_code == 200
    other = {"X-API-Key": api_key("events:read")}
    assert client.get(path, headers=other).status_code == 403


# The runbook's lines


LINES = (
    "curl $HUB/status | jq",
    "curl $HUB/alerts | jq",
    "curl $HUB/dashboard | jq",
    "curl $HUB/circuit-breakers | jq",
    "curl $HUB/status | jq '.whatsapp'",
    "curl $HUB/health/detailed | jq '.checks.queues.sizes.notifications'",
    "curl -X POST $HUB/circuit-breakers/crm/reset",
    'curl -s $HUB/circuit-breakers | jq ".services.crm"',
    "curl $HUB/status | jq '.sync_jobs'",
    "curl $HUB/dashboard | jq '.events.by_type'",
    "curl $HUB/dashboard | jq '.events.by_source'",
    "curl $HUB/health/detailed | jq '.checks.queues'",
    "curl $HUB/health/detailed | jq '.checks.database.latency_ms'",
)


@pytest.fixture
def address(well: Flask) -> Iterator[str]:
    """A server on a free port of loopback."""
    server = make_server("127.0.0.1", 0, well, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("line", LINES)
def test_each_line_of_the_runbook_works(address: str, line: str) -> None:
    command, _, path = line.partition(" | jq")
    words = [word.replace("$HUB", address) for word in command.split()]
    done = subprocess.run([*words, "-sS"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    for name in path.strip(" '\"").split(".")[1:]:
        found = found[name]
    assert "error" not in done.stdout
    assert found is not None
