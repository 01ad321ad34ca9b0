"""What an automation is made of: steps, what each needs, and what it does when its turn comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from app.deliveries.rules.call import Call
from app.messages.rules.phones import normalise

LONGEST_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Context:
    """What a step may look at: the event, what earlier steps left, what was looked up for it."""

    event_id: int
    source: str
    payload: Mapping[str, Any]
    created_at: int
    now: int
    zone: ZoneInfo
    left: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    found: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field of the event as text; '' where it is missing or holds something else."""
        value = self.payload.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return ""
        return str(value).strip()[:LONGEST_TEXT]

    def flag(self, name: str) -> bool:
        """A field of the event as yes or no."""
        return self.payload.get(name) in (True, "true", "1", 1)

    def phone(self, name: str) -> str:
        """A field of the event as a normalised phone, '' for what is none."""
        return normalise(self.text(name))

    def given(self, *names: str) -> dict[str, Any]:
        """These fields as they came, without the empty ones."""
        values = {name: self.payload.get(name) for name in names}
        return {name: value for name, value in values.items() if value not in (None, "")}

    def output(self, step: str, name: str) -> Any:
        """What an earlier step left under a name, else None."""
        return self.left.get(step, {}).get(name)


@dataclass(frozen=True, slots=True)
class CallSystem:
    """A call to the API of a system. `once` names the cause: it is never done twice for it."""

    system: str
    call: Call
    once: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """A WhatsApp message made of a template; buttons are (id, label).

    What is not urgent waits for the end of the quiet hours.
    """

    phone: str
    template: str
    values: Mapping[str, object]
    urgent: bool = False
    buttons: Sequence[tuple[str, str]] = ()
    once: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """An e-mail made of a template; with `link_to` it carries the feedback link of that service."""

    to: str
    template: str
    values: Mapping[str, object]
    feedback_link: bool = False
    once: str = ""


@dataclass(frozen=True, slots=True)
class Tell:
    """A new event of the hub's own, stored once for its key."""

    event_type: str
    source: str
    payload: Mapping[str, Any]
    key: str


Deed = CallSystem | Say | Write | Tell


@dataclass(frozen=True, slots=True)
class When:
    """A condition, and what the timeline says where it does not hold."""

    holds: Callable[[Context], bool]
    otherwise: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    It starts when all of `needs` are done (or had nothing to do), `delay` ms after the event at
    the earliest, and if every `when` holds. Steps with the same `lane` belong to one event at a
    time; one that only `looks` is done anew where others had the lane after it. `looks_up` names
    what is read from the database for it.
    """

    name: str
    label: str
    deed: Callable[[Context], Deed]
    needs: tuple[str, ...] = ()
    when: tuple[When, ...] = ()
    delay: int = 0
    lane: Callable[[Context], str] | None = None
    looks: bool = False
    looks_up: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """What follows one type of event."""

    name: str
    label: str
    event_type: str
    steps: tuple[Step, ...]

    def step(self, name: str) -> Step | None:
        """A step by its name; None for one that a later release no longer has."""
        return next((step for step in self.steps if step.name == name), None)
