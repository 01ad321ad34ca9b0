"""Start a run, say something about its steps, end it with its report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from app.access.actions import audit
from app.access.actions.rows import inserted_id
from app.access.actor import Actor
from app.db import Tx, transaction
from app.errors import Conflict, Invalid
from app.paging import AnyRow
from app.runbook.models.procedures import (
    ABANDONED,
    DEED,
    DONE,
    ESCALATED,
    NOTE,
    REOPENED,
    SEEN,
    SKIPPED,
    SOLVED,
    UNSOLVED,
    ProcedureRun,
    ProcedureStep,
)
from app.runbook.queries.procedures.runs import find_run
from app.runbook.rules.procedures.shape import Verdict

COMMANDS = (DONE, SKIPPED, UNSOLVED, REOPENED)
OUTCOMES = (SOLVED, ESCALATED, ABANDONED)
LONGEST_NOTE = 1_000


def start(
    key: str, subject: str, *, by: Actor, now: int, origin: str = "", incident_id: int | None = None
) -> int:
    """Begin a run, or join the one that is under way for the same; its id."""
    with transaction() as tx:
        same = (ProcedureRun.key == key, ProcedureRun.subject == subject)
        query = select(ProcedureRun.id).where(*same, ProcedureRun.ended_at.is_(None))
        if found := tx.connection.execute(query.limit(1)).scalar():
            return int(found)
        made = tx.connection.execute(
            insert(ProcedureRun).values(
                key=key, subject=subject[:80], origin=origin[:80], incident_id=incident_id,
                started_at=now, started_by=by.name[:120],
            )
        )  # fmt: skip
        run_id = inserted_id(made)
        audit.record(tx, by, "procedure.started", f"procedure:{run_id}", None, None, {"key": key})
    return run_id


def say(
    run_id: int, step: str, command: str, verdict: Verdict, *, by: Actor, now: int, note: str = ""
) -> None:
    """What a person says about a step, with what the data said then. Conflict: the run is over."""
    if command not in COMMANDS:
        raise Invalid(details={"command": ["is not known"]})
    with transaction() as tx:
        _running(tx, run_id)
        _write(tx, run_id, step, command, by, now, note=note, evidence=verdict.as_data())


def add_note(run_id: int, step: str, text: str, *, by: Actor, now: int) -> None:
    """Write something down at a step."""
    if not text.strip():
        raise Invalid(details={"note": ["must not be empty"]})
    with transaction() as tx:
        _running(tx, run_id)
        _write(tx, run_id, step, NOTE, by, now, note=text.strip())


def note_deed(
    run_id: int, step: str, deed: str, result: Mapping[str, Any], *, by: Actor, now: int, note: str
) -> None:
    """Write down what a button did."""
    with transaction() as tx:
        _write(tx, run_id, step, DEED, by, now, deed=deed, note=note, evidence=result)


def close(
    run_id: int,
    outcome: str,
    verdicts: Sequence[tuple[str, Verdict]],
    *,
    by: Actor,
    now: int,
    note: str,
) -> None:
    """End the run; what the data says about each step is kept with it. Conflict: it is over."""
    if outcome not in OUTCOMES:
        raise Invalid(details={"outcome": ["is not known"]})
    with transaction() as tx:
        row = _running(tx, run_id)
        for step, verdict in verdicts:
            _write(tx, run_id, step, SEEN, by, now, evidence=verdict.as_data())
        values = {
            "ended_at": now, "ended_by": by.name[:120], "outcome": outcome,
            "note": note.strip()[:4000],
        }  # fmt: skip
        mine = update(ProcedureRun).where(ProcedureRun.id == run_id, ProcedureRun.outcome == "")
        if not tx.connection.execute(mine.values(values)).rowcount:
            raise Conflict("Outra pessoa encerrou esta execução agora mesmo")
        told = {"key": row.key, "outcome": outcome, "took_ms": now - row.started_at}
        audit.record(tx, by, "procedure.ended", f"procedure:{run_id}", note or None, None, told)


def _running(tx: Tx, run_id: int) -> AnyRow:
    row = find_run(tx.connection, run_id)
    if row.ended_at is not None:
        raise Conflict("Esta execução já foi encerrada")
    return row


def _write(
    tx: Tx, run_id: int, step: str, kind: str, by: Actor, now: int,
    *, deed: str = "", note: str = "", evidence: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    tx.connection.execute(
        insert(ProcedureStep).values(
            run_id=run_id, step=step, kind=kind, at=now, by=by.name[:120], deed=deed,
            note=note[:LONGEST_NOTE],
            evidence_json=json.dumps(evidence, ensure_ascii=False) if evidence is not None else "",
        )
    )  # fmt: skip
