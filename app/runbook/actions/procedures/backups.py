"""Back up mappings and endpoints into the data folder, and bring a backup back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app

from app import clock
from app.access.actions import audit
from app.access.actor import SYSTEM, Actor
from app.db import reading, transaction
from app.errors import Invalid
from app.mappings.actions import export_all, import_all, preview_import
from app.mappings.actions.exchange import ImportPlan
from app.mappings.rules.exchange import Exchange as Mappings
from app.runbook.queries.procedures.backups import FOLDER, list_backups, read_backup
from app.systems.actions.exchange import Imported, export_endpoints, import_endpoints
from app.systems.rules.exchange import Exchange as Endpoints
from app.web import validate

KEPT = 26
WEEK_MS = 7 * clock.DAY - clock.HOUR


@dataclass(frozen=True, slots=True)
class Comparison:
    """What restoring a backup would change."""

    mappings: ImportPlan
    endpoints: list[Imported]

    @property
    def is_empty(self) -> bool:
        """Whether all is as it was then."""
        return not (self.mappings.routes or self.mappings.mappings or self.changed)

    @property
    def changed(self) -> list[Imported]:
        """Endpoints that differ."""
        return [one for one in self.endpoints if one.outcome != "unchanged"]


def make_backup(*, by: Actor, now: int) -> str:
    """Write a backup without secrets; its name. Old ones beyond KEPT go."""
    folder: Path = current_app.extensions["settings"].data_dir / FOLDER
    with reading() as c:
        content = {
            "made_at": clock.iso(now),
            "mappings": export_all(c).model_dump(),
            "endpoints": export_endpoints(c),
        }
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"config-{now:013d}.json"
    fresh = folder / f"{name}.new"
    fresh.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    fresh.replace(folder / name)
    for old in list_backups(folder.parent)[KEPT:]:
        (folder / old.name).unlink(missing_ok=True)
    with transaction() as tx:
        audit.record(tx, by, "backup.made", name)
    return name


def weekly() -> None:
    """The slot's part: a backup when the newest is a week old."""
    now = clock.now()
    backups = list_backups(current_app.extensions["settings"].data_dir)
    if not backups or now - backups[0].at >= WEEK_MS:
        make_backup(by=SYSTEM, now=now)


def compare(name: str, *, by: Actor, now: int) -> Comparison:
    """What restoring would change; nothing is changed. NotFound, Invalid: not readable."""
    mappings, endpoints = _content(name)
    with reading() as c:
        plan = preview_import(c, mappings)
    return Comparison(plan, import_endpoints(endpoints, by=by, now=now, dry_run=True))


def restore(name: str, *, by: Actor, now: int, why: str) -> Comparison:
    """Bring it back: first the mappings, then the endpoints, each all or nothing."""
    mappings, endpoints = _content(name)
    # Refused before anything is written when the second part would be.
    import_endpoints(endpoints, by=by, now=now, dry_run=True)
    plan = import_all(mappings, by=by, now=now)
    imported = import_endpoints(endpoints, by=by, now=now)
    with transaction() as tx:
        audit.record(tx, by, "backup.restored", name, why, None, plan.summary())
    return Comparison(plan, imported)


def _content(name: str) -> tuple[Mappings, Endpoints]:
    _, content = read_backup(current_app.extensions["settings"].data_dir, name)
    parts: tuple[Any, Any] = content.get("mappings"), content.get("endpoints")
    if not all(isinstance(part, dict) for part in parts):
        raise Invalid(details={"backup": ["is not a backup of the configuration"]})
    return validate(Mappings, parts[0]), validate(Endpoints, parts[1])
