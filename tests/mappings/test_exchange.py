"""Export and import of routes and mappings."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db import reading
from app.errors import Invalid
from app.mappings import queries
from app.mappings.actions import (
    ImportPlan,
    export_all,
    import_all,
    preview_import,
    save_mapping,
    set_routes,
)
from app.mappings.rules import Version, compare, compile_mapping
from app.mappings.rules.exchange import Exchange, MappingEntry, plan_mappings
from app.mappings.seed import seed
from tests.mappings.cases import ANA, documents

ENTRY: dict[str, Any] = {
    "event_type": "lead.created",
    "target_system": "crm",
    "version": "1.0.4",
    "mapping": {"only": "name"},
}


def exported() -> Exchange:
    with reading() as connection:
        return export_all(connection)


def preview(data: dict[str, Any]) -> ImportPlan:
    with reading() as connection:
        return preview_import(connection, Exchange.model_validate(data))


def bring_in(data: dict[str, Any]) -> ImportPlan:
    return import_all(Exchange.model_validate(data), by=ANA, now=9)


@pytest.mark.usefixtures("any_database", "app_context")
def test_an_export_brings_everything_back() -> None:
    seed(now=1)
    save_mapping("lead.created", "crm", {"only": "ção"}, by=ANA, now=2, note="por quê")
    set_routes("lead.created", ["crm"], by=ANA, now=2)
    file = exported()
    save_mapping("lead.created", "crm", {"other": "email"}, by=ANA, now=3)
    set_routes("lead.created", ["marketing", "site"], by=ANA, now=3)

    import_all(Exchange.model_validate_json(file.model_dump_json()), by=ANA, now=4)
    with reading() as connection:
        newest = queries.newest(connection, "lead.created", "crm")
        active = {item.system: item.active for item in queries.routes(connection, "lead.created")}
    assert newest is not None
    assert (newest.document, str(newest.version), newest.note) == (
        {"only": "ção"},
        "1.0.3",
        "por quê",
    )
    assert active == {"crm": True, "marketing": False, "site": True}


@pytest.mark.usefixtures("app_context")
def test_importing_the_own_export_changes_nothing() -> None:
    seed(now=1)
    file = exported()
    assert import_all(file, by=ANA, now=2) == ImportPlan([], [])
    assert exported() == file


@pytest.mark.usefixtures("app_context")
def test_into_an_empty_hub_versions_keep_their_number() -> None:
    bring_in({"mappings": [ENTRY], "routes": []})
    assert [entry.version for entry in exported().mappings] == ["1.0.4"]


@pytest.mark.usefixtures("app_context")
def test_a_dry_run_tells_the_changes_and_makes_none() -> None:
    seed(now=1)
    before = exported()
    route = {"event_type": "lead.created", "target_system": "site", "active": True}
    plan = preview({"mappings": [ENTRY], "routes": [route]}).as_data()
    assert plan["routes"] == [route]
    (change,) = plan["mappings"]
    assert (change["from"], change["to"]) == ("1.0.0", "1.0.4")
    assert change["diff"]["added"] == {"only": "name"}
    assert exported() == before


@pytest.mark.usefixtures("app_context")
@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"mappings": [{**ENTRY, "mapping": {"a": {"type": "x"}}}]}, "mappings.0.mapping.a.type"),
        ({"mappings": [{**ENTRY, "mapping": {}}]}, "mappings.0.mapping"),
        ({"mappings": [{**ENTRY, "version": "1.0"}]}, "mappings.0.version"),
        ({"mappings": [{**ENTRY, "target_system": "erp"}]}, "mappings.0.target_system"),
        ({"mappings": [{**ENTRY, "event_type": "x"}]}, "mappings.0.event_type"),
        ({"mappings": [ENTRY, ENTRY]}, "mappings.1"),
        (
            {"routes": [{"event_type": "a.b", "target_system": "erp", "active": True}]},
            "routes.0.target_system",
        ),
        (
            {"routes": [{"event_type": "a.b", "target_system": "crm", "active": True}] * 2},
            "routes.1",
        ),
    ],
)
def test_one_fault_refuses_the_whole_file(data: dict[str, Any], field: str) -> None:
    good = {**ENTRY, "target_system": "marketing"}
    whole = {**data, "mappings": [*data.get("mappings", []), good]}
    with pytest.raises(Invalid) as refused:
        bring_in(whole)
    assert list(refused.value.details) == [field]
    assert exported() == Exchange()


versions = st.builds(Version, *[st.integers(0, 12)] * 3)


@given(new=documents, old=documents, own=versions, here=versions | st.none())
def test_what_is_imported_is_in_force_afterwards(
    new: dict[str, object], old: dict[str, object], own: Version, here: Version | None
) -> None:
    entry = MappingEntry.model_validate({**ENTRY, "version": str(own), "mapping": new})
    changes = plan_mappings([entry], {} if here is None else {entry.pair: (here, old)})
    if not changes:
        assert compare(old, new).is_empty
    for change in changes:
        assert here is None or change.version > here
        assert compile_mapping(change.entry.mapping)
