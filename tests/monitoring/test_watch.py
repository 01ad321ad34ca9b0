"""One open alert per cause: opened, moved, closed; whoever looks, however often."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, update

from app import clock, counters
from app.db import reading, transaction
from app.heartbeats import Heartbeat
from app.monitoring import jobs
from app.monitoring.actions.watch import CLEAR_MS, watch
from app.monitoring.models import AlertEntry, AlertRow
from app.monitoring.queries.alerts import open_alerts
from app.monitoring.rules.alerts import Alert, by_cause
from app.systems.models import BreakerRow
from tests.monitoring import rows

NOW = 1_800_000_000_000
DLQ = Alert("warning", "dead_letter_queue", "12 mensagens", 12, 10)
BREAKERS = Alert("critical", "circuit_breaker", "…", 2, services=("crm", "site"))


def _open() -> list[tuple[str, str]]:
    with reading() as c:
        return [(str(row.active_key), row.level) for row in open_alerts(c)]


def _kinds() -> list[str]:
    with reading() as c:
        return list(c.execute(select(AlertEntry.kind).order_by(AlertEntry.id)).scalars())


def test_opens_one_alert_per_cause_and_keeps_it(app_context: None) -> None:
    for second in range(3):
        watch([DLQ, BREAKERS], NOW + second * 10_000)
    keys = ["circuit_breaker:crm", "circuit_breaker:site", "dead_letter_queue:"]
    assert [key for key, _ in _open()] == keys
    assert len(_kinds()) == 3
    with reading() as c:
        assert c.execute(select(AlertRow.last_seen_at)).scalars().all() == [NOW + 20_000] * 3


def test_a_breaker_alert_names_its_own_system() -> None:
    messages = [each.message for each in by_cause([BREAKERS])]
    assert "CRM" in messages[0] and "Site" not in messages[0]
    assert "Site" in messages[1]


def test_worse_and_better_are_told(app_context: None) -> None:
    watch([DLQ], NOW)
    watch([replace(DLQ, level="critical", value=60)], NOW + 1)
    watch([DLQ], NOW + 2)
    assert _kinds() == ["opened_warning", "moved_critical", "moved_warning"]
    with reading() as c:
        row = c.execute(select(AlertRow.__table__)).one()
    assert (row.level, row.worst) == ("warning", "critical")


def test_closes_only_after_it_has_been_gone_for_a_while(app_context: None) -> None:
    watch([DLQ], NOW)
    watch([], NOW + CLEAR_MS - 1)
    assert len(_open()) == 1
    watch([], NOW + CLEAR_MS)
    assert _open() == []
    watch([DLQ], NOW + CLEAR_MS + 1)
    assert _kinds() == ["opened_warning", "closed", "opened_warning"]


def test_what_cannot_be_told_yet_stays_as_it_is(app_context: None) -> None:
    worker = Alert("critical", "worker", "…", 0, 1, subject="integrations")
    watch([worker], NOW, unsure=("worker",))
    assert _open() == []
    watch([worker], NOW)
    watch([], NOW + clock.HOUR, unsure=("worker",))
    assert len(_open()) == 1


def test_worse_wakes_what_was_put_to_sleep(app_context: None) -> None:
    watch([DLQ], NOW)
    with transaction() as tx:
        tx.connection.execute(update(AlertRow).values(snoozed_until=NOW + clock.HOUR))
    watch([DLQ], NOW + 1)
    with reading() as c:
        assert c.execute(select(AlertRow.snoozed_until)).scalar_one() == NOW + clock.HOUR
    watch([replace(DLQ, level="critical")], NOW + 2)
    with reading() as c:
        assert c.execute(select(AlertRow.snoozed_until)).scalar_one() is None


def test_two_schedulers_make_one_alert(app: Flask, any_database: str) -> None:
    def look(at: int) -> None:
        with app.app_context():
            watch([DLQ, BREAKERS], at)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(look, [NOW] * 12))
    with app.app_context():
        assert len(_open()) == 3
        assert len(_kinds()) == 3


def test_the_clock_stores_what_the_page_tells(well: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_STARTED", 0)
    rows.waiting(100)
    jobs.watch()
    assert _open() == [("pending_events:", "warning")]


def test_workers_stand_in_for_a_dead_scheduler(
    well: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_STARTED", 0)
    jobs.stand_in()
    assert _open() == []
    with transaction() as tx:
        tx.connection.execute(delete(Heartbeat).where(Heartbeat.kind == "scheduler"))
        counters.add(tx.connection, [counters.Count("events.accepted", "a", "b")], clock.now())
    jobs.stand_in()
    assert _open() == [("scheduler:", "critical")]
    with reading() as c:
        assert c.scalar(select(func.count()).select_from(counters.Tally)) == 0


def _page(client: FlaskClient, path: str) -> str:
    response = client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 200
    return str(response.text)


def test_the_page_tells_a_dead_scheduler_that_nobody_could_store(
    well: Flask, client: FlaskClient, login: Callable[..., Any]
) -> None:
    login(client)
    assert "Nenhum alerta aberto" in _page(client, "/alerts")
    with transaction() as tx:
        tx.connection.execute(delete(Heartbeat).where(Heartbeat.kind == "scheduler"))
    page = _page(client, "/alerts")
    assert "O agendador está parado" in page
    assert "ainda não registrado" in page


def test_commands_of_people(well: Flask, client: FlaskClient, login: Callable[..., Any]) -> None:
    with transaction() as tx:
        crm = update(BreakerRow).where(BreakerRow.system == "crm")
        tx.connection.execute(crm.values(state="open", failures=5, opened_at=clock.now()))
    jobs.watch()
    login(client)
    with reading() as c:
        id_ = open_alerts(c)[0].id
    assert client.post(f"/alerts/{id_}/acknowledge").get_json()["data"]["acknowledged_by"] == "Ana"
    assert client.post(f"/alerts/{id_}/snooze", data={"minutes": "30"}).status_code == 200
    assert client.post(f"/alerts/{id_}/notes", data={"text": "liguei"}).status_code == 200
    assert client.post(f"/alerts/{id_}/notes", data={"text": " "}).status_code == 422
    assert client.post(f"/alerts/{id_}/wake").status_code == 200
    g.pop("csrf_token", None)
    login(client, 2)
    assert client.post(f"/alerts/{id_}/acknowledge").status_code == 409
    assert client.post(f"/alerts/{id_}/release").status_code == 200
    told = client.get(f"/alerts/{id_}").get_json()["data"]["entries"]
    assert [entry["kind"] for entry in told] == [
        "opened_critical", "acknowledged", "snoozed", "note", "woken", "released",
    ]  # fmt: skip
    page = _page(client, f"/alerts/{id_}")
    assert "liguei" in page
    assert "mensagens para CRM estão paradas" in page


BAD_UNTIL = ["amanhã", "2026-13-40T99:00", " ", "²", "1e17", "2020-01-01T08:00", "9999-12-31T23:59",
             "0001-01-01", "2999-12-31T23:59", "x" * 41]  # fmt: skip


def _an_alert() -> int:
    """The id of one that is open."""
    rows.waiting(100)
    jobs.watch()
    with reading() as c:
        return open_alerts(c)[0].id


@pytest.mark.parametrize("until", BAD_UNTIL)
def test_a_sleep_until_no_moment_is_asked_again(
    well: Flask, client: FlaskClient, login: Callable[..., Any], until: str
) -> None:
    id_ = _an_alert()
    login(client)
    form = {"until": until, "why": "ligo às oito", "minutes": "60"}
    told = client.post(f"/alerts/{id_}/snooze", data=form)
    assert (told.status_code, list(told.get_json()["details"])) == (422, ["until"])
    page = client.post(f"/alerts/{id_}/snooze", data=form, headers={"Accept": "text/html"})
    assert page.status_code == 422
    assert 'href="#f-until"' in page.text and "no máximo 7 dias à frente" in page.text
    assert f'value="{until}"' in page.text and 'value="ligo às oito"' in page.text
    assert client.get(f"/alerts/{id_}").get_json()["data"]["snoozed_until"] is None


@pytest.mark.parametrize("form", [{"minutes": "0"}, {"minutes": "²"}, {"why": "x" * 401}])
def test_other_wrong_fields_of_a_sleep_are_said_too(
    well: Flask, client: FlaskClient, login: Callable[..., Any], form: dict[str, str]
) -> None:
    id_ = _an_alert()
    login(client)
    assert list(client.post(f"/alerts/{id_}/snooze", data=form).get_json()["details"]) == [*form]
    page = client.post(f"/alerts/{id_}/snooze", data=form, headers={"Accept": "text/html"})
    assert (page.status_code, "Há um problema" in page.text) == (422, True)


def test_an_alert_asleep_does_not_shout_from_the_tab(
    well: Flask, client: FlaskClient, login: Callable[..., Any]
) -> None:
    rows.waiting(100)
    jobs.watch()
    login(client)
    assert 'data-tone="warn"' in _page(client, "/alerts")
    with reading() as c:
        id_ = open_alerts(c)[0].id
    client.post(f"/alerts/{id_}/snooze", data={"minutes": "30"})
    well.extensions.pop("frame_kept", None)
    assert 'data-tone="ok"' in _page(client, "/alerts")


@pytest.mark.parametrize("path", ["/alerts/999", "/alerts/999/acknowledge"])
def test_unknown_alert(
    well: Flask, client: FlaskClient, login: Callable[..., Any], path: str
) -> None:
    login(client)
    send = client.post if path.endswith("acknowledge") else client.get
    assert send(path).status_code == 404


def test_history_pages_and_filter(
    well: Flask, client: FlaskClient, login: Callable[..., Any]
) -> None:
    for n in range(30):
        start = NOW + n * clock.HOUR
        watch([replace(DLQ, message=f"caso {n:02}")], start)
        watch([], start + CLEAR_MS)
    login(client)
    first = _page(client, "/alerts")
    assert "caso 29" in first and "caso 05" in first and "caso 04" not in first
    last = NOW + 5 * clock.HOUR + CLEAR_MS
    second = _page(client, f"/alerts?after={last}-6")
    assert "caso 04" in second and "caso 05" not in second
    assert "Nada corresponde" in _page(client, "/alerts?type=whatsapp")
