"""Deeds: what a step does becomes a delivery, a new event, or the reason why it does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING

from flask import current_app

from app import queues
from app.automations.rules.step import CallSystem, Deed, Say, Step, Tell, Write
from app.config import Settings
from app.db import Tx
from app.deliveries.actions.add import New, add
from app.deliveries.models import CALL, EMAIL, WHATSAPP
from app.errors import NotFound
from app.events.actions.intake import accept_within
from app.events.rules import Accepted, new_event
from app.messages.actions.feedback import link_for
from app.messages.actions.note import note_out
from app.messages.queries import texts
from app.messages.rules import bodies
from app.messages.rules.mail import Mail
from app.messages.rules.quiet import next_allowed
from app.messages.rules.templates import Words, fill
from app.messages.zapi import is_on
from app.paging import AnyRow
from app.payloads import dump_json

if TYPE_CHECKING:
    from app.automations.actions.steps import Steps

ALREADY = "já foi feito por outro evento"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A delivery, a time to wait for (ms), or a note why nothing is done; nothing of it: done.

    `told` says what was done on the spot.
    """

    delivery_id: int | None = None
    until: int | None = None
    note: str = ""
    fault: bool = False
    told: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, for whom, and when."""

    tx: Tx
    steps: Steps
    step: Step
    now: int

    def add(
        self, kind: str, system: str, queue: str, body: bytes, *, lane: str | None, once: str
    ) -> Outcome:
        """Write the delivery; a cause that was served already is skipped."""
        event = self.steps.event
        new = New(
            event.id, event.event_type, kind, system, queue, body, self.step.name, lane,
            once[:160] or f"step:{event.id}:{self.step.name}", self.steps.is_held(self.step),
        )  # fmt: skip
        made = add(self.tx, new, self.now)
        return Outcome(note=ALREADY) if made is None else Outcome(delivery_id=made)

    def send(
        self, body: bytes, template: AnyRow, address: str, *, lane: str | None, once: str
    ) -> Outcome:
        """Write a message to a person as a delivery and into the list of messages."""
        channel = template.channel
        made = self.add(channel, channel, queues.NOTIFICATIONS, body, lane=lane, once=once)
        if made.delivery_id is not None:
            event_id = self.steps.event.id
            note_out(self.tx, made.delivery_id, event_id, template, address, self.now)
        return made


def perform(tx: Tx, steps: Steps, step: Step, deed: Deed, now: int) -> Outcome:
    """Do what the step says."""
    return _perform(deed, Order(tx, steps, step, now))


@singledispatch
def _perform(deed: object, order: Order) -> Outcome:
    """One function for each kind of deed."""
    raise TypeError(f"{order.step.name}: no such deed: {deed!r}")


@_perform.register
def _call(deed: CallSystem, order: Order) -> Outcome:
    body = deed.call.as_body()
    return order.add(CALL, deed.system, queues.DEFAULT, body, lane=None, once=deed.once)


@_perform.register
def _say(deed: Say, order: Order) -> Outcome:
    """A WhatsApp message, unless the channel is off, the person said no, or it is night."""
    settings: Settings = current_app.extensions["settings"]
    c = order.tx.connection
    if not is_on(settings):
        return Outcome(note="o WhatsApp não está configurado")
    if texts.opted_out(c, deed.phone):
        return Outcome(note="a pessoa pediu para não receber mensagens automáticas")
    quiet = texts.quiet_hours(c)
    if quiet and not deed.urgent:
        until = next_allowed(order.now, *quiet, settings.zone)
        if until > order.now:
            return Outcome(until=until)
    made = _words(order, deed.template, WHATSAPP, dict(deed.values))
    if made is None:
        return Outcome(note=f"o modelo {deed.template} não existe", fault=True)
    words = made[0]
    message = (
        bodies.buttons(deed.phone, words.text, deed.buttons)
        if deed.buttons
        else bodies.text(deed.phone, words.text)
    )
    lane = f"{WHATSAPP}:{deed.phone}"
    return order.send(message.as_body(), made[1], deed.phone, lane=lane, once=deed.once)


@_perform.register
def _write(deed: Write, order: Order) -> Outcome:
    """An e-mail, unless there is no server."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.smtp_host:
        return Outcome(note="o e-mail não está configurado (SMTP_HOST)")
    values = dict(deed.values)
    if deed.feedback_link:
        values["link"] = link_for(order.steps.event.id, order.now)
    made = _words(order, deed.template, EMAIL, values)
    if made is None:
        return Outcome(note=f"o modelo {deed.template} não existe", fault=True)
    words = made[0]
    body = Mail(deed.to, words.subject, words.text, words.html).as_body()
    return order.send(body, made[1], deed.to, lane=None, once=deed.once)


@_perform.register
def _tell(deed: Tell, order: Order) -> Outcome:
    """An event of our own, in the same transaction; a repeat gives the first one back."""
    event = new_event(
        deed.event_type, deed.source, dict(deed.payload), raw=dump_json(dict(deed.payload)),
        via=f"automation:{order.steps.flow.name}", key=deed.key,
    )  # fmt: skip
    (stored,) = accept_within(order.tx, [event])
    if not isinstance(stored, Accepted):
        return Outcome(note=ALREADY)
    return Outcome(told=f"virou o evento {stored.id}")


def _words(
    order: Order, key: str, channel: str, values: dict[str, object]
) -> tuple[Words, AnyRow] | None:
    """The message made of the template in use, and that template."""
    try:
        row = texts.newest(order.tx.connection, key, channel)
    except NotFound:
        return None
    return fill(texts.words_of(row), values), row
