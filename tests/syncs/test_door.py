"""The doors of the syncs: JSON, pages, terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask.testing import FlaskClient

from app.syncs.models import SyncRun, SyncSchedule
from tests.syncs.world import World

PAGE = {"Accept": "text/html"}


@pytest.fixture
def call(
    world: World, client: FlaskClient, api_key: Callable[..., str]
) -> Callable[..., tuple[int, Any]]:
    key = api_key("sync:*")

    def call(method: str, path: str, **options: Any) -> tuple[int, Any]:
        headers = {"X-API-Key": key}
        answer = client.open(f"/api/sync{path}", method=method, headers=headers, **options)
        return answer.status_code, answer.get_json()

    return call


@pytest.mark.parametrize("name", ["crm_operacao", "sync.crm_operacao", "sync-crm-operacao"])
def test_start_answers_202(call: Callable[..., tuple[int, Any]], name: str) -> None:
    status, data = call("POST", "/start", json={"type": name})
    assert status == 202
    assert (data["data"]["job_type"], data["data"]["status"]) == ("sync.crm_operacao", "queued")


def test_a_second_start_is_409(call: Callable[..., tuple[int, Any]]) -> None:
    call("POST", "/start", json={"type": "crm_operacao"})
    status, data = call("POST", "/start", json={"type": "crm_operacao"})
    assert status == 409
    assert "já está em andamento" in data["error"]


def test_an_unknown_type_is_422(call: Callable[..., tuple[int, Any]]) -> None:
    status, data = call("POST", "/start", json={"type": "nothing"})
    assert (status, list(data["details"])) == (422, ["type"])
    assert call("POST", "/start", json={})[0] == 422


def test_full_starts_four(call: Callable[..., tuple[int, Any]]) -> None:
    status, data = call("POST", "/start", json={"type": "full"})
    assert status == 202
    assert [job["type"] for job in data["jobs"]] == [
        "crm_operacao", "operacao_financeiro", "crm_financeiro", "cuidadores_crm",
    ]  # fmt: skip


def test_a_job_shows_its_items(call: Callable[..., tuple[int, Any]], world: World) -> None:
    world.partners.seed(schedules=2)
    world.partners.poison("operacao", '"crm_contract_id":7002', status=422)
    run = world.whole()
    status, data = call("GET", f"/jobs/{run.id}")
    assert status == 200
    assert (data["data"]["status"], data["data"]["failed"], data["meta"]["total"]) == (
        "failed", 1, 2,
    )  # fmt: skip
    first, second = data["data"]["items"]
    assert (first["source_id"], first["state"]) == ("2", "failed")
    assert first["dead_letter_id"] is not None
    assert second["state"] == "done"
    assert call("GET", f"/jobs/{run.id}?state=done")[1]["meta"]["total"] == 1
    assert call("GET", "/jobs/999")[0] == 404


def test_jobs_and_stats(call: Callable[..., tuple[int, Any]], world: World) -> None:
    run = world.whole()
    status, data = call("GET", "/jobs?type=crm_operacao&status=done")
    assert (status, [job["id"] for job in data["data"]], data["meta"]["total"]) == (
        200, [run.id], 1,
    )  # fmt: skip
    assert call("GET", "/jobs?status=failed")[1]["data"] == []
    status, data = call("GET", "/stats")
    assert data["data"]["sync.crm_operacao"]["last_status"] == "done"
    assert data["data"]["sync.crm_financeiro"]["last_status"] is None


@pytest.mark.parametrize(
    ("scope", "method", "path", "expected"),
    [
        ("sync:read", "GET", "/jobs", 200),
        ("sync:read", "POST", "/start", 403),
        ("sync:write", "GET", "/jobs", 403),
        ("events:*", "GET", "/stats", 403),
    ],
)
def test_scopes(
    world: World, client: FlaskClient, api_key: Callable[..., str], scope: str, method: str,
    path: str, expected: int,
) -> None:  # fmt: skip
    headers = {"X-API-Key": api_key(scope)}
    assert client.open(f"/api/sync{path}", method=method, headers=headers).status_code == expected


def test_the_page_shows_the_syncs(
    world: World, client: FlaskClient, login: Callable[..., Any]
) -> None:
    world.partners.seed(schedules=2)
    world.partners.poison("operacao", '"crm_contract_id":7002', status=422)
    run = world.whole()
    login(client, 1)
    page = client.get("/syncs", headers=PAGE)
    assert page.status_code == 200
    assert "CRM → Operação (agendamentos)" in page.text
    assert "1 de 2 itens não foi concluído" in page.text
    shown = client.get(f"/syncs/runs/{run.id}", headers=PAGE)
    assert shown.status_code == 200
    assert "os dados são inválidos (HTTP 422)" in shown.text
    part = {"HX-Request": "true", "HX-Request-Type": "partial", **PAGE}
    live = client.get("/syncs", headers=part)
    assert "<html" not in live.text
    again = client.get("/syncs", headers={**part, "If-None-Match": live.headers["ETag"]})
    assert again.status_code == 304


def test_run_now_asks_for_a_reason(
    world: World, client: FlaskClient, login: Callable[..., Any]
) -> None:
    login(client, 1)
    asked = client.post("/syncs/crm_operacao/run", headers=PAGE)
    assert asked.status_code == 200
    assert "Executar agora: CRM → Operação (agendamentos)?" in asked.text
    missing = client.post("/syncs/crm_operacao/run", data={"confirmed": "1"}, headers=PAGE)
    assert missing.status_code == 422
    data = {"confirmed": "1", "why": "agenda atrasada"}
    done = client.post("/syncs/crm_operacao/run", data=data, headers=PAGE)
    assert done.status_code == 303
    (run,) = world.rows(SyncRun)
    assert run.why == "agenda atrasada"
    assert client.post("/syncs/nothing/run", data=data, headers=PAGE).status_code == 404


def test_pause_and_resume(world: World, client: FlaskClient, login: Callable[..., Any]) -> None:
    login(client, 1)
    data = {"confirmed": "1", "why": "CRM em manutenção"}
    assert client.post("/syncs/crm_operacao/pause", headers=PAGE).status_code == 200
    assert client.post("/syncs/crm_operacao/pause", data=data, headers=PAGE).status_code == 303
    (row,) = world.rows(SyncSchedule, SyncSchedule.name == "crm_operacao")
    assert row.paused
    assert "CRM em manutenção" in client.get("/syncs", headers=PAGE).text
    assert client.post("/syncs/crm_operacao/resume", headers=PAGE).status_code == 303
    (row,) = world.rows(SyncSchedule, SyncSchedule.name == "crm_operacao")
    assert not row.paused


def test_the_terminal_runs_a_sync_to_its_end(world: World) -> None:
    world.partners.seed(schedules=3)
    result: Result = world.app.test_cli_runner().invoke(
        args=["schedule", "run", "--job=sync-crm-operacao"]
    )
    assert result.exit_code == 0, result.output
    assert "3 of 3" in result.output
    assert "sync-crm-operacao" in world.app.test_cli_runner().invoke(
        args=["schedule", "list"]
    ).output  # fmt: skip


def test_the_terminal_says_what_failed(world: World) -> None:
    world.partners.mode("crm", "503")
    runner = world.app.test_cli_runner()
    result = runner.invoke(args=["schedule", "run", "--job=sync-crm-operacao"])
    assert result.exit_code == 1
    assert "leitura interrompida" in result.output
    assert runner.invoke(args=["schedule", "run", "--job=sync-nothing"]).exit_code == 1
