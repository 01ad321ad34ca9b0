"""What a procedure is made of; all of it is pure over a scene (the live data of the moment)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app import clock
from app.monitoring.rules.snapshot import Snapshot

Result = Literal["pass", "fail", "unknown"]
PASS: Literal["pass"] = "pass"  # noqa: S105
FAIL: Literal["fail"] = "fail"
UNKNOWN: Literal["unknown"] = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the data says about a step, in words; unknown: a person has to say.

    `loud`: worse than not done yet; it is said on top of the run, as an alert.
    """

    result: Result
    text: str
    loud: bool = False

    def as_data(self) -> dict[str, str]:
        """As it is stored."""
        return {"result": self.result, "text": self.text}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to look at; `at` (ms) instead of a value is shown as a time."""

    label: str
    value: str = ""
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A page that shows more."""

    label: str
    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Curl:
    """The same as an action for a terminal."""

    method: str
    path: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """A button: the deed it does (see deeds), with what, and in what words."""

    deed: str
    label: str = ""
    fields: Mapping[str, str | int] = field(default_factory=dict)
    curl: Curl | None = None
    hint: str = ""

    @property
    def id(self) -> str:
        """Stable on the page."""
        return "-".join([self.deed, *(str(value) for value in self.fields.values())])


@dataclass(frozen=True, slots=True)
class Did:
    """The last time a deed was done in the run, and what came of it."""

    at: int
    by: str
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the steps look at. `data`: what the procedure's own reads found, by name."""

    seen: Snapshot
    started_at: int
    subject: str = ""
    did: Mapping[str, Did] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """The moment of the scene (ms)."""
        return self.seen.now


def nothing(_: Scene) -> Sequence[Any]:
    """A step without facts or actions."""
    return ()


def by_person(_: Scene) -> Verdict:
    """A step of which only a person can say that it is done."""
    return Verdict(UNKNOWN, "Só você pode dizer: marque quando terminar.")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: why, what to look at, what to do, what shows that it worked.

    `panel` is a template with more than facts; `otherwise` says what comes when it did not help.
    """

    key: str
    title: str
    why: str
    check: Callable[[Scene], Verdict] = by_person
    look: Callable[[Scene], Sequence[Fact]] = nothing
    acts: Callable[[Scene], Sequence[Act]] = nothing
    links: Callable[[Scene], Sequence[Link]] = nothing
    panel: str = ""
    otherwise: str = ""
    done: str = "Feito"


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure of the runbook; `minutes` is its estimated time.

    `happening` says in a snapshot what of it is the case now ('' for nothing); `about` the same
    of what a run is about. `audit`: first words of the actions that belong into its report.
    """

    key: str
    section: str
    title: str
    symptom: str
    impact: str
    minutes: tuple[int, int]
    steps: tuple[Step, ...]
    happening: Callable[[Snapshot], str] = lambda _: ""
    alerts: tuple[str, ...] = ()
    audit: tuple[str, ...] = ()
    unsolved: str = "Escalone ao Desenvolvimento (nível 2): dev@carinho.com.vc."
    about: Callable[[Scene], str] | None = None

    def step(self, key: str) -> Step | None:
        """A step by its key."""
        return next((step for step in self.steps if step.key == key), None)


def number(value: float) -> str:
    """1.234 or 5,6, as people write it here."""
    text = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,"))


def count(n: int, one: str, many: str) -> str:
    """1 mensagem, 1.234 mensagens."""
    return f"{number(n)} {one if n == 1 else many}"


def minutes(ms: int) -> str:
    """A length of time in words."""
    whole = max(ms, 0) // clock.MINUTE
    return f"{whole} min" if whole else f"{max(ms, 0) // clock.SECOND} s"
