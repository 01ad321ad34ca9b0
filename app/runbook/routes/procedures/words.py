"""Runs as JSON, and their reports as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app import clock
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
)
from app.runbook.queries.procedures.runs import stored
from app.runbook.rules.procedures.shape import Procedure
from app.runbook.rules.procedures.stepper import Standing
from app.syncs.rules.table import SYNCS
from app.systems.rules.defaults import KNOWN

LABELS = {
    **{name: known.label for name, known in KNOWN.items()},
    **{name: sync.label for name, sync in SYNCS.items()},
}
KINDS = {
    DONE: "Feito", SKIPPED: "Pulado", UNSOLVED: "Não resolveu", REOPENED: "Reaberto",
    DEED: "Ação", NOTE: "Nota", SEEN: "No fim",
}  # fmt: skip
OUTCOMES = {
    SOLVED: "Resolvido", ESCALATED: "Escalonado", ABANDONED: "Encerrado sem resolver",
}  # fmt: skip


def run_data(row: AnyRow) -> dict[str, Any]:
    """A run as JSON."""
    return {
        "id": row.id,
        "procedure": row.key,
        "subject": row.subject,
        "origin": row.origin,
        "incident_id": row.incident_id,
        "started_at": clock.iso(row.started_at),
        "started_by": row.started_by,
        "ended_at": clock.iso(row.ended_at),
        "ended_by": row.ended_by,
        "outcome": row.outcome,
        "note": row.note,
    }


def step_data(one: Standing) -> dict[str, Any]:
    """A step of a run as JSON."""
    return {
        "key": one.step.key,
        "title": one.step.title,
        "state": one.state,
        "check": one.verdict.as_data(),
        "said": one.said
        and {"by": one.said.by, "at": clock.iso(one.said.at), "note": one.said.note},
        "actions": [act.deed for act in one.acts],
        "facts": {fact.label: fact.value or clock.iso(fact.at) for fact in one.facts},
    }


def report_steps(found: Procedure, entries: Sequence[AnyRow]) -> list[dict[str, Any]]:
    """Each step with all that was said and done at it."""
    return [
        {
            "key": step.key,
            "title": step.title,
            "entries": [_entry(entry) for entry in entries if entry.step == step.key],
        }
        for step in found.steps
    ]


def _entry(entry: AnyRow) -> dict[str, Any]:
    evidence = stored(entry.evidence_json)
    return {
        "kind": entry.kind,
        "word": KINDS.get(entry.kind, entry.kind),
        "at": entry.at,
        "by": entry.by,
        "deed": entry.deed,
        "note": entry.note,
        "evidence": evidence,
        "result": evidence.get("result", ""),
        "text": evidence.get("text", ""),
    }
