"""Which alerts a snapshot raises, and what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app import clock, queues
from app.monitoring.rules.advice import ADVICE
from app.monitoring.rules.alerts import Alert, alerts, health
from app.monitoring.rules.board import TYPES
from app.monitoring.rules.snapshot import Ping, Snapshot, WhatsApp
from app.systems.rules.breaker import Breaker
from tests.monitoring.conftest import KINDS

NOW = 1_800_000_000_000
WELL = Snapshot(
    now=NOW,
    database=Ping(1.0),
    redis=Ping(0.2),
    breakers={name: Breaker(name) for name in ("crm", "operacao", "site")},
    processes=dict.fromkeys(KINDS, 1),
)


def _waiting(queue: str, n: int) -> dict[str, Any]:
    return {"waiting": {(queue, "crm"): n}}


def _breakers(**states: str) -> dict[str, Any]:
    return {"breakers": {name: Breaker(name, state=state) for name, state in states.items()}}


def _whatsapp(connected: bool | None, minutes: float | None) -> dict[str, Any]:
    since = None if minutes is None else NOW - round(minutes * clock.MINUTE)
    return {"whatsapp": WhatsApp(connected, "", since)}


def _silent(minutes: float) -> dict[str, Any]:
    since = NOW - round(minutes * clock.MINUTE)
    return {"whatsapp": WhatsApp(None, "unknown", silent_since=since)}


def _long(minutes: int) -> dict[str, Any]:
    return {"long_syncs": {"CRM → Operação": NOW - minutes * clock.MINUTE}}


# what is seen, and (level, type, value, threshold or services) of the one alert, if any
CASES: list[tuple[dict[str, Any], tuple[Any, ...] | None]] = [
    ({}, None),
    ({"pending": 99}, None),
    ({"pending": 100}, ("warning", "pending_events", 100, 100)),
    ({"pending": 500}, ("warning", "pending_events", 500, 100)),
    ({"pending": 501}, ("critical", "pending_events", 501, 500)),
    (_waiting(queues.RETRY, 49), None),
    (_waiting(queues.RETRY, 50), ("warning", "retry_queue", 50, 50)),
    (_waiting(queues.RETRY, 200), ("warning", "retry_queue", 200, 50)),
    (_waiting(queues.RETRY, 501), ("critical", "retry_queue", 501, 200)),
    ({"dead": {("lead.created", "crm"): 9}}, None),
    ({"dead": {("a.b", "crm"): 9, ("a.c", "crm"): 1}}, ("warning", "dead_letter_queue", 10, 10)),
    ({"dead": {("a.b", "crm"): 51}}, ("critical", "dead_letter_queue", 51, 50)),
    ({"done": 100, "failed": 0}, None),
    ({"done": 951, "failed": 49}, None),
    ({"done": 95, "failed": 5}, ("warning", "error_rate", 5, 5)),
    ({"done": 85, "failed": 15}, ("warning", "error_rate", 15, 5)),
    ({"done": 84, "failed": 16}, ("critical", "error_rate", 16, 15)),
    ({"failed_syncs": 2}, None),
    ({"failed_syncs": 3}, ("warning", "sync_failed", 3, 2)),
    (_long(59), None),
    (_long(60), ("warning", "sync_long", 60, 60)),
    (_breakers(crm="open"), ("critical", "circuit_breaker", 1, ["crm"])),
    (_breakers(crm="open", operacao="open", site="closed"),
     ("critical", "circuit_breaker", 2, ["crm", "operacao"])),
    (_breakers(crm="half_open"), ("warning", "circuit_breaker", 1, ["crm"])),
    (_silent(14.9), None),
    (_silent(15), ("warning", "whatsapp_silent", 15, 15)),
    (_whatsapp(None, None), None),
    (_whatsapp(True, 60), None),
    (_whatsapp(False, 15), None),
    (_whatsapp(False, 16), ("critical", "whatsapp", 16, 15)),
    (_waiting(queues.HIGH, 500), None),
    (_waiting(queues.HIGH, 501), ("warning", "queue_size", 501, 500)),
    ({"unplanned": 600}, ("warning", "queue_size", 600, 500)),
    ({"database": Ping(49.9)}, None),
    ({"database": Ping(50)}, ("warning", "database_latency", 50, 50)),
    ({"database": Ping(100.5)}, ("critical", "database_latency", 100.5, 100)),
    ({"waits": {queues.HIGH: 29_900}}, None),
    ({"waits": {queues.HIGH: 1, queues.LOW: 30_000}}, ("warning", "queue_time", 30, 30)),
    ({"waits": {queues.HIGH: 60_001}}, ("critical", "queue_time", 60, 60)),
    ({"redis": Ping(None)}, ("warning", "redis", 0, 1)),
    ({"processes": dict.fromkeys(KINDS[1:], 1)}, ("critical", "scheduler", 0, 1)),
    ({"processes": dict.fromkeys(KINDS[:-1], 2)}, ("critical", "worker", 0, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "expected"), CASES)
def test_each_limit(seen: dict[str, Any], expected: tuple[Any, ...] | None) -> None:
    found = [alert.as_data() for alert in alerts(replace(WELL, **seen))]
    if expected is None:
        assert found == []
        return
    (alert,) = found
    assert alert.pop("message")
    assert tuple(alert.values()) == expected


def test_each_type_has_a_name_and_an_advice() -> None:
    raised = {expected[1] for _, expected in CASES if expected}
    assert raised - set(TYPES) == set() == raised - set(ADVICE)


def test_messages_say_the_effect() -> None:
    seen = replace(
        WELL,
        pending=1_234,
        done=180,
        failed=20,
        **_breakers(crm="open", operacao="open", site="open"),
        processes=dict.fromkeys(KINDS[:-1], 1),
    )
    assert {alert.message for alert in alerts(seen)} == {
        "1.234 eventos ainda não chegaram a nenhum sistema.",
        "10 % dos eventos das últimas 24 h não chegaram a todos os destinos.",
        (
            "Disjuntor aberto: mensagens para CRM, Operação e Site estão paradas e sairão quando o "
            "sistema voltar."
        ),
        "Nenhum worker atende a fila integrations-retry: o que está nela não anda.",
    }


def test_critical_alerts_come_first() -> None:
    levels = [a.level for a in alerts(replace(WELL, pending=100, **_breakers(crm="open")))]
    assert levels == ["critical", "warning"]


def test_an_alert_for_each_queue() -> None:
    waiting = {(queues.HIGH, "crm"): 501, (queues.LOW, "crm"): 300, (queues.LOW, "site"): 300}
    subjects = [alert.subject for alert in alerts(replace(WELL, waiting=waiting))]
    assert subjects == [queues.HIGH, queues.LOW]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [([], "healthy"), (["warning"], "degraded"), (["warning", "critical"], "critical")],
)
def test_overall_health(levels: list[Any], expected: str) -> None:
    assert health(Alert(level, "t", "m", 1) for level in levels) == expected


def test_no_event_ended_is_not_an_error_rate() -> None:
    assert (WELL.error_rate, WELL.success_rate) == (None, None)
    assert WELL.sla["success_rate"] == "unknown"


def test_held_messages_are_those_of_systems_that_take_nothing() -> None:
    waiting = {(queues.HIGH, "crm"): 3, (queues.RETRY, "crm"): 2, (queues.HIGH, "site"): 7,
               (queues.HIGH, "operacao"): 1}  # fmt: skip
    states = _breakers(crm="open", operacao="closed", site="closed")
    seen = replace(WELL, waiting=waiting, paused=frozenset({"operacao"}), **states)
    assert seen.held == {"crm": 5, "operacao": 1}
