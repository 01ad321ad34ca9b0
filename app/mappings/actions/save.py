"""Saving a mapping: always a new version, never a change of an old one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from app.access.actions.audit import record
from app.access.actor import Actor
from app.db import Tx, transaction
from app.errors import Conflict
from app.mappings.models import BY_LENGTH, Mapping
from app.mappings.queries import SavedMapping, forget_plan, newest
from app.mappings.rules import FIRST_VERSION, MappingError, Version, below, check, check_pair
from app.payloads import dump_json

TRIES = 10

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked document on its way to becoming a version; `now` in ms."""

    event_type: str
    system: str
    document: object
    by: Actor
    now: int
    note: str = ""


def save_mapping(
    event_type: str, system: str, document: object, *, by: Actor, now: int, note: str = ""
) -> SavedMapping:
    """Save the document as the pair's next version (patch + 1, first 1.0.0).

    Invalid names each wrong field, those of the document as `mapping.<target>`.
    """
    if problems := check_pair(event_type, system) + below("mapping", check(document)):
        raise MappingError(problems)
    draft = Draft(event_type, system, document, by, now, note)

    def write(tx: Tx) -> SavedMapping:
        before = newest(tx.connection, event_type, system)
        number = before.version.next_patch() if before else FIRST_VERSION
        saved = insert_version(tx, draft, number)
        was = {"version": str(before.version)} if before else None
        pair = f"mapping:{event_type}/{system}"
        record(tx, by, "mapping.saved", pair, note, before=was, after={"version": str(number)})
        return saved

    return write_unique(write)


def insert_version(tx: Tx, draft: Draft, number: Version) -> SavedMapping:
    """Insert the draft under this version; the unique constraint decides races."""
    text, by = dump_json(draft.document).decode(), draft.by.name[:BY_LENGTH]
    statement = insert(Mapping).values(
        event_type=draft.event_type,
        system=draft.system,
        version=str(number),
        version_major=number.major,
        version_minor=number.minor,
        version_patch=number.patch,
        document=text,
        created_at=draft.now,
        created_by=by,
        note=draft.note,
    )
    (key,) = tx.connection.execute(statement).inserted_primary_key or (0,)
    return SavedMapping(
        key, draft.event_type, draft.system, number, text, draft.now, by, draft.note
    )


def write_unique(write: Callable[[Tx], Result]) -> Result:
    """Run `write` in a transaction, again where another writer took its unique key first."""
    for _ in range(TRIES):
        try:
            with transaction() as tx:
                result = write(tx)
        except IntegrityError:
            continue
        forget_plan()
        return result
    raise Conflict("Others are changing this at the same time; try again")
