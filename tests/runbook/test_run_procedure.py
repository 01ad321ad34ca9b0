"""Procedures as runs: started, followed, said, done, ended with a report."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock, heartbeats, queues
from app.access.actions import audit
from app.access.actor import SYSTEM
from app.db import reading, transaction
from app.monitoring import jobs
from app.monitoring.actions.samples import store_sample
from app.monitoring.rules.bands import LATENCY
from app.runbook.models.procedures import ProcedureRun, ProcedureStep
from app.runbook.rules.procedures import PROCEDURES, for_alert, subject_for
from app.runbook.rules.procedures.deeds import DEEDS
from app.syncs.rules.table import SYNCS
from app.systems.rules.breaker import CLOSED, OPEN
from tests.deliveries.hub import Hub, tried
from tests.pages import BROWSER, CURL, HTMX, XSS, get, text_of
from tests.runbook.conftest import Time

URL = "/procedimentos"


@pytest.fixture
def hub(app: Any, app_context: None) -> Hub:
    return Hub(app)


@pytest.fixture
def ana(client: FlaskClient, login: Callable[..., Any], hub: Hub) -> FlaskClient:
    login(client, 1)
    return client


def start(client: FlaskClient, key: str, **form: str) -> str:
    """Start a run; its address."""
    answer = client.post(f"{URL}/{key}", data=form, headers=BROWSER)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def entries() -> list[tuple[str, str, str]]:
    columns = ProcedureStep.step, ProcedureStep.kind, ProcedureStep.deed
    with reading() as c:
        return [tuple(row) for row in c.execute(select(*columns).order_by(ProcedureStep.id))]


def test_it_works(ana: FlaskClient, hub: Hub) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    assert "Acontecendo agora" in get(ana, URL)
    run = start(ana, "breaker")
    said = text_of(get(ana, run))
    assert "2. Testar o sistema agora Agora" in said
    assert "Ainda não testado nesta execução." in said
    answer = ana.post(f"{run}/encerrar", data={"outcome": "escalated", "note": f"x {XSS}"})
    assert answer.status_code in (200, 303)
    report = get(ana, run)
    assert XSS not in report
    assert "Escalonado" in text_of(report)


@pytest.mark.parametrize("key", PROCEDURES)
def test_each_can_be_read_started_followed_and_ended(ana: FlaskClient, hub: Hub, key: str) -> None:
    assert PROCEDURES[key].title in text_of(get(ana, f"{URL}/{key}"))
    run = start(ana, key)
    for step in PROCEDURES[key].steps:
        assert step.title in text_of(get(ana, f"{run}?passo={step.key}"))
        done = ana.post(f"{run}/passos/{step.key}/done", data={"note": "visto"}, headers=BROWSER)
        assert done.status_code == 303
    end = ana.post(f"{run}/encerrar", data={"outcome": "solved"}, headers=BROWSER)
    assert end.status_code == 303
    assert "Resolvido" in text_of(get(ana, run))


@pytest.mark.parametrize("key", PROCEDURES)
def test_about_what_does_not_exist(ana: FlaskClient, key: str) -> None:
    """Refused where a run is about something; where it is about nothing, it still is."""
    answer = ana.post(f"{URL}/{key}", data={"subject": "nada.assim"}, headers=CURL)
    about = key in ("breaker", "sync_failing", "queue_large")
    assert answer.status_code == (422 if about else 201)
    assert about or answer.json["data"]["subject"] == ""


@pytest.mark.parametrize(
    ("kind", "subject", "about"),
    [
        ("circuit_breaker", "crm", "crm"),
        ("queue_size", "integrations", "integrations"),
        ("worker", "integrations-low", "integrations-low"),
        ("sync_missed", SYNCS["crm_operacao"].label, "crm_operacao"),
        ("sync_failed", "", ""),
        ("dead_letter_queue", "", ""),
    ],
)
def test_an_alert_says_what_its_procedure_is_about(
    ana: FlaskClient, kind: str, subject: str, about: str
) -> None:
    found = for_alert(kind)
    assert found is not None
    assert subject_for(kind, subject) == about
    form = {"subject": about, "origin": "alert:1"}
    run = ana.post(f"{URL}/{found.key}", data=form, headers=CURL).json["data"]
    assert (run["subject"], run["origin"]) == (about, "alert:1")


def test_it_says_whether_the_symptom_is_still_there(ana: FlaskClient, hub: Hub) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    run = start(ana, "breaker")
    assert "Sintoma agora Mensagens para CRM estão paradas Crítico" in text_of(get(ana, run))
    assert "Falta o passo 2: Testar o sistema agora." in text_of(get(ana, run))
    # Another system's trouble is none of this run's.
    hub.breaker("financeiro", state=OPEN, failures=5, opened_at=clock.now())
    hub.breaker(state=CLOSED, failures=0, opened_at=None)
    assert "Sintoma agora não acontece agora Normal" in text_of(get(ana, run))


def test_queues_without_workers_are_the_first_symptom(ana: FlaskClient, hub: Hub) -> None:
    run = start(ana, "queue_large")
    assert "Sintoma agora Sem worker: integrations-high" in text_of(get(ana, run))
    for queue in queues.QUEUES:
        heartbeats.beat(f"worker:{queue}", "")
    assert "Sintoma agora não acontece agora Normal" in text_of(get(ana, run))


def test_time_runs_against_the_estimate(time: Time, ana: FlaskClient) -> None:
    run = start(ana, "breaker")
    for minutes, words in ((0, "estimado: 5 a 15 min"), (16, "passou do estimado (5 a 15 min)")):
        time.now += minutes * clock.MINUTE
        page = get(ana, run)
        assert words in page
        assert re.search(rf'<meter[^>]* low="5" high="15"[^>]* value="{minutes}"', page)


def test_an_incident_from_a_run_takes_it_in(ana: FlaskClient, hub: Hub) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    run = start(ana, "breaker")
    (link,) = re.findall(r'id="run-incident" href="([^"]+)"', get(ana, run))
    asked = get(ana, html.unescape(link))
    assert "(circuit breaker): mensagens para CRM estão paradas" in html.unescape(asked)
    number = run.rpartition("/")[2]
    form = {"title": "CRM fora", "severity": "high", "source": f"run:{number}"}
    incident = ana.post("/incidentes", data=form, headers=BROWSER).location
    assert f'href="{run}"' in get(ana, incident)
    assert f'href="{incident}"' in get(ana, run)
    assert "aberto por uma pessoa" not in get(ana, incident)


@pytest.mark.parametrize(("key", "step"), [("queue_large", "bottleneck"), ("dlq", "causes")])
def test_a_system_that_is_away_leads_to_its_own_procedure(
    ana: FlaskClient, hub: Hub, key: str, step: str
) -> None:
    hub.deliveries(count=1)
    hub.record(*(tried(row, 422) for row in hub.claim(crm=1).rows))
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    page = get(ana, f"{start(ana, key)}?passo={step}")
    assert 'href="/procedimentos/breaker?subject=crm"' in page


def test_a_cause_is_rehearsed_before_it_is_retried(ana: FlaskClient, hub: Hub) -> None:
    hub.deliveries(count=2)
    hub.record(*(tried(row, 422) for row in hub.claim(crm=2).rows))
    newest = max(row.id for row in hub.dead_letters())
    run = start(ana, "dlq")
    page = get(ana, f"{run}?passo=decide")
    assert f'href="/dlq/{newest}/ensaio"' in page
    # Invalid data: to send the same again is not what is offered first.
    assert re.search(r'class="btn small primary" id="rehearse-', page)
    assert "corrija o conteúdo e reprocesse" in text_of(page)
    assert not re.search(r'primary"[^>]*data-dialog="dlq_careful', page)


@pytest.mark.parametrize(
    ("key", "step", "drawing"),
    [("db_slow", "latency", "latency-chart"), ("error_rate", "changed", "changes-chart")],
)
def test_a_course_is_drawn(ana: FlaskClient, key: str, step: str, drawing: str) -> None:
    now = clock.now()
    store_sample({LATENCY: 12.0}, now - now % clock.MINUTE)
    with transaction() as tx:
        audit.record(tx, SYSTEM, "endpoint.saved", "endpoint:1")
    page = get(ana, f"{start(ana, key)}?passo={step}")
    assert f'id="{drawing}"' in page
    assert key != "error_rate" or re.search(r'class="mark" d="M[\d.]+ 0V120"><title>', page)


def test_every_deed_is_used_and_every_alert_has_its_procedure() -> None:
    assert for_alert("circuit_breaker") is PROCEDURES["breaker"]
    assert for_alert("nothing") is None
    assert all(deed.label and deed.icon for deed in DEEDS.values())
    kinds = [kind for found in PROCEDURES.values() for kind in found.alerts]
    assert len(kinds) == len(set(kinds))


def test_past_clean_ups_are_told_in_words(ana: FlaskClient, hub: Hub) -> None:
    jobs.cleanup()
    run = start(ana, "cleanup")
    said = text_of(get(ana, f"{run}?passo=history"))
    assert "A automática apagou 0 eventos e 0 mensagens arquivadas" in said


def test_a_second_start_joins_the_run(ana: FlaskClient, hub: Hub) -> None:
    assert start(ana, "dlq") == start(ana, "dlq")
    with reading() as c:
        assert len(c.execute(select(ProcedureRun.id)).all()) == 1


def test_reset_is_asked_about_and_written_down(ana: FlaskClient, hub: Hub) -> None:
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    run = start(ana, "breaker", subject="crm")
    deed = f"{run}/acoes/breaker_reset"
    asked = ana.post(deed, data={"system": "crm", "step": "reset"}, headers=BROWSER)
    assert "Religar o disjuntor?" in asked.text
    assert hub.breaker().state == OPEN
    form = {"system": "crm", "step": "reset", "confirmed": "1", "why": "voltou"}
    assert ana.post(deed, data=form, headers=BROWSER).status_code == 303
    assert hub.breaker().state == "closed"
    assert ("reset", "deed", "breaker_reset") in entries()
    hub.breaker(state=OPEN, failures=5, opened_at=clock.now())
    assert "REABRIU" in get(ana, run)


def test_live_part_and_json(ana: FlaskClient, hub: Hub) -> None:
    run = start(ana, "cleanup")
    part = ana.get(run, headers=HTMX)
    assert "<html" not in part.text
    assert 'id="passo-run"' in part.text
    data = ana.get(run, headers=CURL).json["data"]
    assert data["procedure"] == "cleanup"
    assert data["steps"][0]["check"]["result"] == "pass"


def test_what_may_not_be_done_is_refused(ana: FlaskClient, hub: Hub) -> None:
    run = start(ana, "cleanup")
    assert "Peça a Desenvolvimento" in get(ana, f"{run}?passo=run")
    form = {"step": "run", "confirmed": "1", "why": "x"}
    assert ana.post(f"{run}/acoes/cleanup", data=form, headers=BROWSER).status_code == 403
    assert ana.post(f"{run}/acoes/nothing", headers=BROWSER).status_code == 404
    assert ana.post(f"{run}/passos/nothing/done", headers=BROWSER).status_code == 404
    assert ana.get(f"{URL}/nothing", headers=BROWSER).status_code == 404
    assert ana.get(f"{URL}/execucoes/99", headers=BROWSER).status_code == 404


def test_an_ended_run_takes_nothing_more(ana: FlaskClient, hub: Hub) -> None:
    run = start(ana, "dlq")
    for status in (303, 409):
        answer = ana.post(f"{run}/encerrar", data={"outcome": "solved"}, headers=BROWSER)
        assert answer.status_code == status
    assert ana.post(f"{run}/passos/causes/done", headers=BROWSER).status_code == 409


def test_the_outcome_must_be_known(ana: FlaskClient, hub: Hub) -> None:
    run = start(ana, "dlq")
    answer = ana.post(f"{run}/encerrar", data={"outcome": "fine"}, headers=BROWSER)
    assert answer.status_code == 422
