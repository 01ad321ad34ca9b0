"""Reads of the automations: which are on, and the steps of an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select
from sqlalchemy.engine import Connection

from app import clock
from app.automations.models import Automation, AutomationStep
from app.automations.rules.flows import BY_NAME
from app.automations.rules.words import in_words
from app.deliveries.models import Delivery
from app.messages.models import Message, WhatsAppMessage
from app.messages.rules.log import words_in
from app.messages.rules.ticks import marks_of, state_of
from app.paging import AnyRow

KEPT_SECONDS = 1.0

_kept: WeakKeyDictionary[Engine, tuple[float, frozenset[str]]] = WeakKeyDictionary()


def active_flows(c: Connection) -> frozenset[str]:
    """Names of the automations that are on, at most a second old."""
    kept = _kept.get(c.engine)
    if kept is not None and clock.monotonic() - kept[0] < KEPT_SECONDS:
        return kept[1]
    found = frozenset(c.scalars(select(Automation.name).where(Automation.active.is_(True))))
    _kept[c.engine] = (clock.monotonic(), found)
    return found


def forget_active() -> None:
    """Read anew the next time; after the commit of a change."""
    _kept.clear()


@dataclass(frozen=True, slots=True)
class StepSeen:
    """A step as an event's page shows it; times in ms."""

    name: str
    label: str
    state: str
    note: str
    due_at: int | None
    delivery_id: int | None
    created_at: int
    finished_at: int | None
    flow: str = ""
    # What its answer left, in words.
    left: tuple[str, ...] = ()
    # Its message: what it says (personal), how far it has come ('' for none), when it came so far.
    words: str = ""
    ticks: str = ""
    marks: tuple[tuple[str, int], ...] = ()
    message_id: int | None = None


def steps_of(c: Connection, event_id: int) -> Sequence[StepSeen]:
    """The steps that follow an event, in their order."""
    query = (
        select(
            AutomationStep.__table__, Delivery.output, Delivery.body,
            Message.id.label("written"), Message.channel, Message.direction,
            WhatsAppMessage.id.label("told"), *TICKS,
        )
        .outerjoin(Delivery, Delivery.id == AutomationStep.delivery_id)
        .outerjoin(Message, Message.delivery_id == AutomationStep.delivery_id)
        .outerjoin(WhatsAppMessage, WhatsAppMessage.delivery_id == AutomationStep.delivery_id)
        .where(AutomationStep.event_id == event_id)
    )  # fmt: skip
    return [_seen(row) for row in c.execute(query.order_by(AutomationStep.id))]


TICKS = (
    WhatsAppMessage.sent_at, WhatsAppMessage.received_at, WhatsAppMessage.read_at,
    WhatsAppMessage.failed_at,
)  # fmt: skip


def _seen(row: AnyRow) -> StepSeen:
    """A row of the query as the page shows it."""
    flow = BY_NAME.get(row.flow)
    step = flow.step(row.step) if flow else None
    return StepSeen(
        name=row.step,
        # Names where a later release no longer has the step.
        label=step.label if step else row.step,
        flow=flow.label if flow else row.flow,
        state=row.state,
        note=row.note,
        due_at=row.due_at,
        delivery_id=row.delivery_id,
        created_at=row.created_at,
        finished_at=row.finished_at,
        left=in_words(row.output),
        words=words_in(row.channel, row.direction, row.body) if row.written else "",
        ticks=state_of(row) if row.told else "",
        marks=marks_of(row) if row.told else (),
        message_id=row.written,
    )
