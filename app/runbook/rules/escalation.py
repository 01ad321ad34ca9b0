"""When an incident goes to the next level (runbook § 5), by the rules frozen at its start."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from app import clock

OPERATION, DEVELOPMENT, MANAGEMENT = 1, 2, 3
NAMES = {OPERATION: "Operação", DEVELOPMENT: "Desenvolvimento", MANAGEMENT: "Gestão"}
SHORTEST, LONGEST = 1, 24 * 60
PERSISTS, UNAVAILABLE, IDLE = "persists", "unavailable", "idle"


@dataclass(frozen=True, slots=True)
class Rules:
    """Minutes: open until level 2, unavailable until level 3, taken on but idle until the next."""

    persists: int = 30
    unavailable: int = 60
    idle: int = 30

    def as_json(self) -> str:
        """As an incident keeps them."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, stored: str) -> Rules:
        """The rules an incident has kept."""
        return cls(**json.loads(stored))

    def problems(self) -> dict[str, list[str]]:
        """What is wrong, by field."""
        text = f"deve ser de {SHORTEST} a {LONGEST} minutos"
        return {name: [text] for name, n in asdict(self).items() if not SHORTEST <= n <= LONGEST}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules look at; times in ms. `answered`: the level that was called has taken it."""

    level: int
    counted_from: int
    touched_at: int
    answered: bool
    unavailable_since: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """An escalation to come: `key` happens once in an incident, `at` is its time (ms)."""

    key: str
    why: str
    to_level: int
    at: int


def next_step(standing: Standing, rules: Rules, done: frozenset[str] = frozenset()) -> Step | None:
    """The first escalation to come if nothing changes; None when there is none left."""
    steps = [step for step in _steps(standing, rules) if step.key not in done]
    return min(steps, key=lambda step: step.at, default=None)


def _steps(now: Standing, rules: Rules) -> list[Step]:
    found = []
    if now.level == OPERATION:
        at = now.counted_from + rules.persists * clock.MINUTE
        found.append(Step("1-2", PERSISTS, DEVELOPMENT, at))
    if now.level == DEVELOPMENT and now.unavailable_since is not None:
        at = now.unavailable_since + rules.unavailable * clock.MINUTE
        found.append(Step("2-3", UNAVAILABLE, MANAGEMENT, at))
    if now.answered:
        at = now.touched_at + rules.idle * clock.MINUTE
        found.append(Step(f"idle:{now.touched_at}", IDLE, min(now.level + 1, MANAGEMENT), at))
    return found


def reason(step: Step, rules: Rules) -> str:
    """Why it went up, in words."""
    return {
        PERSISTS: f"O problema persiste há mais de {rules.persists} minutos.",
        UNAVAILABLE: f"O sistema está indisponível há mais de {rules.unavailable} minutos.",
        IDLE: f"Alguém assumiu, mas nada foi registrado há {rules.idle} minutos.",
    }[step.why]
