"""The counters are proved against the rows, and repaired."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from sqlalchemy import delete

from app import clock, counters
from app.counters import Count
from app.db import reading, transaction
from app.deliveries.models import DeadLetter
from app.monitoring.actions.repair_counters import repair_counters
from app.monitoring.cli import check_counters
from app.monitoring.queries.drift import Drift, find_drift
from tests.monitoring import rows


def _run(app: Flask, *words: str) -> tuple[int, Any]:
    runner = app.test_cli_runner()
    result = runner.invoke(check_counters, [*words, "--json"])
    return result.exit_code, json.loads(result.output)


def test_right_counters(any_database: str, well: Flask) -> None:
    rows.waiting(3)
    rows.dead(2)
    assert find_drift() == []


def test_drift_is_found_and_repaired(any_database: str, well: Flask) -> None:
    rows.waiting(3)
    rows.dead(2)
    rows.count(
        Count("events.pending", rows.TYPE, rows.SOURCE, 4, gauge=True),
        Count("deliveries.waiting", "integrations-low", "site", -1, gauge=True),
    )
    with transaction() as tx:
        tx.connection.execute(delete(DeadLetter))
    assert find_drift() == [
        Drift("events.pending", rows.TYPE, rows.SOURCE, 7, 3),
        Drift("deliveries.waiting", "integrations-low", "site", -1, 0),
        Drift("dlq.open", rows.TYPE, "crm", 2, 0),
        Drift("dlq.cause", "c", "crm", 2, 0),
    ]
    repair_counters(find_drift(), clock.now())
    assert find_drift() == []
    with transaction() as tx:
        counters.fold(tx)
    assert find_drift() == []


def test_the_command(well: Flask) -> None:
    rows.waiting()
    assert _run(well) == (0, {"repaired": False, "drift": []})
    rows.count(Count("events.pending", rows.TYPE, rows.SOURCE, gauge=True))
    code, told = _run(well)
    assert (code, told["repaired"], told["drift"][0]["kept"]) == (1, False, 2)
    code, told = _run(well, "--repair")
    assert (code, told["repaired"], len(told["drift"])) == (0, True, 1)
    assert _run(well) == (0, {"repaired": False, "drift": []})
    with reading() as c:
        assert counters.gauge(c, "events.pending") == 1
