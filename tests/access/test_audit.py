"""The audit trail is a chain: whole after writes, broken by every tampering."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update

from app import clock
from app.access.actions.audit import record, remove_before
from app.access.actor import SYSTEM, Actor
from app.access.models import AuditEntry, AuditHead
from app.access.queries import Chain, verify_chain
from app.db import db, transaction

GIL = Actor("user", 3, "Gil", 3, address="192.0.2.7")


def _write(count: int) -> None:
    for number in range(count):
        with transaction() as tx:
            record(tx, GIL, "dlq.archived", f"dead_letter:{number}", "inválida")


def _tamper(statement: Any) -> None:
    with transaction() as tx:
        tx.connection.execute(statement)


@pytest.mark.usefixtures("any_database", "app_context")
def test_it_works() -> None:
    with transaction() as tx:
        assert record(tx, GIL, "user.level_changed", "user:1", "férias", {"level": 1}, [2]) == 1
    _write(2)
    entry = db.session.get_one(AuditEntry, 1)
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("user", 3, "Gil")
    assert (entry.why, entry.before, entry.after) == ("férias", {"level": 1}, [2])
    assert (entry.address, entry.previous_hash) == ("192.0.2.7", "")
    assert verify_chain() == Chain(3)


@pytest.mark.usefixtures("app_context")
def test_an_empty_trail_is_whole() -> None:
    assert verify_chain() == Chain(0)


@pytest.mark.usefixtures("app_context")
def test_a_rolled_back_entry_leaves_no_gap() -> None:
    _write(1)
    with pytest.raises(ZeroDivisionError), transaction() as tx:
        record(tx, GIL, "dlq.archived", "dead_letter:9")
        raise ZeroDivisionError
    _write(1)
    assert verify_chain() == Chain(2)


@pytest.mark.usefixtures("any_database")
def test_writers_stand_in_line(app: Flask) -> None:
    def write(_: int) -> None:
        with app.app_context():
            _write(5)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    with app.app_context():
        assert verify_chain() == Chain(40)


@pytest.mark.usefixtures("app_context")
@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        (update(AuditEntry).where(AuditEntry.id == 2).values(why="outra coisa"), 2),
        (update(AuditEntry).where(AuditEntry.id == 3).values(actor_name="Ana"), 3),
        (delete(AuditEntry).where(AuditEntry.id == 1), 1),
        (delete(AuditEntry).where(AuditEntry.id == 3), 3),
        (delete(AuditEntry).where(AuditEntry.id == 5), 5),
        (update(AuditHead).values(last_id=4), 5),
    ],
)
def test_tampering_shows(statement: Any, broken_at: int) -> None:
    _write(5)
    _tamper(statement)
    chain = verify_chain()
    assert (chain.whole, chain.broken_at) == (False, broken_at)


@pytest.mark.usefixtures("app_context")
def test_a_forged_entry_shows() -> None:
    _write(2)
    row = dict(db.session.execute(select(AuditEntry.__table__)).mappings().all()[-1])
    _tamper(insert(AuditEntry).values({**row, "id": 3, "previous_hash": row["hash"]}))
    _tamper(update(AuditHead).values(last_id=3))
    assert verify_chain().broken_at == 3


@pytest.mark.usefixtures("any_database", "app_context")
def test_retention_keeps_the_chain_whole() -> None:
    _write(4)
    assert remove_before(0) == 0
    _tamper(update(AuditHead).values(last_id=AuditHead.last_id))
    assert remove_before(clock.now() + 1) == 4
    assert verify_chain() == Chain(0)
    with transaction() as tx:
        assert record(tx, SYSTEM, "cleanup.run", "audit") == 5
    assert verify_chain() == Chain(1)
