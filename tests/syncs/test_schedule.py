"""Slots of the syncs: São Paulo time, each once, paused ones left out, missed ones told."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app import clock, pipeline, slots
from app.access.actor import SYSTEM
from app.db import reading
from app.errors import NotFound
from app.monitoring.queries.syncs import (
    failed_syncs,
    long_syncs,
    missed_syncs,
    sync_states,
    sync_totals,
)
from app.schedules import Schedule
from app.syncs.actions.schedules import pause, resume, run_slot
from app.syncs.models import SyncRun
from app.syncs.rules.table import SYNCS
from app.syncs.rules.timing import LATE_MS, missed, usual
from tests.syncs.world import World

ZONE = ZoneInfo("America/Sao_Paulo")


def at(text: str) -> int:
    """ms of a moment in São Paulo."""
    return clock.from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZONE))


@pytest.mark.parametrize(
    ("name", "now", "slot"),
    [
        ("crm_operacao", "2026-11-23T08:59:59", "2026-11-23T08:00"),
        ("operacao_financeiro", "2026-11-23T22:59:59", "2026-11-22T23:00"),
        ("operacao_financeiro", "2026-11-23T23:00:00", "2026-11-23T23:00"),
        ("operacao_financeiro", "2026-11-24T00:10:00", "2026-11-23T23:00"),
        ("crm_financeiro", "2026-11-23T17:59", "2026-11-23T06:00"),
        ("crm_financeiro", "2026-11-23T18:00", "2026-11-23T18:00"),
        ("cuidadores_crm", "2026-11-23T03:59", "2026-11-23T00:00"),
        ("cuidadores_crm", "2026-11-23T20:01", "2026-11-23T20:00"),
    ],
)
def test_slots_are_in_sao_paulo_time(name: str, now: str, slot: str) -> None:
    assert SYNCS[name].schedule.latest(at(now), ZONE) == at(slot)


def test_23_o_clock_in_sao_paulo_is_2_in_utc() -> None:
    slot = SYNCS["operacao_financeiro"].schedule.next(at("2026-11-23T12:00"), ZONE)
    assert clock.to_datetime(slot) == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def test_a_clock_that_jumps_over_23_o_clock_makes_up_for_the_slot_once(world: World) -> None:
    slot = next(slot for slot in pipeline.SLOTS if slot.name == "sync-operacao-financeiro")
    taken = []
    # 22:50, then the clock jumps to 23:40, steps back an hour, and goes on.
    for text in ("22:50", "23:40", "22:40", "22:59", "23:00", "23:41"):
        now = at(f"2026-11-23T{text}")
        latest = slot.schedule.latest(now, ZONE)
        if now - latest <= slot.schedule.late_ms and slots.take(slot.name, latest, now):
            slots.done(slot.name, latest, now)
            taken.append(latest)
    assert taken == [at("2026-11-23T23:00")]


def test_of_two_schedulers_one_runs_the_slot(any_database: str, world: World) -> None:
    now = clock.now()
    slot = SYNCS["crm_operacao"].schedule.latest(now, ZONE)

    def minute(_: int) -> bool:
        mine = slots.take("sync-crm-operacao", slot, now)
        return bool(mine and run_slot("crm_operacao", now))

    assert sorted(world.at_once(2, minute)) == [False, True]
    (run,) = world.rows(SyncRun)
    assert (run.trigger, run.slot, run.asked_by) == ("schedule", slot, "sistema")


def test_a_slot_is_left_out_while_the_run_before_is_under_way(world: World) -> None:
    world.start()
    assert run_slot("crm_operacao", clock.now()) is None
    assert world.count(SyncRun) == 1


def test_a_paused_schedule_does_not_run_until_it_is_resumed(world: World) -> None:
    pause("crm_operacao", by=SYSTEM, why="manutenção no CRM", now=clock.now())
    assert run_slot("crm_operacao", clock.now()) is None
    resume("crm_operacao", by=SYSTEM, why="", now=clock.now())
    assert run_slot("crm_operacao", clock.now()) is not None


def test_an_unknown_schedule_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        pause("nobody", by=SYSTEM, why="", now=clock.now())


def test_a_slot_that_did_not_run_is_told(world: World) -> None:
    hourly = SYNCS["crm_operacao"].schedule
    now = at("2026-11-23T10:20")
    since = at("2026-11-20T00:00")
    slot = at("2026-11-23T10:00")
    assert missed(hourly, ZONE, None, since, now) == slot
    assert missed(hourly, ZONE, slot - 1, since, now) == slot
    assert missed(hourly, ZONE, slot, since, now) is None
    assert missed(hourly, ZONE, None, slot + 1, now) is None
    assert missed(hourly, ZONE, slot - 1, since, slot + LATE_MS - 1) is None


def test_the_overview_shows_what_is_late_and_what_failed(world: World) -> None:
    now = clock.now()
    # Not just after a slot, when the run of that moment is not late yet.
    noon = Schedule(("12:30",)).next(now, ZONE)
    with reading() as c:
        assert set(missed_syncs(c, noon)) == {sync.label for sync in SYNCS.values()}
        assert failed_syncs(c, now) == 0
    world.partners.mode("crm", "503")
    assert world.whole().status == "failed"
    pause("cuidadores_crm", by=SYSTEM, why="x", now=now)
    with reading() as c:
        assert SYNCS["crm_operacao"].label not in missed_syncs(c, now)
        assert SYNCS["cuidadores_crm"].label not in missed_syncs(c, now)
        assert failed_syncs(c, clock.now()) == 1
        state = sync_states(c, clock.now())["sync.crm_operacao"]
        totals = sync_totals(c, now, clock.now() + 1)["sync.crm_operacao"]
    assert (state["last_status"], state["recent_failures"]) == ("failed", 1)
    assert state["duration_seconds"] is not None
    assert totals == {"total": 1, "success": 0}


def test_the_usual_duration_needs_some_runs() -> None:
    assert usual([10, 20]) is None
    assert usual([10, 1_000, 20]) == 20


def test_a_run_that_is_under_way_is_told_with_its_beginning(world: World) -> None:
    with reading() as c:
        assert long_syncs(c) == {}
    world.partners.seed(schedules=10)
    world.system("operacao", in_flight_limit=2)
    world.partners.mode("operacao", "refuse")
    run = world.start()
    world.until(lambda: world.breaker("operacao").state == "open")
    row = world.run(run)
    assert row.status == "running"
    with reading() as c:
        assert long_syncs(c) == {SYNCS["crm_operacao"].label: row.started_at}
