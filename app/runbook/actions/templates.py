"""Change what a checklist asks: a new version; instances keep theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy.exc import IntegrityError

from app.access.actions import audit
from app.access.actor import Actor
from app.db import transaction
from app.errors import Conflict, Invalid
from app.runbook.actions.checklists import store_template
from app.runbook.queries import checklists as queries
from app.runbook.rules.templates import Line, problems

CHANGED = "Outra pessoa mudou este modelo entretanto. Veja a versão nova e tente de novo."


def save_template(
    shift: str, lines: Sequence[Line], why: str, version: int, *, by: Actor, now: int
) -> int:
    """A new version from the one with number `version`; its number. Invalid, Conflict."""
    wrong = problems(lines)
    if not why.strip():
        wrong["why"] = "Escreva o motivo da mudança"
    if wrong:
        raise Invalid(details={field: [text] for field, text in wrong.items()})
    try:
        with transaction() as tx:
            before = queries.template(tx.connection, shift)
            if before.version != version:
                raise Conflict(CHANGED)
            after = replace(before, lines=tuple(lines))
            store_template(tx, after, by.name, why.strip(), now)
            states = [[asdict(line) for line in each.lines] for each in (before, after)]
            audit.record(tx, by, "checklist.template_changed", f"template:{shift}", why, *states)
    except IntegrityError:
        raise Conflict(CHANGED) from None
    return version + 1
