"""The snapshot that intake reads: where an event type goes, in which shape."""

import pytest
from sqlalchemy import insert, update

from app.db import db, reading, transaction
from app.mappings.actions import save_mapping, set_routes
from app.mappings.models import Mapping, Route
from app.mappings.queries import Plan, current_plan
from app.mappings.rules import MappingError
from app.mappings.seed import seed
from tests.mappings.cases import ANA


def plan() -> Plan:
    with reading() as connection:
        return current_plan(connection)


@pytest.mark.usefixtures("any_database", "app_context")
def test_it_gives_each_destination_its_shape() -> None:
    seed(now=1)
    crm, marketing = plan()["lead.created"]
    assert (crm.system, crm.mapping_version) == ("crm", "1.0.0")
    assert marketing.shape({"name": "Ana", "utm_source": "ads"}) == {
        "lead_name": "Ana",
        "lead_phone": None,
        "lead_email": None,
        "source_channel": None,
        "campaign": {"source": "ads", "medium": None, "campaign": None},
    }


@pytest.mark.usefixtures("app_context")
def test_without_a_mapping_the_payload_goes_as_it_is() -> None:
    seed(now=1)
    (crm,) = plan()["invoice.created"]
    payload = {"id": 1, "deep": [{"x": None}]}
    assert crm.mapping_version is None
    assert crm.shape(payload) is payload


@pytest.mark.usefixtures("app_context")
def test_a_type_without_active_routes_is_absent() -> None:
    seed(now=1)
    assert "payout.processed" in plan()
    set_routes("payout.processed", [], by=ANA, now=2)
    assert "payout.processed" not in plan()
    assert "nothing.known" not in plan()


@pytest.mark.usefixtures("app_context")
def test_it_is_kept_until_something_is_saved() -> None:
    seed(now=1)
    first = plan()
    assert plan() is first
    save_mapping("lead.created", "crm", {"only": "name"}, by=ANA, now=2)
    (changed, _) = plan()["lead.created"]
    assert (changed.mapping_version, changed.shape({"name": "x"})) == ("1.0.1", {"only": "x"})
    (kept, _) = first["lead.created"]
    assert kept.mapping_version == "1.0.0"


@pytest.mark.usefixtures("app_context")
def test_a_change_made_elsewhere_is_seen_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    seed(now=1)
    clock = [0.0]
    monkeypatch.setattr("app.clock.monotonic", lambda: clock[0])
    seed(now=1)
    assert len(plan()["lead.created"]) == 2
    with db.engine.begin() as connection:
        connection.execute(update(Route).where(Route.system == "marketing").values(active=False))
    assert len(plan()["lead.created"]) == 2
    clock[0] = 1.1
    assert len(plan()["lead.created"]) == 1


@pytest.mark.usefixtures("app_context")
@pytest.mark.parametrize("text", ["{", "[]", '{"a": {"type": "eval"}}'])
def test_a_broken_mapping_spoils_only_its_own_destination(text: str) -> None:
    seed(now=1)
    with transaction() as tx:
        row = {"version": "1.0.1", "version_major": 1, "version_minor": 0, "version_patch": 1}
        row |= {"event_type": "lead.created", "system": "crm", "document": text}
        row |= {"created_at": 1, "created_by": "sql", "note": ""}
        tx.connection.execute(insert(Mapping).values(**row))
    seed(now=1)
    crm, marketing = plan()["lead.created"]
    with pytest.raises(MappingError) as refused:
        crm.shape({"name": "Ana"})
    assert refused.value.reason.startswith("Mapeamento inválido: ")
    assert marketing.shape({"name": "Ana"})
