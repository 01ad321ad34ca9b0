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
from app.messages.rules.ticks import state_of
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
    # What its answer left, in words, and how far its message has come ('' for none).
    left: tuple[str, ...] = ()
    ticks: str = ""
    message_id: int | None = None


def steps_of(c: Connection, event_id: int) -> Sequence[StepSeen]:
    """The steps that follow an event, in their order."""
    query = (
        select(
            AutomationStep.__table__, Delivery.output, Message.id.label("written"),
            Message.channel, WhatsAppMessage.id.label("told"), *TICKS,
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
    return StepSeen(
        row.step, _label(row.flow, row.step), row.state, row.note, row.due_at, row.delivery_id,
        row.created_at, row.finished_at, in_words(row.output), state_of(row) if row.told else "",
        row.written,
    )  # fmt: skip


def _label(flow_name: str, step_name: str) -> str:
    """The step in words; its name where a later release no longer has it."""
    flow = BY_NAME.get(flow_name)
    step = flow.step(step_name) if flow else None
    return step.label if step else step_name
