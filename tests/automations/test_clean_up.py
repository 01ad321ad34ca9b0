"""Retention: ratings of long ago go in batches; those that still count stay."""

from __future__ import annotations

from sqlalchemy import insert

from app import clock
from app.automations.actions.cleanup import AT_ONCE, KEEP_MS, cleanup_ratings
from app.automations.models import RatedService
from app.db import transaction
from tests.automations.office import Office


def test_old_ratings_go_and_new_ones_stay(office: Office) -> None:
    now = clock.now()
    old = [{"service_id": f"s{n}", "rating": 5, "at": now - KEEP_MS - 1} for n in range(AT_ONCE)]
    new = {"service_id": "new", "rating": 5, "at": now - KEEP_MS + 1_000}
    with transaction() as tx:
        tx.connection.execute(insert(RatedService), [*old, new])
    assert (cleanup_ratings(now), cleanup_ratings(now)) == (AT_ONCE, 0)
    (left,) = office.rows(RatedService)
    assert left.service_id == "new"
