"""Stored script: planted in every field that the console shows, then every page is opened."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Page

from app import clock
from security.target import full_key
from tests.faults.running import RunningHub
from tests.house.running import until
from tests.security.payloads import SCRIPTS

pytestmark = pytest.mark.browser

ALL = " ".join(SCRIPTS)
# Doors that end what the attack stands on, and files.
NEVER = ("/logout", "/static", "/api/", "/login", "/auditoria.csv", "/dlq/export.csv", "/metrics",
         "/procedimentos/backups", "/whatsapp-connection/qr")  # fmt: skip
WATCH = """
window.hurts = [];
window.hurt = number => window.hurts.push(number);
window.alert = window.confirm = window.prompt = () => window.hurts.push('dialog');
"""
FOUND = """() => ({
  hurts: window.hurts,
  elements: document.querySelectorAll('#hurt, [name=hurt], base, iframe, object, embed').length,
  handlers: [...document.querySelectorAll('*')].filter(
    e => [...e.attributes].some(a => a.name.startsWith('on') || a.name.startsWith('hx-on'))).length,
  foreign: [...document.querySelectorAll('[src],[href],[action]')].filter(e =>
    ['src', 'href', 'action'].some(n => {
      const value = (e.getAttribute(n) || '').trim();
      return /^(javascript:|\\/\\/|https?:\\/\\/evil|data:(?!image))/i.test(value);
    })).length,
  links: [...document.querySelectorAll('a[href]')].map(e => e.getAttribute('href')),
})"""


class _Evil(BaseHTTPRequestHandler):
    """A partner that answers with script in its body and its headers."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = ALL.encode()
        self.send_response(400, "<script>hurt(20)</script>")
        self.send_header("Content-Type", "text/html; x=<script>hurt(21)</script>")
        self.send_header("Server", "<img id=hurt src=x onerror=hurt(22)>")
        self.send_header("X-Request-ID", '"><script>hurt(23)</script>')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def evil() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Evil)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/x?q=script"
    server.shutdown()
    server.server_close()


class Planter:
    """Sends what an attacker with every key would store."""

    def __init__(self, hub: RunningHub) -> None:
        self.url = hub.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["X-API-Key"] = full_key(hub)
        self.refused: list[str] = []

    def post(self, path: str, method: str = "POST", **body: Any) -> Any:
        answer = self.session.request(method, f"{self.url}{path}", json=body, timeout=60)
        assert answer.status_code < 500, (path, answer.text)
        if answer.status_code >= 400:
            self.refused.append(f"{path}: {answer.text[:200]}")
        return answer.json()

    def get(self, path: str) -> Any:
        return self.session.get(f"{self.url}{path}", timeout=60).json()


def _plant_messages(planter: Planter, evil: str) -> int:
    """Events, what the evil partner says to them, and what people write about them."""
    planter.post("/api/endpoints", system="crm", url=evil, description=SCRIPTS[2])
    for number, script in enumerate(SCRIPTS):
        payload = {"name": script, script[:60]: script, "phone": script, "email": script,
                   "list": [{"text": script}]}  # fmt: skip
        for event_type in ("lead.created", "lead.updated", "whatsapp.inbound"):
            planter.post(
                "/api/events", event_type=event_type, source_system="site", payload=payload,
                idempotency_key=f"{event_type}<script>hurt({number})</script>",
            )  # fmt: skip
    letters = until(lambda: planter.get("/api/dlq").get("data"), 60)
    for letter in letters[:2]:
        planter.post(f"/api/dlq/{letter['id']}/archive", why=ALL[:500])
    return int(letters[-1]["id"])


