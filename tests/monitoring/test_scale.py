"""More workers for a while: ordered once a line, written for the supervisor, ended in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.access.actor import SYSTEM
from app.errors import Conflict, Invalid
from app.monitoring.actions.scale import end_due_orders, end_order, order_workers, write_scale
from app.supervisor import procfile

NOW = 1_800_000_000_000


def _order(line: str = "high", count: int = 4, minutes: int = 60) -> int:
    return order_workers(line, count, minutes, usual=2, by=SYSTEM, why="pico", now=NOW)


def _file(folder: Path) -> Any:
    return json.loads((folder / "scale.json").read_text())


def test_from_the_order_to_its_end(app_context: None, tmp_path: Path) -> None:
    (tmp_path / "scale.json").write_text('{"low": 2}')
    _order()
    write_scale(tmp_path)
    assert _file(tmp_path) == {"low": 2, "high": 4}
    assert procfile.rescale(tmp_path / "scale.json", {"high": 2, "low": 1})["high"] == 4
    assert end_due_orders(NOW + clock.HOUR - 1) == 0
    assert end_due_orders(NOW + clock.HOUR) == 1
    assert end_due_orders(NOW + clock.HOUR) == 0
    write_scale(tmp_path)
    assert _file(tmp_path) == {"low": 2}
    assert procfile.rescale(tmp_path / "scale.json", {"high": 2})["high"] == 2


def test_a_file_that_nobody_ordered_stays(app_context: None, tmp_path: Path) -> None:
    (tmp_path / "scale.json").write_text('{"high": 3}')
    write_scale(tmp_path)
    assert _file(tmp_path) == {"high": 3}


def test_one_order_a_line(app_context: None) -> None:
    first = _order()
    with pytest.raises(Conflict):
        _order(count=5)
    _order(line="low")
    end_order(first, by=SYSTEM, now=NOW)
    with pytest.raises(Conflict):
        end_order(first, by=SYSTEM, now=NOW)
    _order(count=5)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"line": "web"}, "line"),
        ({"count": 2}, "count"),
        ({"count": 9}, "count"),
        ({"minutes": 4}, "minutes"),
        ({"minutes": 481}, "minutes"),
    ],
)
def test_refusals(app_context: None, changes: dict[str, Any], wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        _order(**changes)
    assert set(refused.value.details) == {wrong}


def test_the_page(well: Flask, client: FlaskClient, login: Callable[..., Any]) -> None:
    html = {"Accept": "text/html"}
    login(client, 2)
    form = {"count": "3", "minutes": "30", "why": "pico"}
    url = "/queues/integrations-high/workers"
    asked = client.post(url, data=form, headers=html)
    assert asked.status_code == 200 and "3 workers por 30 minutos" in asked.text
    assert client.post(url, data={**form, "confirmed": "1"}, headers=html).status_code == 303
    assert _file(well.extensions["settings"].data_dir) == {"high": 3}
    page = client.get("/queues", headers=html).text
    assert "pico" in page and "Voltar agora" in page
    order = client.get("/queues").get_json()["data"][0]["order"]
    assert client.post(f"/queues/orders/{order['id']}/end").status_code == 202
    assert _file(well.extensions["settings"].data_dir) == {}


def test_restart_where_no_supervisor_runs(
    well: Flask, client: FlaskClient, login: Callable[..., Any]
) -> None:
    login(client, 2)
    answer = client.post("/workers/restart", data={"why": "parada"})
    assert answer.status_code == 503
    assert "Nenhum supervisor" in answer.get_json()["error"]


@pytest.mark.parametrize("path", ["/workers/restart", "/queues/integrations/workers"])
def test_operation_may_not(
    well: Flask, client: FlaskClient, login: Callable[..., Any], path: str
) -> None:
    login(client, 1)
    assert client.post(path, data={"why": "x"}).status_code == 403
    assert "Desenvolvimento" in client.get("/queues", headers={"Accept": "text/html"}).text
