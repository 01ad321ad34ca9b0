"""Plan: an accepted event becomes one delivery for each active endpoint of each of its routes."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from app import clock
from app.access.actor import SYSTEM
from app.db import transaction
from app.deliveries.models import Delivery
from app.mappings.models import Mapping as MappingRow
from app.mappings.queries.plan import Destination, forget_plan
from app.queues import HIGH
from app.systems.actions.endpoints import create_endpoint
from tests.deliveries.hub import Hub

pytestmark = pytest.mark.usefixtures("any_database")


def test_each_route_gets_its_delivery(hub: Hub) -> None:
    before = clock.now()
    event = hub.event("lead.created", {"name": "Maria", "phone": "11", "utm_source": "ads"})
    rows = hub.of_event(event)
    assert [row.system for row in rows] == ["crm", "marketing"]
    assert {row.status for row in rows} == {"pending"}
    assert {row.queue for row in rows} == {HIGH}
    assert all(before <= row.due_at <= clock.now() and row.due_at == row.set_at for row in rows)
    assert [row.endpoint_id for row in rows] == [hub.endpoint("crm"), hub.endpoint("marketing")]
    bodies = [json.loads(row.body) for row in rows]
    meta = bodies[0].pop("_meta")
    given = {name: value for name, value in bodies[0].items() if value is not None}
    assert given == {"name": "Maria", "phone": "11", "utm_source": "ads"}
    assert bodies[1]["lead_name"] == "Maria"
    assert meta == {
        "event_id": event,
        "event_type": "lead.created",
        "source_system": "site",
        "timestamp": clock.iso(hub.event_row(event).created_at),
    }
    stored = hub.event_row(event)
    assert (stored.planned, stored.status, stored.open_count) == (True, "pending", 2)
    hub.consistent()


def test_the_plan_notes_which_mapping_it_used(hub: Hub) -> None:
    event = hub.event("lead.created")
    assert [row.mapping_version for row in hub.of_event(event)] == ["1.0.0", "1.0.0"]
    assert [row.mapping_version for row in hub.of_event(hub.event("lead.updated"))] == [""]


def test_an_event_without_a_route_is_done(hub: Hub) -> None:
    event = hub.event("no.body.asked")
    stored = hub.event_row(event)
    assert (stored.status, stored.planned, stored.open_count) == ("done", True, 0)
    assert stored.finished_at is not None
    assert hub.of_event(event) == []
    assert hub.total("events.done") == 1
    hub.consistent()


def test_every_active_endpoint_of_a_system_gets_its_own(hub: Hub) -> None:
    default = hub.endpoint("crm")
    made = create_endpoint("crm", "https://93.184.215.14/second", by=SYSTEM, now=clock.now())
    rows = hub.of_event(hub.event("lead.updated"))
    assert sorted(row.endpoint_id for row in rows) == [default, made.id]


def test_without_an_active_endpoint_it_is_a_dead_letter(hub: Hub) -> None:
    hub.endpoint("marketing", status="inactive")
    event = hub.event("lead.created")
    (letter,) = hub.dead_letters()
    assert (letter.system, letter.error_class, letter.attempts) == ("marketing", "no_endpoint", 0)
    assert letter.reason == "não há endereço ativo para receber"
    assert [row.status for row in hub.of_event(event)] == ["pending", "failed"]
    stored = hub.event_row(event)
    assert (stored.status, stored.open_count, stored.failed_count) == ("processing", 1, 1)
    hub.consistent()


def test_with_nothing_but_dead_letters_the_event_failed(hub: Hub) -> None:
    hub.endpoint("crm", status="inactive")
    event = hub.event_row(hub.event("lead.updated"))
    assert (event.status, event.planned, event.failed_count) == ("failed", True, 1)
    hub.consistent()


@pytest.mark.parametrize("document", ["[]", "not JSON", '{"n": {"type": "no-such-type"}}'])
def test_a_broken_mapping_is_a_dead_letter(hub: Hub, document: str) -> None:
    stored = (MappingRow.event_type == "lead.created", MappingRow.system == "crm")
    with transaction() as tx:
        tx.connection.execute(update(MappingRow).where(*stored).values(document=document))
    forget_plan()
    event = hub.event("lead.created")
    (letter,) = hub.dead_letters()
    assert (letter.system, letter.error_class, letter.attempts) == ("crm", "mapping", 0)
    assert letter.reason.startswith("o mapeamento não pôde ser aplicado: ")
    assert [(row.system, row.status) for row in hub.of_event(event)] == [
        ("marketing", "pending"), ("crm", "failed"),
    ]  # fmt: skip
    hub.consistent()


def test_a_mapping_that_breaks_down_spoils_its_own_destination_only(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(payload: object) -> object:
        raise ZeroDivisionError(f"secret {payload}")

    bad = Destination("crm", "9.0.0", explode)  # type: ignore[arg-type]
    good = Destination("marketing", None, None)
    monkeypatch.setattr(
        "app.deliveries.actions.plan.current_plan", lambda _: {"lead.created": (bad, good)}
    )
    event = hub.event("lead.created")
    (letter,) = hub.dead_letters()
    assert (
        letter.reason == "o mapeamento não pôde ser aplicado: erro inesperado (ZeroDivisionError)"
    )
    assert [(row.system, row.status) for row in hub.of_event(event)] == [
        ("marketing", "pending"), ("crm", "failed"),
    ]  # fmt: skip
    hub.consistent()


def test_what_is_no_object_travels_as_data(hub: Hub) -> None:
    (row,) = hub.of_event(hub.event("lead.updated", [1, 2]))
    assert json.loads(row.body)["data"] == [1, 2]


def test_nothing_in_the_payload_can_pass_for_the_hubs_own_word(hub: Hub) -> None:
    event = hub.event("lead.updated", {"_meta": {"event_id": 999}})
    (row,) = hub.of_event(event)
    assert json.loads(row.body)["_meta"]["event_id"] == event


def test_a_repeat_is_not_planned_twice(hub: Hub) -> None:
    first = hub.event("lead.created", key="k1")
    assert hub.event("lead.created", key="k1") == first
    assert hub.count(Delivery) == 2


def test_planned_rows_keep_their_plan_when_routes_change(hub: Hub) -> None:
    event = hub.event("lead.updated")
    hub.route("lead.updated", "crm", "operacao")
    assert [row.system for row in hub.of_event(event)] == ["crm"]
    later = hub.event("lead.updated")
    assert sorted(row.system for row in hub.of_event(later)) == ["crm", "operacao"]


def test_accents_travel_as_they_are(hub: Hub) -> None:
    (row,) = hub.of_event(hub.event("lead.updated", {"name": "João ☂"}))
    assert "João ☂".encode() in row.body


def test_plans_of_threads_at_once_are_all_there(hub: Hub) -> None:
    ids = hub.at_once(6, lambda n: [hub.event("lead.created") for _ in range(3)])
    assert hub.count(Delivery) == 36
    assert all(hub.event_row(id_).open_count == 2 for one in ids for id_ in one)
    hub.consistent()
