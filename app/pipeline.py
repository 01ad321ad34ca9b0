"""The map of the system: what follows each fact, which job answers which bell, what the clock does.

Followers are named by dotted path, so that this room knows no domain; `resolve` checks all of
them when the application starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from app import clock, facts, queues
from app.schedules import HOURLY, Schedule

if TYPE_CHECKING:
    from app.db import Tx

# fact -> functions (tx, fact) that write in the same transaction
WITHIN: dict[type[facts.Fact], tuple[str, ...]] = {
    facts.EventsAccepted: ("app.deliveries.actions.plan:plan_accepted",),
}

# fact -> queues whose bell rings once the transaction is committed
RINGS: dict[type[facts.Fact], Callable[[Any], Iterable[str]]] = {
    facts.EventsPending: lambda _: (queues.DEFAULT,),
    facts.DeliveriesDue: lambda fact: fact.queues,
    facts.BulkAsked: lambda _: (queues.RETRY,),
}

# queue -> the job its bell stands for; this is also the list of all that a worker will run
JOBS: dict[str, str] = {
    queues.HIGH: "app.deliveries.jobs.drain",
    queues.DEFAULT: "app.deliveries.jobs.drain",
    queues.NOTIFICATIONS: "app.deliveries.jobs.drain",
    queues.LOW: "app.deliveries.jobs.drain",
    queues.RETRY: "app.deliveries.jobs.drain",
}

# What a worker does on a queue without a bell, and the engine it owns
WORK = "app.deliveries.jobs:work"
ENGINE = "app.deliveries.jobs.engine:engine"


@dataclass(frozen=True, slots=True)
class Tick:
    """Work of the clock: the function runs in the scheduler every `every` ms."""

    name: str
    every: int
    function: str


# every: ms; each function is safe to run in two schedulers at once
CLOCK: tuple[Tick, ...] = (
    Tick("due", 100, "app.deliveries.jobs:ring_due"),
    Tick("repair", 2 * clock.SECOND, "app.deliveries.jobs:repair"),
    Tick("fold", clock.SECOND, "app.monitoring.jobs:fold"),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """Work at times of day in the operation's zone, each slot once (see slots)."""

    name: str
    schedule: Schedule
    function: str


SLOTS: tuple[Slot, ...] = (
    Slot("cleanup", Schedule(("03:10",)), "app.monitoring.jobs:cleanup"),
    Slot("forget", HOURLY, "app.monitoring.jobs:forget"),
)

# The job rq-scheduler queues each minute: it runs the slots whose time has come.
MINUTE_ID = "hub-minute"
MINUTE_JOB = "app.monitoring.jobs.minute"


def allowed_jobs() -> frozenset[str]:
    """Names of the functions a worker will run; anything else in Redis is not ours."""
    return frozenset({*JOBS.values(), MINUTE_JOB})


@cache
def resolve(path: str) -> Callable[..., Any]:
    """The function a dotted path names; a wrong path is an error at start, not at night."""
    module, _, name = path.replace(":", ".").rpartition(".")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


def check() -> None:
    """Resolve every path of the map."""
    for path in (*(p for ps in WITHIN.values() for p in ps), *JOBS.values()):
        resolve(path)
    timed = (*(t.function for t in CLOCK), *(s.function for s in SLOTS))
    for path in (*timed, MINUTE_JOB, WORK, ENGINE):
        resolve(path)


def within(tx: Tx, fact: facts.Fact) -> None:
    """Run the followers that belong to the same transaction."""
    for path in WITHIN.get(type(fact), ()):
        resolve(path)(tx, fact)


def after_commit(told: Iterable[facts.Fact]) -> None:
    """Ring the bells of what was committed; a bell that cannot ring is no error (see repair)."""
    for fact in told:
        if (rings := RINGS.get(type(fact))) is not None:
            for queue in rings(fact):
                queues.ring(queue)
