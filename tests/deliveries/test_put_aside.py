"""What was put aside stays aside, until its time is over; an event of very many stays readable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from app import clock, queues
from app.access.actor import Actor
from app.db import reading, transaction
from app.deliveries.actions import dead_letters
from app.deliveries.actions.cleanup import cleanup_dead_letters, cleanup_given_up
from app.deliveries.actions.retry_event import retry_event
from app.deliveries.models import DeadLetter, Delivery
from app.deliveries.queries.way import MOST_DELIVERIES, event_way
from app.events.models import Event
from tests.deliveries.letters import die, end, post, row, rows, take
from tests.pages import BROWSER, text_of

ANA = Actor("user", 7, "Ana", 1)


@pytest.fixture(autouse=True)
def hub(seeded_app: Flask) -> Iterator[None]:
    with seeded_app.app_context():
        yield


def archive(letter_id: int) -> int:
    dead_letters.archive(letter_id, by=ANA, why=None, now=clock.now())
    return int(row(DeadLetter, letter_id).event_id)


def test_a_retry_of_the_event_leaves_archived_ones_and_says_so() -> None:
    event_id = archive(die()[0])
    found = retry_event(event_id, by=ANA, why=None, now=clock.now())
    assert (found.revived, found.hurried) == (0, 0)
    assert found.skipped == ["1 mensagem arquivada ficou de fora; desarquive-a para reenviar"]
    assert [letter.state for letter in rows(DeadLetter)] == ["archived"]


def test_the_page_tells_what_was_left(client: FlaskClient, login: Callable[..., Any]) -> None:
    (event_id,) = post("service.scheduled", "crm")
    end(take(), 404)
    archive(1)
    login(client, 2)
    client.post(f"/events/{event_id}/retry", data={"confirmed": "1"}, headers=BROWSER)
    said = text_of(client.get(f"/events/{event_id}", headers=BROWSER).text)
    assert "1 mensagem arquivada ficou de fora" in said


def test_a_given_up_event_goes_after_its_letters() -> None:
    kept, gone = die(count=2)
    event_id = archive(gone)
    later = clock.now() + clock.DAY
    assert cleanup_given_up(later) == 0
    assert (cleanup_dead_letters(later), cleanup_given_up(later)) == (1, 1)
    assert [event.id for event in rows(Event)] == [row(DeadLetter, kept).event_id]
    assert event_id not in {delivery.event_id for delivery in rows(Delivery)}


def test_a_young_one_stays() -> None:
    archive(die()[0])
    cleanup_dead_letters(clock.now() + clock.DAY)
    assert cleanup_given_up(clock.now() - clock.DAY) == 0
    assert len(rows(Event)) == 1


def test_an_event_of_very_many_shows_what_wants_an_eye() -> None:
    (event_id,) = post("service.scheduled", "crm")
    end(take(), 200)
    sample = dict(rows(Delivery)[0]._mapping)
    many = [{**sample, "id": n, "status": "sent"} for n in range(1_000, 1_400)]
    many.append({**sample, "id": 5_000, "status": "failed"})
    with transaction() as tx:
        tx.connection.execute(insert(Delivery), many)
    with reading() as c:
        found = event_way(c, event_id)
    assert (len(found.deliveries), found.total) == (MOST_DELIVERIES, 405)
    assert found.deliveries[-1].id == 5_000


def test_a_revived_message_keeps_its_place_in_its_lane() -> None:
    die(count=2)
    with transaction() as tx:
        tx.connection.execute(Delivery.__table__.update().values(lane="whatsapp:5511"))
    for letter_id in (2, 1):
        dead_letters.retry(letter_id, by=ANA, why=None, now=clock.now())
    (first,) = take(queues.RETRY)
    assert first.id == row(DeadLetter, 1).delivery_id
    assert take(queues.RETRY) == []
    end([first])
    (second,) = take(queues.RETRY)
    assert second.id == row(DeadLetter, 2).delivery_id
