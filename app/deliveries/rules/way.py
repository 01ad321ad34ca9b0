"""An event's way through the hub as steps in time; what the page says of each is the template's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TONES = {"sent": "ok", "retry": "warn", "dead": "bad", "lost": "warn"}
LETTER_TONES = {"retrying": "info", "resolved": "ok", "archived": "off"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: `kind` says what, `row` holds the facts, `at` is in ms."""

    kind: str
    tone: str
    at: int
    row: Any
    key: str


def way(
    event: Any, deliveries: Sequence[Any], attempts: Sequence[Any], letters: Sequence[Any]
) -> list[Step]:
    """All steps of an event, oldest first."""
    steps = [
        Step("received", "ok" if event.verified else "warn", event.created_at, event, "received"),
        *_planned(event, deliveries),
        *(
            Step("attempt", TONES.get(row.outcome, "warn"), row.started_at, row, f"a{row.id}")
            for row in attempts
        ),
        *(step for row in letters for step in _letter(row)),
    ]
    if event.finished_at is not None:
        tone = "ok" if event.status == "done" else "bad"
        steps.append(Step("finished", tone, event.finished_at, event, "finished"))
    return sorted(steps, key=lambda step: step.at)


def _planned(event: Any, deliveries: Sequence[Any]) -> list[Step]:
    """Where it was to go: the systems, nowhere, or not known yet."""
    if deliveries:
        at = min(row.created_at for row in deliveries)
        return [Step("planned", "info", at, deliveries, "planned")]
    kind = "nowhere" if event.planned else "unplanned"
    return [Step(kind, "off" if event.planned else "warn", event.created_at, event, "planned")]


def _letter(row: Any) -> list[Step]:
    """Its death, and what became of the dead letter since."""
    steps = [Step("died", "bad", row.died_at, row, f"died{row.id}")]
    if row.state in LETTER_TONES:
        tone = LETTER_TONES[row.state]
        steps.append(Step(row.state, tone, row.changed_at, row, f"state{row.id}"))
    return steps
