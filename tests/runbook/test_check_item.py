"""What the live data says about each item."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from app import clock, queues
from app.db import reading
from app.monitoring.rules.snapshot import Ping, Snapshot, WhatsApp
from app.runbook.queries.readings import night_runs
from app.runbook.rules import checks
from app.runbook.rules.checks import Evidence, NightRun, Readings
from app.runbook.rules.templates import SEEDS
from app.syncs.actions.schedules import ensure as ensure_schedules
from app.syncs.actions.schedules import pause
from app.syncs.rules.table import SYNCS
from app.systems.rules.breaker import OPEN, Breaker
from tests.runbook.conftest import DAVI, ZONE, Time

NOW = 1_800_000_000_000
ALIVE = {"scheduler": 1, **{f"worker:{queue}": 1 for queue in queues.QUEUES}}
WELL = Readings(Snapshot(NOW, Ping(1.0), Ping(1.0), processes=ALIVE))
RUNS = (NightRun("CRM → Operação", 14, 0), NightRun("Operação → Financeiro", 1, 0))
Q = queues.DEFAULT


def seen(**values: Any) -> Readings:
    return replace(WELL, seen=replace(WELL.seen, **values))


CASES: list[tuple[str, Readings, str, str]] = [
    ("whatsapp", WELL, "unknown", "ninguém verificou ainda"),
    ("whatsapp", seen(whatsapp=WhatsApp(True)), "pass", "conectado"),
    ("whatsapp", seen(whatsapp=WhatsApp(False)), "fail", "desconectado"),
    (
        "whatsapp",
        seen(whatsapp=WhatsApp(False, "off", NOW - 7 * clock.MINUTE)),
        "fail",
        "desconectado há 7 min",
    ),
    ("alerts", WELL, "pass", "nenhum alerta"),
    ("alerts", seen(dead={("x", "crm"): 10}), "fail", "1 alerta"),
    ("dlq", WELL, "pass", "0 mensagens"),
    ("dlq", seen(dead={("x", "crm"): 1}), "pass", "1 mensagem"),
    ("dlq", seen(dead={("x", "crm"): 10}), "fail", "10 mensagens"),
    ("queues", WELL, "pass", "todas vazias"),
    ("queues", seen(waiting={(Q, "crm"): 500}), "pass", f"500 na maior ({Q})"),
    ("queues", seen(waiting={(Q, "crm"): 1501}), "fail", f"1.501 na maior ({Q})"),
    ("syncs_night", WELL, "unknown", "nenhuma execução registrada"),
    ("syncs_night", replace(WELL, night=RUNS), "pass", "2 de 2 em ordem"),
    ("syncs_night", replace(WELL, night=(*RUNS, NightRun("x", 0, 0))), "fail", "2 de 3 em ordem"),
    ("syncs_night", replace(WELL, night=(*RUNS, NightRun("x", 3, 1))), "fail", "2 de 3 em ordem"),
    ("error_rate", WELL, "unknown", "sem dados"),
    ("error_rate", replace(WELL, done=96, failed=4), "pass", "4 %"),
    ("error_rate", replace(WELL, done=95, failed=5), "fail", "5 %"),
    ("error_rate", replace(WELL, done=1000, failed=66), "fail", "6,2 %"),
    ("pending", seen(pending=99), "pass", "99 eventos"),
    ("pending", seen(pending=100), "fail", "100 eventos"),
    ("retry_queue", seen(waiting={(queues.RETRY, "crm"): 49}), "pass", "49 mensagens"),
    ("retry_queue", seen(waiting={(queues.RETRY, "crm"): 50}), "fail", "50 mensagens"),
    ("breakers", WELL, "pass", "todos fechados (normal)"),
    ("breakers", seen(breakers={"crm": Breaker("crm", OPEN)}), "fail", "1 fora do normal"),
    ("database", seen(database=Ping(49.0)), "pass", "49 ms"),
    ("database", seen(database=Ping(50.0)), "fail", "50 ms"),
    ("manual", WELL, "unknown", "a pessoa verifica"),
    ("taken out of the code since", WELL, "unknown", "a pessoa verifica"),
]


@pytest.mark.parametrize(("check", "readings", "result", "value"), CASES)
def test_check(check: str, readings: Readings, result: str, value: str) -> None:
    found = checks.look(check, readings)
    assert (found.result, found.value, found.at) == (result, value, NOW)
    assert found.threshold


def test_the_limits_in_force_decide() -> None:
    limits = dict(WELL.seen.limits)
    limits["dead_letters"] = replace(limits["dead_letters"], warning=20)
    found = checks.look("dlq", seen(dead={("x", "crm"): 10}, limits=limits))
    assert (found.result, found.threshold) == ("pass", "menos de 20 mensagens")


def test_a_late_checklist_is_none_of_its_own_business() -> None:
    from app.monitoring.rules.alerts import Alert

    others = [Alert("warning", "checklist", "atrasado", 31, 30)]
    assert checks.look("alerts", seen(others=others)).result == "pass"


def test_every_item_of_the_runbook_has_a_check() -> None:
    assert {line.check for lines in SEEDS.values() for line in lines} <= set(checks.CHECKS)
    assert [len(lines) for lines in SEEDS.values()] == [5, 3]


def test_evidence_is_kept_whole() -> None:
    found = Evidence("fail", "37", "menos de 10", NOW, ("um", "dois"))
    assert checks.from_json(found.as_json()) == found
    assert checks.from_json("") is None


@pytest.mark.parametrize(
    ("later", "value", "news"), [(59_999, "37", False), (60_000, "37", True), (5_000, "38", True)]
)
def test_only_news_is_written_down(later: int, value: str, news: bool) -> None:
    before = Evidence("fail", "37", "menos de 10", NOW)
    assert checks.is_news(before, replace(before, value=value, at=NOW + later)) is news
    assert checks.is_news(None, before)


def test_a_paused_sync_is_not_expected_at_night(hub: Flask, time: Time) -> None:
    with hub.app_context():
        ensure_schedules(time.now)
        pause("cuidadores_crm", by=DAVI, why="obra no sistema", now=time.now)
        with reading() as c:
            labels = {run.label for run in night_runs(c, time.now, ZONE)}
    everyone = {sync.label for sync in SYNCS.values()}
    assert labels == everyone - {SYNCS["cuidadores_crm"].label}
