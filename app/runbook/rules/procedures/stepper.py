"""Where a run stands: what people said and what the data says, put together; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app import clock
from app.runbook.rules.procedures.shape import (
    PASS,
    Act,
    Did,
    Fact,
    Link,
    Procedure,
    Scene,
    Step,
    Verdict,
)

State = Literal["done", "passed", "skipped", "unsolved", "current", "waiting"]
SAID = ("done", "skipped", "unsolved", "reopened")
SETTLED = ("done", "passed", "skipped", "unsolved")


@dataclass(frozen=True, slots=True)
class Standing:
    """One step as the page shows it; facts, acts and links only where it is looked at."""

    step: Step
    number: int
    state: State
    verdict: Verdict
    facts: Sequence[Fact]
    acts: Sequence[Act]
    links: Sequence[Link]
    said: Any | None

    @property
    def tone(self) -> str:
        """Shape and colour."""
        tones = {"done": "ok", "passed": "ok", "skipped": "off", "unsolved": "bad"}
        return tones.get(self.state, "info" if self.state == "current" else "off")


def did(entries: Iterable[Any], load: Any) -> dict[str, Did]:
    """The last time of each deed; `load` reads its stored result."""
    return {e.deed: Did(e.at, e.by, load(e.evidence_json)) for e in entries if e.kind == "deed"}


def said(entries: Iterable[Any]) -> dict[str, Any]:
    """What people said last about each step; reopened ones are as if nobody had."""
    found = {e.step: e for e in entries if e.kind in SAID}
    return {step: entry for step, entry in found.items() if entry.kind != "reopened"}


def stand(procedure: Procedure, scene: Scene, told: Mapping[str, Any]) -> list[Standing]:
    """All steps; the first that neither data nor a person settled is the current one."""
    found: list[Standing] = []
    is_found = False
    for number, step in enumerate(procedure.steps, 1):
        verdict, entry = step.check(scene), told.get(step.key)
        state: State = "waiting"
        if entry is not None:
            state = entry.kind
        elif not is_found:
            state = "passed" if verdict.result == PASS else "current"
        is_found = is_found or state == "current"
        found.append(
            Standing(
                step, number, state, verdict, step.look(scene), step.acts(scene),
                step.links(scene), entry,
            )
        )  # fmt: skip
    return found


def current(steps: Sequence[Standing]) -> Standing | None:
    """The step to work on; None when all are settled."""
    return next((one for one in steps if one.state == "current"), None)


def is_solved(steps: Sequence[Standing]) -> bool:
    """Whether all steps are settled and the last says that it worked."""
    return current(steps) is None and steps[-1].state in ("done", "passed")


def is_over_time(procedure: Procedure, started_at: int, now: int) -> bool:
    """Whether the estimated time has passed."""
    return now - started_at > procedure.minutes[1] * clock.MINUTE
