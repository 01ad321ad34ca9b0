"""Real workers are killed between write and confirm: the partners' books hold each thing once.

One hub, one story: every lead, invoice, schedule and message stands once in the books in the end.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.faults.running import RunningHub
from tests.house.running import until

pytestmark = pytest.mark.faults
PHONES = [f"551198765{n:04}" for n in range(4)]
TOKEN = "a-token-that-nobody-may-see"
SECRET = "what-callbacks-are-signed-with"
LATE = 90


@pytest.fixture
def patience() -> dict[str, str]:
    return {
        "ZAPI_INSTANCE_ID": "INSTANCE",
        "ZAPI_TOKEN": TOKEN,
        "ZAPI_CLIENT_TOKEN": "a-client-token",
        "ZAPI_WEBHOOK_SECRET": SECRET,
        "ZAPI_MIN_INTERVAL": "0",
        "CALL_TIMEOUT": "2",
        "CALL_CONNECT_TIMEOUT": "1",
    }


def once(running: RunningHub, system: str, table: str, key: str) -> Counter[Any]:
    """How often each thing stands in a partner's book; never twice."""
    found = Counter(row[key] for row in running.partners.rows(system, table))
    assert set(found.values()) <= {1}, found
    return found


def start(running: RunningHub, name: str) -> int:
    answer = running.post("/api/sync/start", {"type": name})
    assert answer.status_code == 202, answer.text
    return int(answer.json()["data"]["id"])


def ended(running: RunningHub, run_id: int) -> None:
    """Wait until all items of the run got through."""
    query = "SELECT status FROM sync_runs WHERE id = ?"
    until(lambda: running.ask(query, run_id) == [("done",)], LATE)


def kill_while_held(running: RunningHub, system: str, table: str, worker: str, count: int) -> None:
    """The system takes what it is sent and does not answer; its worker dies; then it answers."""
    partners = running.partners
    until(lambda: len(partners.rows(system, table)) >= count, LATE)
    before = running.kill(worker)
    partners.mode(system, "ok")
    running.reborn(worker, before)


def test_each_thing_is_written_once(running: RunningHub) -> None:
    partners = running.partners
    partners.point_to_hub(running.url, whatsapp=SECRET)
    _schedules(running)
    _invoices(running)
    _leads(running)
    running.stop()


def _schedules(running: RunningHub) -> None:
    """The write is taken and never confirmed; then the confirm is taken and never answered."""
    partners = running.partners
    partners.seed(schedules=6)
    partners.mode("operacao", "held", method="POST", path_contains="/schedules")
    run_id = start(running, "crm_operacao")
    kill_while_held(running, "operacao", "schedules", "low.1", 6)
    partners.mode("crm", "lost", path_contains="/confirm/", times=3)
    ended(running, run_id)
    assert len(once(running, "operacao", "schedules", "crm_contract_id")) == 6
    assert partners.rows("crm", "pending_schedules") == []


def _invoices(running: RunningHub) -> None:
    """The target goes away in the middle; the event of a service and its sync make one invoice."""
    partners = running.partners
    partners.seed(services=6)
    service = partners.rows("operacao", "services")[0]
    partners.mode("financeiro", "held", method="POST", path_contains="/invoices", times=4)
    partners.mode("financeiro", "refuse", method="POST", path_contains="/invoices", add=True)
    run_id = start(running, "operacao_financeiro")
    done = {**service, "duration_hours": 8, "is_recurring": False, "phone": ""}
    running.send(1, "service.completed", "operacao", **done)
    kill_while_held(running, "financeiro", "invoices", "low.1", 2)
    ended(running, run_id)
    until(lambda: len(once(running, "financeiro", "invoices", "operacao_service_id")) == 6, LATE)
    assert all(row["billed"] for row in partners.rows("operacao", "services"))


def _leads(running: RunningHub) -> None:
    """Each callback comes three times; the worker dies with leads and with messages in hand."""
    partners = running.partners
    partners.mode("crm", "held", method="POST", path_contains="/api/v1/leads")
    for phone in PHONES * 3:
        assert running.callback(phone, TOKEN) == 200
    kill_while_held(running, "crm", "leads", "default.1", len(PHONES))
    partners.mode("whatsapp", "held", path_contains="send-text")
    until(lambda: len(partners.rows("whatsapp", "sent")) == len(PHONES), LATE)
    before = running.kill("notifications.1")
    partners.mode("whatsapp", "ok")
    running.reborn("notifications.1", before)
    waiting = "SELECT count(*) FROM deliveries WHERE status <> 'sent'"
    until(lambda: running.ask(waiting) == [(0,)], LATE)
    assert once(running, "crm", "leads", "phone").keys() == set(PHONES)
    assert once(running, "whatsapp", "sent", "phone").keys() == set(PHONES)
    assert len(once(running, "atendimento", "conversations", "phone")) == len(PHONES)
    assert len(once(running, "crm", "interactions", "message_id")) == len(PHONES)
