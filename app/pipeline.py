"""The map of the system: what follows each fact, which job answers which bell, what the clock does.

Followers are named by dotted path, so that this room knows no domain; `resolve` checks all of
them when the application starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from app import clock, facts, queues
from app.schedules import HOURLY, Schedule, every

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy import Connection

    from app.db import Tx

# fact -> functions (tx, fact) that write in the same transaction
WITHIN: dict[type[facts.Fact], tuple[str, ...]] = {
    # Automations first: an event that nothing is routed from may still have steps.
    facts.EventsAccepted: (
        "app.messages.actions.follow:note_accepted",
        "app.automations.actions.follow:begin",
        "app.monitoring.actions.notify:deliver",
        "app.deliveries.actions.plan:plan_accepted",
    ),
    facts.DeliveriesSent: (
        "app.messages.actions.follow:note_sent",
        "app.automations.actions.follow:sent",
        "app.syncs.actions.follow:on_sent",
    ),
    facts.DeliveriesRetried: ("app.syncs.actions.follow:on_retried",),
    facts.DeliveriesDied: (
        "app.automations.actions.follow:died",
        "app.syncs.actions.follow:on_died",
    ),
    facts.AlertRaised: (
        "app.monitoring.actions.notify:raised",
        "app.runbook.actions.follow:alert_raised",
    ),
    facts.AlertMoved: (
        "app.monitoring.actions.notify:moved",
        "app.runbook.actions.follow:alert_moved",
    ),
    facts.AlertAwake: (
        "app.monitoring.actions.notify:awake",
        "app.runbook.actions.follow:alert_awake",
    ),
    facts.AlertClosed: (
        "app.monitoring.actions.notify:closed",
        "app.runbook.actions.follow:alert_closed",
    ),
}

# function (connection, events) -> what leaves the hub for each event, by its id; asked before the
# events are written, so that they are written once, with what they wait for
PLANNER = "app.deliveries.actions.plan:plans"

# fact -> queues whose bell rings once the transaction is committed
RINGS: dict[type[facts.Fact], Callable[[Any], Iterable[str]]] = {
    facts.EventsPending: lambda _: (queues.DEFAULT,),
    facts.DeliveriesDue: lambda fact: fact.queues,
    facts.BulkAsked: lambda _: (queues.RETRY,),
    facts.SyncAsked: lambda _: (queues.LOW,),
}

# queue -> the job its bell stands for; this is also the list of all that a worker will run
JOBS: dict[str, str] = {
    queues.HIGH: "app.deliveries.jobs.drain",
    queues.DEFAULT: "app.deliveries.jobs.drain",
    queues.NOTIFICATIONS: "app.deliveries.jobs.drain",
    queues.LOW: "app.deliveries.jobs.drain",
    queues.RETRY: "app.deliveries.jobs.drain",
}

# queue -> function () -> bool (is there more) that a worker calls before it sends what is due
FIRST: dict[str, str] = {queues.LOW: "app.syncs.jobs:work"}

# function (connection, event_id) -> the steps that follow an event, for its page
STEPS_OF = "app.automations.queries:steps_of"

# What a worker does on a queue without a bell, and the engine it owns
WORK = "app.deliveries.jobs:work"
ENGINE = "app.deliveries.jobs.engine:engine"


# What each worker calls now and then: it looks after the alerts while no scheduler is heard of.
STAND_IN = "app.monitoring.jobs:stand_in"

# What workers with little to do look at twice a second, so that rows of a dead worker come back
# at the end of their lease even if the scheduler died, too.
FREE_LOST = "app.deliveries.jobs:free_lost"

# kind of delivery -> function (claimed row) -> Answer; it may block (see deliveries.jobs.carriers)
SENDERS: dict[str, str] = {
    "whatsapp": "app.messages.actions.send_whatsapp:send",
    "email": "app.messages.actions.send_email:send",
    "avisos": "app.monitoring.actions.send_notice:send",
}


# functions (connection, now) -> alerts of domains that stand after monitoring; looked at with each
# snapshot, so they cost one indexed read
ALERTS: tuple[str, ...] = (
    "app.runbook.queries.late:late_alerts",
    "app.runbook.queries.incidents:called_alerts",
)


# endpoint of the navigation -> function (connection) -> the number that stands beside it; one
# indexed read each
NAV_COUNTS: dict[str, str] = {"runbook.incidents": "app.runbook.queries.incidents:open_count"}


@dataclass(frozen=True, slots=True)
class Tick:
    """Work of the clock: the function runs in the scheduler every `every` ms."""

    name: str
    every: int
    function: str


# every: ms; each function is safe to run in two schedulers at once
CLOCK: tuple[Tick, ...] = (
    Tick("due", 100, "app.deliveries.jobs:ring_due"),
    Tick("repair", 500, "app.deliveries.jobs:repair"),
    Tick("fold", clock.SECOND, "app.monitoring.jobs:fold"),
    Tick("watch", 10 * clock.SECOND, "app.monitoring.jobs:watch"),
    Tick("sample", 10 * clock.SECOND, "app.monitoring.jobs:sample"),
    Tick("scale", 5 * clock.SECOND, "app.monitoring.jobs:scale"),
    Tick("syncs", clock.SECOND, "app.syncs.jobs:sweep"),
    Tick("steps", 250, "app.automations.jobs:wake"),
    Tick("whatsapp", clock.MINUTE, "app.messages.jobs:watch"),
    Tick("escalate", clock.SECOND, "app.runbook.jobs:escalate"),
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
    # Weekly: each night it looks whether the newest backup is a week old.
    Slot("backup", Schedule(("02:30",)), "app.runbook.actions.procedures.backups:weekly"),
    Slot("cleanup-messages", Schedule(("03:20",)), "app.messages.jobs:cleanup"),
    Slot("cleanup-steps", Schedule(("03:25",)), "app.automations.jobs:cleanup"),
    Slot("checklist", Schedule(("08:00", "18:00")), "app.runbook.jobs:open_checklist"),
    Slot("sync-crm-operacao", HOURLY, "app.syncs.jobs:crm_operacao"),
    Slot("sync-operacao-financeiro", Schedule(("23:00",)), "app.syncs.jobs:operacao_financeiro"),
    Slot(
        "sync-crm-financeiro",
        Schedule(("06:00", "18:00"), late_ms=11 * clock.HOUR),
        "app.syncs.jobs:crm_financeiro",
    ),
    Slot("sync-cuidadores-crm", every(4), "app.syncs.jobs:cuidadores_crm"),
)

# The job rq-scheduler queues each minute: it runs the slots whose time has come.
MINUTE_ID = "hub-minute"
MINUTE_JOB = "app.monitoring.jobs.minute"


def allowed_jobs() -> frozenset[str]:
    """Names of the functions a worker will run; anything else in Redis is not ours."""
    return frozenset({*JOBS.values(), MINUTE_JOB})


def init_app(app: Flask) -> None:
    """Give the application its bells."""
    queues.init_app(app, JOBS)


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
    senders = (*SENDERS.values(), *FIRST.values(), *NAV_COUNTS.values(), PLANNER)
    of_workers = (STAND_IN, FREE_LOST, WORK, ENGINE)
    for path in (*timed, *senders, *ALERTS, *of_workers, STEPS_OF, MINUTE_JOB):
        resolve(path)


def plans(c: Connection, events: Sequence[facts.AcceptedEvent]) -> dict[int, Sequence[Any]]:
    """What leaves the hub for each event; one that cannot be planned now is missing."""
    found: dict[int, Sequence[Any]] = resolve(PLANNER)(c, events)
    return found


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
