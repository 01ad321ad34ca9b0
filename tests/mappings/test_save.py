"""Saving a mapping makes a new version and leaves the old ones."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from app.access.models import AuditEntry
from app.db import reading
from app.errors import Invalid, NotFound
from app.mappings import queries
from app.mappings.actions import save_mapping
from app.mappings.queries import SavedMapping
from app.mappings.rules import Version
from tests.mappings.cases import ANA

PAIR = ("lead.created", "crm")
NOW = 1_700_000_000_000


def save(document: object = None, pair: tuple[str, str] = PAIR, note: str = "") -> SavedMapping:
    return save_mapping(*pair, document or {"a": "b"}, by=ANA, now=NOW, note=note)


@pytest.mark.usefixtures("any_database", "app_context")
def test_it_saves_the_first_version_and_then_the_next_patch() -> None:
    first, second = save({"a": "b"}), save({"a": "ç"}, note="por quê")
    assert (first.version, second.version) == (Version(1, 0, 0), Version(1, 0, 1))
    with reading() as connection:
        assert queries.newest(connection, *PAIR) == second
        assert queries.versions(connection, *PAIR) == [second, first]
        assert queries.all_newest(connection) == [second]
        assert queries.newest(connection, "lead.created", "marketing") is None
    assert (second.document, second.note, second.created_by) == ({"a": "ç"}, "por quê", "Ana")


@pytest.mark.usefixtures("any_database", "app_context")
def test_the_eleventh_version_is_the_newest() -> None:
    for _ in range(12):
        save()
    with reading() as connection:
        found = [str(item.version) for item in queries.versions(connection, *PAIR)]
    assert found[:3] == ["1.0.11", "1.0.10", "1.0.9"]


@pytest.mark.usefixtures("any_database")
def test_savers_at_the_same_time_get_a_version_each(app: Flask) -> None:
    def one(number: int) -> str:
        with app.app_context():
            return str(save({"a": f"k{number}"}).version)

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(one, range(6)))
    assert sorted(made) == [f"1.0.{patch}" for patch in range(6)]


@pytest.mark.usefixtures("app_context")
@pytest.mark.parametrize(
    ("event_type", "system", "document", "field"),
    [
        ("Lead Created", "crm", {"a": "b"}, "event_type"),
        ("lead", "crm", {"a": "b"}, "event_type"),
        ("lead." + "x" * 80, "crm", {"a": "b"}, "event_type"),
        ("lead.created", "erp", {"a": "b"}, "target_system"),
        ("lead.created", "crm", {}, "mapping"),
        ("lead.created", "crm", {"a": {"type": "x"}}, "mapping.a.type"),
    ],
)
def test_what_is_no_mapping_is_refused(
    event_type: str, system: str, document: object, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        save_mapping(event_type, system, document, by=ANA, now=NOW)
    assert list(refused.value.details) == [field]


@pytest.mark.usefixtures("app_context")
def test_a_save_is_in_the_audit_trail() -> None:
    save()
    save(note="por quê")
    with reading() as connection:
        rows = connection.execute(select(AuditEntry).order_by(AuditEntry.id)).all()
    told = [(row.actor_name, row.action, row.target, row.why, row.after_json) for row in rows]
    assert told == [
        ("Ana", "mapping.saved", "mapping:lead.created/crm", None, '{"version":"1.0.0"}'),
        ("Ana", "mapping.saved", "mapping:lead.created/crm", "por quê", '{"version":"1.0.1"}'),
    ]


@pytest.mark.usefixtures("app_context")
def test_a_version_that_does_not_exist_is_not_found() -> None:
    save()
    with reading() as connection, pytest.raises(NotFound):
        queries.version(connection, *PAIR, "1.0.9")
    with reading() as connection, pytest.raises(NotFound):
        queries.versions(connection, "lead.created", "marketing")
