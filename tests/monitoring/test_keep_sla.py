"""The course of the measures, their bands as data, and what lies ahead."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app import clock, slow_statements
from app.access.actor import SYSTEM
from app.db import reading
from app.errors import Conflict, Invalid, NotFound
from app.monitoring import jobs
from app.monitoring.actions.bands import change_band
from app.monitoring.actions.samples import KEEP, forget_samples, is_sampled, store_sample
from app.monitoring.queries.bands import limits, versions
from app.monitoring.queries.samples import samples
from app.monitoring.rules.bands import DLQ, SLA, SUCCESS
from app.monitoring.rules.chart import HEIGHT, WIDTH, Sample, chart
from app.monitoring.rules.forecast import Forecast, forecast
from tests.monitoring import rows

NOW = 1_800_000_000_000 // clock.HOUR * clock.HOUR
MINUTE = clock.MINUTE


def _course(values: list[float]) -> list[tuple[int, float]]:
    return [(NOW + n * MINUTE, value) for n, value in enumerate(values)]


# Samples


def test_a_minute_is_kept_once_and_summed_up_by_the_hour(app_context: None) -> None:
    assert store_sample({DLQ: 4.0}, NOW)
    assert not store_sample({DLQ: 9.0}, NOW)
    assert store_sample({DLQ: 8.0}, NOW + MINUTE)
    assert is_sampled(NOW) and not is_sampled(NOW + 2 * MINUTE)
    with reading() as c:
        assert samples(c, [DLQ], "h", NOW)[DLQ] == [Sample(NOW, 6.0, 4.0, 8.0)]
        assert [s.mean for s in samples(c, [DLQ], "m", NOW)[DLQ]] == [4.0, 8.0]


def test_old_ones_are_forgotten(app_context: None) -> None:
    store_sample({DLQ: 1.0}, NOW)
    assert forget_samples(NOW + KEEP["m"]) == 0
    assert forget_samples(NOW + KEEP["m"] + 1) == 1
    assert forget_samples(NOW + KEEP["h"] + 1) == 1


def test_the_clock_samples_the_minute_once(well: Flask) -> None:
    rows.dead(3)
    jobs.sample()
    jobs.sample()
    with reading() as c:
        found = samples(c, [DLQ, "queue:integrations-high"], "m", 0)
    assert {s.mean for s in found[DLQ]} == {3.0}
    assert "queue:integrations-high" in found


# Bands


def test_bands_are_data_with_versions(app_context: None) -> None:
    assert change_band(DLQ, 20, 80, seen=0, by=SYSTEM, why="mais volume", now=NOW) == 1
    with reading() as c:
        assert limits(c)[DLQ] == replace(SLA[DLQ], warning=20, critical=80)
        assert versions(c) == {**dict.fromkeys(SLA, 0), DLQ: 1}
    with pytest.raises(Conflict):
        change_band(DLQ, 30, 90, seen=0, by=SYSTEM, why="x", now=NOW)


@pytest.mark.parametrize(
    ("measure", "warning", "critical", "why", "wrong"),
    [
        (DLQ, 50, 50, "x", "critical"),
        (DLQ, -1, 50, "x", "warning"),
        (SUCCESS, 90, 95, "x", "critical"),
        (SUCCESS, 101, 90, "x", "warning"),
        (DLQ, 10, 50, "", "why"),
    ],
)
def test_senseless_bands_are_refused(
    app_context: None, measure: str, warning: float, critical: float, why: str, wrong: str
) -> None:
    with pytest.raises(Invalid) as refused:
        change_band(measure, warning, critical, seen=0, by=SYSTEM, why=why, now=NOW)
    assert set(refused.value.details) == {wrong}
    with pytest.raises(NotFound):
        change_band("nada", 1, 2, seen=0, by=SYSTEM, why="x", now=NOW)


def test_alerts_obey_the_band_in_force(
    well: Flask, client: FlaskClient, login: Callable[..., Any]
) -> None:
    rows.waiting(120)
    assert client.get("/alerts").get_json()["total"] == 1
    login(client, 2)
    form = {"warning": "200", "critical": "900", "version": "0", "why": "pico", "confirmed": "1"}
    assert client.post("/sla/bands/pending_events", data=form).status_code == 403
    change_band("pending_events", 200, 900, seen=0, by=SYSTEM, why="pico", now=clock.now())
    assert client.get("/alerts").get_json()["total"] == 0
    measures = client.get("/sla").get_json()["data"]
    assert measures[1]["limits"] == {"warning": 200, "critical": 900, "version": 1}


def test_the_page(well: Flask, client: FlaskClient, login: Callable[..., Any]) -> None:
    rows.waiting(120)
    store_sample({"pending_events": 80.0}, clock.now() // MINUTE * MINUTE - MINUTE)
    login(client, 3)
    html = {"Accept": "text/html"}
    page = client.get("/sla?range=1h", headers=html).text
    assert "lead.created" in page and "<svg" in page and "Sem dados neste período" in page
    form = {"warning": "200", "critical": "900", "version": "0"}
    asked = client.post("/sla/bands/pending_events", data=form, headers=html)
    assert asked.status_code == 200 and "Mudar os limites?" in asked.text
    sure = {**form, "confirmed": "1", "why": "pico"}
    assert client.post("/sla/bands/pending_events", data=sure, headers=html).status_code == 303
    assert "pico" in client.get("/sla", headers=html).text
    assert client.get("/sla?range=2h").status_code == 422


# What lies ahead


@pytest.mark.parametrize(
    ("measure", "values", "expected"),
    [
        (DLQ, [0.1 * n for n in range(60)], ("warning", 41)),
        (DLQ, [20 + n / 2 for n in range(60)], ("critical", 1)),
        (DLQ, [60 - n / 2 for n in range(60)], ("normal", 41)),
        (SUCCESS, [99 - n / 20 for n in range(60)], ("warning", 21)),
        (DLQ, [5.0] * 60, None),
        (DLQ, [1.0, 9.0] * 30, None),
        (DLQ, [1.0, 2.0], None),
        (DLQ, [70 + n for n in range(60)], None),
        (DLQ, [5 - n / 100 for n in range(60)], None),
    ],
)
def test_forecast(measure: str, values: list[float], expected: tuple[str, int] | None) -> None:
    found = forecast(_course(values), SLA[measure])
    told = None if found is None else (found.level, round(found.in_ms / MINUTE))
    assert told == expected
    assert found is None or isinstance(found, Forecast)


# Charts


def _samples(minutes: list[int]) -> list[Sample]:
    return [Sample(NOW + n * MINUTE, 5, 5, 5) for n in minutes]


def test_missing_minutes_are_a_gap() -> None:
    whole = chart(_samples(list(range(60))), NOW, NOW + clock.HOUR, MINUTE, SLA[DLQ])
    gap = chart(_samples([*range(20), *range(40, 60)]), NOW, NOW + clock.HOUR, MINUTE, SLA[DLQ])
    assert (whole.line.count("M"), gap.line.count("M")) == (1, 2)
    assert [zone.level for zone in whole.zones] == ["warning"]


def test_nothing_is_an_empty_chart() -> None:
    drawn = chart([], NOW, NOW + clock.HOUR, MINUTE, SLA[SUCCESS])
    assert (drawn.line, drawn.area, drawn.slices) == ("", "", ())
    assert [zone.level for zone in drawn.zones] == ["warning", "critical"]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.sampled_from(sorted(SLA)))
def test_all_that_is_drawn_lies_inside(values: list[float], measure: str) -> None:
    found = [Sample(NOW + n * MINUTE, v, v, v) for n, v in enumerate(values)]
    drawn = chart(found, NOW, NOW + clock.HOUR, MINUTE, SLA[measure])
    for part in drawn.line.replace("M", "L").split("L")[1:]:
        for pair in part.split("h")[0:1]:
            numbers = [float(each) for each in pair.split()]
            assert all(0 <= x <= WIDTH for x in numbers[::2])
            assert all(0 <= y <= HEIGHT for y in numbers[1::2])
    assert all(z.top >= 0 and z.top + z.height <= HEIGHT + 0.1 for z in drawn.zones)


def test_what_weighs_on_each_measure_is_named(
    well: Flask, client: FlaskClient, login: Callable[..., Any]
) -> None:
    """A cause with its own status; statements that were slow within the hour, summed up."""
    login(client, 3)
    rows.dead(3)
    slow = [(0, 120, "SELECT a"), (1, 200, "SELECT a"), (2, 300, "SELECT b"), (61, 999, "SELECT c")]
    file = well.extensions["settings"].data_dir / slow_statements.FILE
    now = clock.now()
    lines = [json.dumps([now - ago * MINUTE, took, text, "web"]) for ago, took, text in slow]
    file.write_text("\n".join(lines) + "\n")
    measures = {each["measure"]: each["items"] for each in client.get("/sla").get_json()["data"]}
    found = [(item["what"], item["n"]) for item in measures["database_latency"]]
    assert found == [("SELECT a", 320), ("SELECT b", 300)]
    assert "#" not in str(measures["dead_letters"])
    page = client.get("/sla", headers={"Accept": "text/html"}).text
    assert "SELECT a" in page and "320 ms" in page
