"""Escalation: when it comes, that it comes once, who is told, and how people do it by hand."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import clock
from app.access.actor import Actor
from app.db import reading, transaction
from app.deliveries.models import Delivery
from app.errors import Conflict, Invalid
from app.messages.rules.mail import Mail
from app.runbook.actions import contacts, escalate, incidents, notify
from app.runbook.models.incidents import Incident, IncidentStep
from app.runbook.queries.contacts import Reach
from app.runbook.queries.incidents import called_alerts, calling, coming_step, entries, find
from app.runbook.rules.escalation import Rules, Standing, next_step
from app.runbook.rules.incidents import KINDS

ANA = Actor("user", 1, "Ana", 1)
DAVI = Actor("user", 2, "Davi", 2)
GIL = Actor("user", 3, "Gil", 3)
START = 1_700_000_000_000
MIN = clock.MINUTE


@pytest.fixture
def hub(app: Flask, app_context: None) -> Flask:
    return app


def opened(severity: str = "high", **given: Any) -> int:
    new = incidents.New("CRM fora do ar", severity, **given)
    return incidents.open_incident(new, by=ANA, now=START)[0]


def row_of(incident_id: int) -> Any:
    with reading() as c:
        return find(c, incident_id)


def kinds(incident_id: int) -> list[str]:
    with reading() as c:
        return [entry.kind for entry in entries(c, incident_id, newest_first=False)]


RULES = Rules()


@pytest.mark.parametrize(
    ("standing", "key", "minutes"),
    [
        (Standing(1, START, START, False), "1-2", 30),
        (Standing(1, START, START, False, START), "1-2", 30),
        (Standing(2, START, START, False), None, 0),
        (Standing(2, START, START, False, START), "2-3", 60),
        (Standing(3, START, START, False, START), None, 0),
        (Standing(1, START, START + 5 * MIN, True), "1-2", 30),
        (Standing(2, START, START + 5 * MIN, True), f"idle:{START + 5 * MIN}", 35),
        (Standing(2, START, START, True, START - 40 * MIN), "2-3", 20),
        (Standing(3, START, START, True), f"idle:{START}", 30),
    ],
)
def test_the_next_step(standing: Standing, key: str | None, minutes: int) -> None:
    step = next_step(standing, RULES)
    if key is None:
        assert step is None
    else:
        assert step is not None
        assert (step.key, step.at) == (key, START + minutes * MIN)


def test_it_works(hub: Flask) -> None:
    one = opened()
    assert escalate.escalate_due(START + 30 * MIN - 1) == 0
    assert escalate.escalate_due(START + 30 * MIN) == 1
    row = row_of(one)
    assert (row.level, row.called_level) == (2, 2)
    assert kinds(one) == ["opened", "escalated", "not_notified"]
    with reading() as c:
        assert [each.id for each in calling(c, 2)] == [one]
        assert [alert.subject for alert in called_alerts(c, START)] == [str(one)]
    incidents.acknowledge(one, by=DAVI, now=START + 31 * MIN)
    with reading() as c:
        assert called_alerts(c, START) == []


def test_each_step_once_however_often_the_clock_looks(hub: Flask) -> None:
    one = opened(since=START)
    for minute in range(0, 300, 10):
        escalate.escalate_due(START + minute * MIN)
    assert row_of(one).level == 3
    assert kinds(one).count("escalated") == 2


def test_after_a_long_silence_all_steps_come_at_once(hub: Flask) -> None:
    one = opened(since=START)
    assert escalate.escalate_due(START + 90 * MIN) == 2
    assert row_of(one).level == 3


def test_two_schedulers_take_it_once(hub: Flask, any_database: str) -> None:
    one = opened()
    taken: list[int] = []
    barrier = threading.Barrier(4)

    def look() -> None:
        with hub.app_context():
            barrier.wait()
            taken.append(escalate.escalate_due(START + 30 * MIN))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [0, 0, 0, 1]
    assert kinds(one).count("escalated") == 1
    with reading() as c:
        assert len(c.execute(select(IncidentStep.step)).all()) == 1


def test_taken_on_but_idle_goes_up_and_again(hub: Flask) -> None:
    one = opened()
    escalate.escalate_due(START + 30 * MIN)
    incidents.acknowledge(one, by=DAVI, now=START + 31 * MIN)
    incidents.add_note(one, "olhando", by=DAVI, now=START + 40 * MIN)
    assert escalate.escalate_due(START + 69 * MIN) == 0
    assert escalate.escalate_due(START + 70 * MIN) == 1
    assert row_of(one).called_level == 3
    incidents.acknowledge(one, by=GIL, now=START + 71 * MIN)
    assert escalate.escalate_due(START + 101 * MIN) == 1
    assert (row_of(one).level, row_of(one).called_level) == (3, 3)


def test_a_lower_level_does_not_answer_for_the_called_one(hub: Flask) -> None:
    one = opened()
    escalate.escalate_due(START + 30 * MIN)
    incidents.acknowledge(one, by=ANA, now=START + 31 * MIN)
    assert row_of(one).called_level == 2


def test_nothing_goes_up_once_it_is_over(hub: Flask) -> None:
    one = opened(since=START)
    incidents.resolve(one, "o CRM voltou", by=ANA, now=START + MIN)
    assert escalate.escalate_due(START + 600 * MIN) == 0


def test_rules_are_those_of_its_start(hub: Flask) -> None:
    one = opened()
    wanted = Rules(5, 10, 5)
    assert contacts.save_rules(wanted, by=GIL, why="menos espera", now=START) == 1
    two = opened()
    assert escalate.escalate_due(START + 5 * MIN) == 1
    assert (row_of(one).level, row_of(two).level) == (1, 2)


def test_reopened_begins_its_clock_anew(hub: Flask) -> None:
    one = opened()
    incidents.resolve(one, "passou", by=ANA, now=START + 10 * MIN)
    incidents.reopen(one, "voltou", by=ANA, now=START + 60 * MIN)
    step = coming_step(row_of(one), frozenset())
    assert step is not None
    assert step.at == START + 90 * MIN


def test_by_hand(hub: Flask) -> None:
    one = opened()
    assert escalate.escalate(one, "não é conosco", by=ANA, now=START) == 2
    assert escalate.escalate(one, "grave", by=DAVI, now=START) == 3
    with pytest.raises(Conflict, match="Gestão"):
        escalate.escalate(one, "mais", by=GIL, now=START)


def test_not_without_a_reason_and_not_once_it_is_over(hub: Flask) -> None:
    one = opened()
    with pytest.raises(Invalid):
        escalate.escalate(one, " ", by=ANA, now=START)
    incidents.resolve(one, "passou", by=ANA, now=START)
    with pytest.raises(Conflict):
        escalate.escalate(one, "tarde", by=ANA, now=START)


class TestMail:
    """With a mail server in the settings the level's contact gets an e-mail."""

    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SMTP_HOST": "127.0.0.1", "SMTP_FROM": "Hub <hub@carinho.com.vc>"}

    def test_it_is_a_delivery_to_the_contact(self, hub: Flask) -> None:
        reach = Reach(2, "Plantão", "plantao@carinho.com.vc", "11 99999-0000", "tudo")
        contacts.save_contact(reach, by=GIL, now=START)
        one = opened()
        escalate.escalate_due(START + 30 * MIN)
        with reading() as c:
            sent = c.execute(select(Delivery.__table__)).one()
        mail = Mail.read(sent.body)
        assert (sent.kind, mail.to) == ("email", "plantao@carinho.com.vc")
        assert "CRM fora do ar" in mail.subject
        assert kinds(one)[-1] == "notified"

    @pytest.mark.parametrize(
        ("status", "kind"), [("sent", "notice_arrived"), ("failed", "notice_failed")]
    )
    def test_the_timeline_says_once_how_it_ended(self, hub: Flask, status: str, kind: str) -> None:
        one = opened()
        escalate.escalate_due(START + 30 * MIN)
        notify.settle(START + 31 * MIN)
        assert kinds(one)[-1] == "notified"
        with transaction() as tx:
            tx.connection.execute(update(Delivery).values(status=status))
        for _ in range(2):
            notify.settle(START + 32 * MIN)
        assert kinds(one).count(kind) == 1


def test_every_kind_that_is_written_has_words(hub: Flask) -> None:
    one = opened(since=START)
    incidents.acknowledge(one, by=ANA, now=START)
    incidents.set_severity(one, "low", by=ANA, now=START)
    incidents.set_unavailable(one, False, by=ANA, now=START)
    incidents.release(one, by=ANA, now=START)
    escalate.escalate_due(START + 30 * MIN)
    assert set(kinds(one)) <= set(KINDS)
    with reading() as c:
        assert c.execute(select(Incident.audit_seen)).scalar_one() == 0
