"""The live data that a run's steps look at; each procedure reads only what is its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app import clock, heartbeats, pipeline, queues
from app.access.models import AuditEntry
from app.access.queries.keys import key_cards
from app.db import reading
from app.deliveries.actions.cleanup import count_old_dead_letters
from app.deliveries.models import RETRYING, DeadLetter
from app.deliveries.queries.bulks import recent_bulks
from app.deliveries.queries.dead_letters import cause_groups, examples
from app.errors import Invalid
from app.events.actions.cleanup import count_old_events
from app.messages.queries.connection import state as whatsapp_state
from app.monitoring.queries.snapshot import take_snapshot
from app.monitoring.rules.snapshot import Snapshot
from app.monitoring.rules.workers import LINES
from app.paging import AnyRow
from app.runbook.queries.procedures import runs
from app.runbook.queries.procedures.backups import list_backups
from app.runbook.queries.procedures.database import database_data
from app.runbook.queries.procedures.errors import error_data
from app.runbook.queries.procedures.phone import provider_data
from app.runbook.rules.procedures.connections import label
from app.runbook.rules.procedures.shape import Scene
from app.runbook.rules.procedures.stepper import did
from app.slots import SlotRow
from app.supervisor import procfile
from app.syncs.models import SyncItem
from app.syncs.queries.board import board as sync_board
from app.systems.queries.breakers import last_moves
from app.systems.rules.breaker import CLOSED

MOST_ITEMS, MOST_GROUPS, MOST_HISTORY = 10, 20, 10


def scene_of(run: AnyRow, entries: Sequence[AnyRow]) -> Scene:
    """What the steps of the run look at now."""
    seen = take_snapshot(clock.now())
    with reading() as c:
        data = LOADERS[run.key](c, seen, run)
    return Scene(seen, run.started_at, run.subject, did(entries, runs.stored), data)


def default_subject(key: str, seen: Snapshot) -> str:
    """What a run from the menu is about: the first system or sync in trouble."""
    if key == "breaker":
        names = sorted(b.system for b in seen.breakers.values() if b.state != CLOSED)
        return names[0] if names else ""
    if key == "sync_failing":
        with reading() as c:
            cards = sync_board(c, current_app.extensions["settings"].zone, seen.now)
        bad = [card for card in cards if card.missed_at or card.recent_failures]
        failed = [card for card in bad if card.last is not None and card.last.status == "failed"]
        found = (failed or bad)[:1]
        return found[0].sync.name if found else ""
    return ""


def subject_of(key: str, wanted: str, seen: Snapshot) -> str:
    """What a run is to be about: what was wanted if there is such a thing, else what is in trouble.

    Invalid for something that does not exist.
    """
    known = [name for name, _ in subjects(key, seen)]
    if wanted and known and wanted not in known:
        raise Invalid(details={"subject": ["is not known"]})
    return wanted if wanted in known else default_subject(key, seen)


def subjects(key: str, seen: Snapshot) -> list[tuple[str, str]]:
    """What a run of the procedure may be about, with words; none where it is about nothing."""
    if key == "breaker":
        return [(name, label(name)) for name in sorted(seen.breakers)]
    if key == "queue_large":
        return [(name, name) for name in queues.QUEUES]
    if key == "sync_failing":
        with reading() as c:
            cards = sync_board(c, current_app.extensions["settings"].zone, seen.now)
        return [(card.sync.name, card.sync.label) for card in cards]
    return []


def _whatsapp(c: Connection, seen: Snapshot, run: AnyRow) -> Mapping[str, Any]:
    return {"whatsapp": whatsapp_state(c), **provider_data(run.id, seen.whatsapp.connected)}


def _dlq(c: Connection, _: Snapshot, run: AnyRow) -> Mapping[str, Any]:
    going = select(func.count()).where(DeadLetter.state == RETRYING)
    mine = [row for row in recent_bulks(c) if row.created_at >= run.started_at]
    groups = cause_groups(c)[:MOST_GROUPS]
    return {
        "causes": groups,
        "examples": examples(c, [group["key"] for group in groups]),
        "retrying": int(c.execute(going.select_from(DeadLetter)).scalar_one()),
        "bulk": mine[0] if mine else None,
        "bulks": mine,
    }


def _breaker(c: Connection, _: Snapshot, run: AnyRow) -> Mapping[str, Any]:
    return {"moves": last_moves(c, [run.subject])[run.subject]}


def _sync(c: Connection, seen: Snapshot, run: AnyRow) -> Mapping[str, Any]:
    cards = sync_board(c, current_app.extensions["settings"].zone, seen.now)
    card = next((card for card in cards if card.sync.name == run.subject), None)
    last = card and (card.active or card.last)
    query = select(SyncItem.__table__).where(
        SyncItem.run_id == (last.id if last else 0), SyncItem.error != ""
    )
    return {"card": card, "items": c.execute(query.limit(MOST_ITEMS)).all()}


def _queues(c: Connection, seen: Snapshot, _: AnyRow) -> Mapping[str, Any]:
    settings = current_app.extensions["settings"]
    alive = [
        (beat.kind, beat.host, beat.pid, beat.doing, beat.beat_at)
        for beat in heartbeats.alive(c, seen.now)
    ]
    return {"workers": alive, "usual": procfile.scale(settings.workers, LINES)}


def _errors(c: Connection, seen: Snapshot, _: AnyRow) -> Mapping[str, Any]:
    return error_data(c, seen)


def _database(c: Connection, seen: Snapshot, _: AnyRow) -> Mapping[str, Any]:
    return database_data(c, seen)


def _keys(c: Connection, seen: Snapshot, _: AnyRow) -> Mapping[str, Any]:
    return {"keys": key_cards(c, seen.now)}


def _cleanup(c: Connection, seen: Snapshot, _: AnyRow) -> Mapping[str, Any]:
    settings, now = current_app.extensions["settings"], seen.now
    last = select(func.max(SlotRow.taken_at)).where(SlotRow.job == "cleanup")
    old = {
        "event_days": settings.event_retention_days,
        "letter_days": settings.dlq_retention_days,
        "events": count_old_events(now - settings.event_retention_days * clock.DAY),
        "letters": count_old_dead_letters(now - settings.dlq_retention_days * clock.DAY),
        "next_at": _next("cleanup", now),
        "last_at": c.execute(last).scalar(),
    }
    return {"old": old, "history": _audited(c, "cleanup.")}


def _backup(_: Connection, seen: Snapshot, __: AnyRow) -> Mapping[str, Any]:
    folder = current_app.extensions["settings"].data_dir
    return {"backups": list_backups(folder), "next_backup": _next("backup", seen.now)}


def _audited(c: Connection, prefix: str) -> Sequence[AnyRow]:
    query = select(AuditEntry.__table__).where(AuditEntry.action.startswith(prefix))
    return c.execute(query.order_by(AuditEntry.id.desc()).limit(MOST_HISTORY)).all()


def _next(job: str, now: int) -> int | None:
    """When the slot comes next (ms)."""
    zone = current_app.extensions["settings"].zone
    found = next((slot for slot in pipeline.SLOTS if slot.name == job), None)
    return found.schedule.next(now, zone) if found else None


Loader = Callable[[Connection, Snapshot, AnyRow], Mapping[str, Any]]
LOADERS: dict[str, Loader] = {
    "whatsapp_disconnected": _whatsapp,
    "dlq": _dlq,
    "breaker": _breaker,
    "sync_failing": _sync,
    "error_rate": _errors,
    "queue_large": _queues,
    "db_slow": _database,
    "key_rotation": _keys,
    "cleanup": _cleanup,
    "backup": _backup,
}
