"""A hub in the middle of a bad day: something of everything that its pages can show."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from app import clock, config, create_app
from app.messages.actions.feedback import link_for
from tests.faults.running import RunningHub
from tests.house.running import until
from tests.journeys.doors import Doors

TROUBLES = {
    "RETRY_BASE_DELAY": "0.2",
    "RETRY_MAX_ATTEMPTS": "2",
    "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "6",
    "CIRCUIT_BREAKER_TIMEOUT": "600",
    "ZAPI_INSTANCE_ID": "I1",
    "ZAPI_TOKEN": "token-of-instance",
    "ZAPI_CLIENT_TOKEN": "token-of-client",
    "LIVE_POLL": "off",
}
PAYLOAD = {"phone": "11987654321", "email": "maria@example.org", "city": "São Paulo"}
# What stands in an address where no row has to be made first.
# The last one whose content a person may correct.
LETTER = (
    "SELECT max(l.id) FROM dead_letters l JOIN deliveries d ON d.id = l.delivery_id"
    " WHERE l.state = 'open' AND d.kind = 'webhook'"
)
WORDS = {
    "name": "crm", "system": "crm", "event_type": "lead.created", "shift": "morning",
    "key": "breaker", "text": "welcome", "channel": "email",
}  # fmt: skip


def number(location: str) -> str:
    """The last number in an address."""
    return re.findall(r"\d+", location)[-1]


def trouble(hub: RunningHub) -> list[int]:
    """Deliveries of all fates: done, dead of two causes, waiting behind an open breaker."""
    events = hub.send(3, **PAYLOAD)
    hub.delivered(events)
    hub.partners.disconnect_whatsapp()
    for system, mode in (("financeiro", "422"), ("marketing", "422"), ("crm", "503")):
        hub.partners.mode(system, mode)
    # Three messages of two attempts each: they die, and the sixth failure opens the breaker.
    events += hub.send(3, **PAYLOAD)
    until(lambda: hub.ask("SELECT 1 FROM breakers WHERE system='crm' AND state='open'"), 60)
    for event_type in ("service.completed", "lead.created", "lead.updated"):
        events += hub.send(2, event_type, **PAYLOAD)
    until(lambda: hub.ask("SELECT count(DISTINCT system) FROM dead_letters")[0][0] > 1, 60)
    until(lambda: hub.ask("SELECT 1 FROM alerts WHERE type='circuit_breaker'"), 60)
    conversation(hub)
    return events


def conversation(hub: RunningHub) -> None:
    """Somebody writes, somebody is written to."""
    assert hub.callback("5511912345678", TROUBLES["ZAPI_TOKEN"]) == 200
    hub.send(1, "client.registered", id=5001, phone="5511987654321", name="Helena")
    until(lambda: len(hub.ask("SELECT DISTINCT direction FROM messages")) == 2, 60)


def people_acted(doors: Doors) -> dict[str, Any]:
    """Incidents, procedures, settings; the identifiers for the places in addresses."""
    hub = doors.hub
    incident = number(doors.done("/incidentes", title="CRM fora do ar", severity="high"))
    doors.done(f"/incidentes/{incident}/assumir")
    doors.done(f"/incidentes/{incident}/nota", why="liguei para o fornecedor e ninguém atende")
    over = number(doors.done("/incidentes", title="Fila parada", severity="low", unavailable="1"))
    doors.done(f"/incidentes/{over}/encerrar", why="o disco encheu; liberado")
    doors.done("/pessoas", email="ana@carinho.com.vc", name="Ana", level="1")
    doors.done("/chaves", name="Sistema X", scopes="events:write", days="90")
    doors.done("/alerts/channels", kind="email", target="plantao@carinho.com.vc")
    today = datetime.now(UTC)
    doors.done(
        "/alerts/maintenance", system="site", why="troca de servidor",
        starts_at=f"{today:%Y-%m-%d}T00:00", ends_at=f"{today + timedelta(days=2):%Y-%m-%d}T00:00",
    )  # fmt: skip
    doors.done("/sla/bands/dead_letters", warning="3", critical="40", version="0", why="mais cedo")
    (alert,) = hub.ask("SELECT id FROM alerts WHERE type='circuit_breaker'")[0]
    doors.done(f"/alerts/{alert}/acknowledge")
    doors.done(f"/alerts/{alert}/notes", text="o fornecedor sabe")
    return {
        "incident_id": incident,
        "closed": over,
        "alert_id": alert,
        **_procedures(doors, incident),
    }


def _procedures(doors: Doors, incident: str) -> dict[str, Any]:
    """One run that was finished, one under way in the incident."""
    backups = doors.hub.data / "backups"
    backup = doors.done("/procedimentos/backup")
    doors.done(f"{backup}/acoes/backup", step="make", why="semanal")
    name = until(lambda: next((path.name for path in backups.glob("*.json")), None))
    doors.done(f"{backup}/encerrar", outcome="solved", note="feito")
    run = doors.done("/procedimentos/breaker", incident=incident, subject="crm")
    doors.done(f"{run}/acoes/probe", step="probe", system="crm")
    return {"run_id": number(run), "finished": number(backup), "backup": name}


def checklist(doors: Doors) -> dict[str, Any]:
    """Today's, with two answers; a bulk under way, a sync that ran."""
    hub = doors.hub
    doors.get("/hoje")
    ((one, day),) = hub.ask("SELECT id, day FROM checklists ORDER BY due_at DESC LIMIT 1")
    for n, command in ((1, "done"), (2, "failed")):
        doors.done(f"/hoje/{one}/{n}", command=command, seen=0, note="conferido por telefone")
    bulk = doors.done("/dlq/retry", scope="filter", system="financeiro")
    doors.done("/syncs/crm_operacao/run", why="faltam agendas")
    run = until(
        lambda: hub.ask("SELECT max(id) FROM sync_runs WHERE status IN ('done', 'failed')")[0][0],
        60,
    )
    (letter,) = hub.ask("SELECT id FROM dead_letters WHERE system='crm'")[0]
    doors.done(f"/dlq/{letter}/archive", why="repetida")
    return {"checklist_id": one, "day": day, "bulk_id": number(bulk), "sync": run}


def mapping_changed(doors: Doors) -> None:
    """A second version of a mapping, so that there is a difference to see."""
    page = "/mapeamentos/lead.created/crm"
    base = re.search(r'name="base" value="([^"]*)"', doors.get(page).text())
    draft = json.dumps({"name": "payload.name", "fone": "payload.phone"})
    doors.done(page, mapping=draft, base=base[1] if base else "", payload="{}", note="fone")


def build(doors: Doors) -> dict[str, Any]:
    """The whole day; what to put into addresses, by the names of their places."""
    hub = doors.hub
    events = trouble(hub)
    made = {**WORDS, **people_acted(doors), **checklist(doors)}
    mapping_changed(doors)
    ((letter,),) = hub.ask(LETTER)
    said = dict(hub.ask("SELECT direction, max(id) FROM messages GROUP BY direction"))
    return {
        **made,
        "event_id": events[-1],
        "letter_id": letter,
        "message_id": said["in"],
        "answer": said["out"],
        "token": feedback_token(hub, events[0]),
    }


def feedback_token(hub: RunningHub, event_id: int) -> str:
    """The token of a link that an e-mail would carry."""
    app = create_app(config.load(hub.hub.environ | {"REDIS_URL": "redis://127.0.0.1:1"}))
    with app.app_context():
        return link_for(event_id, clock.now()).rpartition("/")[2]