def _plant_words(planter: Planter) -> None:
    """Everything that somebody may write down."""
    planter.post("/incidentes", title=SCRIPTS[2], description=ALL[:400], severity="high",
                 system="crm", text=SCRIPTS[0])  # fmt: skip
    for verb in ("nota", "escalonar", "gravidade"):
        planter.post(f"/incidentes/1/{verb}", text=SCRIPTS[3], note=SCRIPTS[4], why=SCRIPTS[5],
                     severity="low")  # fmt: skip
    planter.post("/api/systems/crm", "PUT", paused=False, in_flight_limit=50, why=ALL[:400])
    planter.post("/api/mappings", event_type="lead.updated", target_system="crm", note=ALL[:400],
                 mapping={"field_mapping": {"name": "name"}})  # fmt: skip
    planter.post("/alerts/maintenance", system="crm", reason=SCRIPTS[1], why=SCRIPTS[3], hours=1,
                 starts="", ends="")  # fmt: skip
    for alert in planter.get("/api/alerts").get("data", [])[:2]:
        planter.post(f"/alerts/{alert['id']}/notes", text=ALL[:400])
        planter.post(f"/alerts/{alert['id']}/snooze", minutes=5, why=SCRIPTS[8])
    planter.post("/circuit-breakers/crm/reset", why=SCRIPTS[9], reason=SCRIPTS[9])
    planter.post("/api/sync/start", type="crm_operacao", why=SCRIPTS[0])
    planter.post("/queues/notifications/workers", count=1, hours=1, minutes=5, why=SCRIPTS[1])
    for text in planter.get("/api/message-templates").get("data", [])[:3]:
        planter.post("/api/message-templates", key=text["key"], channel=text["channel"],
                     subject=SCRIPTS[0], text=text["text"] + SCRIPTS[2],
                     html=(text["html"] or "") and text["html"] + SCRIPTS[0])  # fmt: skip


def _plant_forms(desk: Page, hub: RunningHub) -> None:
    """Names that only the console takes: keys, people, contacts."""
    for path, fields in (
        ("/chaves", {"name": SCRIPTS[2], "scopes": "events:read", "days": ""}),
        ("/pessoas", {"name": SCRIPTS[3], "email": "x<b>@evil.test", "level": "1"}),
        ("/contatos/1", {"name": SCRIPTS[0], "email": "a@b.test", "phone": SCRIPTS[2],
                         "hours": SCRIPTS[4]}),
        ("/preferences", {"theme": SCRIPTS[2], "next": "javascript:hurt(30)"}),
    ):  # fmt: skip
        token = desk.locator("input[name=csrf_token]").first.get_attribute("value")
        desk.request.post(f"{hub.url}{path}", form={**fields, "csrf_token": str(token)})


def _pages(start: list[str], desk: Page) -> Iterator[str]:
    """The start, then one page of each other kind that a link leads to."""
    waiting, kinds = list(start), Counter(map(_kind, start))
    while waiting:
        yield waiting.pop(0)
        for link in desk.evaluate(FOUND)["links"]:
            parts = urlsplit(str(link))
            # Neither another host nor another scheme (`mailto:`).
            path = "" if parts.netloc or parts.scheme else parts.path
            if path and not kinds[_kind(path)] and not path.startswith(NEVER):
                kinds[_kind(path)] += 1
                waiting.append(path)


def _kind(path: str) -> str:
    """Pages that differ in a number only show the same kind of thing."""
    return re.sub(r"\d+", "0", path)


START = [
    "/hoje", "/dashboard", "/dlq", "/events", "/incidentes", "/incidentes/1", "/alerts",
    "/alerts/channels", "/alerts/maintenance", "/sistemas", "/sistemas/crm", "/mapeamentos",
    "/mapeamentos/lead.updated/crm", "/rotas", "/syncs", "/queues", "/circuit-breakers",
    "/auditoria", "/chaves", "/pessoas", "/contatos", "/procedimentos", "/sla", "/messages",
    "/messages/templates", "/automations", "/whatsapp-connection", "/perfil", "/runbook",
]  # fmt: skip


def test_nothing_that_was_stored_runs(hub: RunningHub, desk: Page, evil: str) -> None:
    planter = Planter(hub)
    letter = _plant_messages(planter, evil)
    _plant_words(planter)
    _plant_forms(desk, hub)
    desk.context.add_init_script(WATCH)
    start = [*START, f"/dlq/{letter}", f"/dlq/{letter}/ensaio"]
    start += [f"/events/{event['id']}" for event in planter.get("/api/events")["data"][:2]]
    opened, until_when = 0, clock.monotonic() + 240
    for path in _pages(start, desk):
        desk.goto(f"{hub.url}{path}", wait_until="domcontentloaded")
        found = desk.evaluate(FOUND)
        wrong = {name: found[name] for name in ("hurts", "elements", "handlers", "foreign")}
        assert wrong == {"hurts": [], "elements": 0, "handlers": 0, "foreign": 0}, path
        opened += 1
        assert clock.monotonic() < until_when, f"only {opened} pages in 240 s"
    assert opened >= len(start)
    shown = desk.request.get(f"{hub.url}/api/dlq/{letter}").json()
    assert "hurt(" in str(shown), "the scripts never got in"
