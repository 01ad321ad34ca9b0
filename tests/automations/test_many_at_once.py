"""Two workers, two intakes and two clocks at once: each thing stands in the books exactly once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from app import clock, queues
from app.automations.actions import follow
from app.automations.rules.flows import FEEDBACK_AFTER
from app.deliveries.jobs.engine import Engine
from app.deliveries.models import Delivery
from app.events.actions.intake import submit
from app.events.rules import new_event
from tests.automations.office import PHONE, Office
from tests.automations.test_service_completed import SERVICE
from tests.messages.mailbox import Mailbox
from tests.partners.client import Partners

PHONES = [f"551198765{n:04}" for n in range(6)]
PATIENCE = 60.0


class Worker(threading.Thread):
    """A worker of all queues beside the others, with a clock of its own."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        with self._app.app_context():
            engine = Engine(self._app.extensions["settings"])
            while not self._over.is_set():
                follow.wake()
                for queue in queues.QUEUES:
                    engine.drain(queue, 0.05)
            engine.finish()

    def stop(self) -> None:
        self._over.set()
        self.join()


def inbound(phone: str, n: int) -> tuple[str, str, dict[str, Any], str]:
    """A message of somebody, as the webhook stores it."""
    words = {"kind": "text", "body": f"Olá {n}", "name": "Helena", "message_id": f"{phone}-{n}"}
    return "whatsapp.inbound", "whatsapp", {"phone": phone, **words}, f"{phone}-{n}"


def completed(service_id: int, again: int) -> tuple[str, str, dict[str, Any], str]:
    """The end of a service; told again it is another event."""
    payload = {**SERVICE, "id": service_id, "told": again}
    return "service.completed", "operacao", payload, f"{service_id}-{again}"


def tell(app: Flask) -> Callable[[tuple[str, str, dict[str, Any], str]], int]:
    """Accept an event as a thread of a web process does; its id."""

    def accept(told: tuple[str, str, dict[str, Any], str]) -> int:
        event_type, source, payload, key = told
        with app.app_context():
            event = new_event(event_type, source, payload, raw=b"{}", via="test", key=key)
            return submit(event).id

    return accept


@pytest.fixture
def workers(office: Office) -> Any:
    made = [Worker(office.app) for _ in range(2)]
    yield made
    for worker in made:
        worker.stop()


def test_each_thing_is_done_once(
    any_database: str, office: Office, partners: Partners, mailbox: Mailbox, workers: list[Worker]
) -> None:
    """Phones write three times at once, callbacks come twice, services are told of twice."""
    messages = [inbound(phone, n) for n in range(3) for phone in PHONES]
    services = [completed(9_000 + n, again) for n in range(6) for again in range(2)]
    told = [each for pair in zip(messages, messages, strict=True) for each in pair] + services
    with ThreadPoolExecutor(8) as web:
        events = list(web.map(tell(office.app), told))
    assert len(set(events)) == len(messages) + len(services)
    end = clock.monotonic() + PATIENCE
    while office.rows(Delivery, Delivery.status != "sent") or not _all_talked(partners):
        assert clock.monotonic() < end, office.rows(Delivery, Delivery.status != "sent")
        workers[0].join(0.1)
    for event in events[-len(services) :]:
        office.pass_time(event, FEEDBACK_AFTER)
    workers[0].join(0.5)
    for worker in workers:
        worker.stop()
    office.work()
    for system, table, key, wanted in (
        ("crm", "leads", "phone", PHONES),
        ("crm", "interactions", "message_id", [each[3] for each in messages]),
        ("atendimento", "conversations", "phone", PHONES),
        ("financeiro", "invoices", "operacao_service_id", range(9_000, 9_006)),
    ):
        assert Counter(row[key] for row in partners.rows(system, table)) == Counter(wanted), table
    answered = Counter(row["phone"] for row in office.sent())
    assert answered == {**dict.fromkeys(PHONES, 1), PHONE: 6 + 6}
    assert len(mailbox.mails) == 6
    office.consistent()


def _all_talked(partners: Partners) -> bool:
    return len(partners.rows("crm", "interactions")) == 3 * len(PHONES)
