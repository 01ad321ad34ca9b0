"""The daily clean-up drops what is older than it is kept, and nothing else."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, insert, select

from app import clock
from app.access.actions.audit import record
from app.access.actor import SYSTEM
from app.access.models import AuditEntry, LoginFailure
from app.access.queries import Chain, verify_chain
from app.db import reading, transaction
from app.monitoring import jobs
from app.monitoring.actions.watch import note
from app.monitoring.models import AlertEntry, AlertRow


@pytest.mark.usefixtures("app_context")
def test_it_drops_old_audit_entries_and_forgotten_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = clock.now()
    with monkeypatch.context() as past, transaction() as tx:
        past.setattr(clock, "now", lambda: now - 91 * clock.DAY)
        record(tx, SYSTEM, "breaker.reset", "breaker:crm")
    with transaction() as tx:
        record(tx, SYSTEM, "breaker.reset", "breaker:crm")
        old = {"kind": "account", "subject": "ana", "failures": 3, "last_at": 0}
        tx.connection.execute(insert(LoginFailure).values(old))
    jobs.cleanup()
    with reading() as c:
        assert c.scalar(select(func.count()).select_from(AuditEntry)) == 2
        assert c.scalar(select(func.count()).select_from(LoginFailure)) == 0
    assert verify_chain() == Chain(2)


@pytest.mark.usefixtures("app_context")
def test_alerts_that_are_long_over_go_with_their_history() -> None:
    now = clock.now()
    alert = {"type": "redis", "level": "warning", "worst": "warning", "message": "x", "value": 1,
             "opened_at": 0, "last_seen_at": 0}  # fmt: skip
    ended = {1: now - 91 * clock.DAY, 2: now - 89 * clock.DAY, 3: None}
    with transaction() as tx:
        for number, closed_at in ended.items():
            tx.connection.execute(insert(AlertRow).values(**alert, id=number, closed_at=closed_at))
            note(tx, number, "note", now, "visto")
    jobs.cleanup()
    with reading() as c:
        assert list(c.scalars(select(AlertRow.id).order_by(AlertRow.id))) == [2, 3]
        assert set(c.scalars(select(AlertEntry.alert_id))) == {2, 3}


@pytest.mark.usefixtures("app_context")
def test_it_writes_down_what_it_took() -> None:
    jobs.cleanup()
    with reading() as c:
        row = c.execute(select(AuditEntry.__table__)).one()
    assert (row.action, row.actor_name) == ("cleanup.run", "sistema")
    assert json.loads(row.after_json) == {"events": 0, "letters": 0}


@pytest.mark.usefixtures("app_context")
def test_it_keeps_what_is_younger() -> None:
    with transaction() as tx:
        record(tx, SYSTEM, "breaker.reset", "breaker:crm")
    jobs.cleanup()
    assert verify_chain() == Chain(2)
