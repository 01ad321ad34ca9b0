"""The public page behind the link: signed, seven days, one use."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app import clock
from app.events.models import Event
from app.messages.actions.feedback import link_for
from app.messages.rules.feedback import VALID_MS, Ticket, read, sign
from tests.automations.office import Office
from tests.automations.test_service_completed import SERVICE


def path_of(link: str) -> str:
    return link.removeprefix("http://127.0.0.1")


@pytest.fixture
def event(office: Office) -> int:
    return office.receive("service.completed", SERVICE, "operacao")


def test_it_works_once(office: Office, client: FlaskClient, event: int) -> None:
    path = path_of(link_for(event, clock.now()))
    page = client.get(path)
    assert page.status_code == 200 and "Joana Lima" in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    answer = client.post(path, data={"rating": "5", "comment": "Ótima <b>"})
    assert answer.status_code == 200 and "Muito obrigado" in answer.text
    for again in (client.get(path), client.post(path, data={"rating": "1"})):
        assert again.status_code == 410
    assert len(office.rows(Event, Event.event_type == "feedback.received")) == 1


@pytest.mark.parametrize("rating", ["", "0", "6", "x", None])
def test_no_rating_no_feedback(
    office: Office, client: FlaskClient, event: int, rating: str | None
) -> None:
    path = path_of(link_for(event, clock.now()))
    data = {"comment": "x"} if rating is None else {"rating": rating}
    assert client.post(path, data=data).status_code == 422
    assert client.post(path, data={"rating": "3"}).status_code == 200


def test_a_link_is_over_after_seven_days(office: Office, client: FlaskClient, event: int) -> None:
    fresh = path_of(link_for(event, clock.now() - VALID_MS + clock.MINUTE))
    over = path_of(link_for(event, clock.now() - VALID_MS - 1))
    future = path_of(link_for(event, clock.now() + clock.HOUR))
    statuses = [client.get(path).status_code for path in (fresh, over, future)]
    assert statuses == [200, 404, 404]
    assert client.post(over, data={"rating": "5"}).status_code == 404


def test_a_forged_link_is_none(office: Office, client: FlaskClient, event: int) -> None:
    token = sign(Ticket(event, clock.now() + clock.DAY), "another secret")
    for forged in (token, "x", "x" * 400, token[:-1], "e30.x"):
        assert client.get(f"/feedback/{forged}").status_code == 404
    assert client.post(f"/feedback/{token}", data={"rating": "5"}).status_code == 404


def test_a_link_to_an_event_that_is_gone(office: Office, client: FlaskClient) -> None:
    assert client.get(path_of(link_for(999_999, clock.now()))).status_code == 404


def test_tokens_are_read_as_they_were_signed() -> None:
    ticket = Ticket(7, 123)
    assert read(sign(ticket, "s"), "s") == ticket
    assert read(sign(ticket, "s"), "t") is None
