"""Tables of everything that leaves the hub: deliveries, their attempts, dead letters, bulk work."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId
from app.events.models import Bytes

PENDING, SENT, FAILED = "pending", "sent", "failed"
STATUSES = (PENDING, SENT, FAILED)
OPEN, RETRYING, RESOLVED, ARCHIVED = "open", "retrying", "resolved", "archived"
DEAD_LETTER_STATES = (OPEN, RETRYING, RESOLVED, ARCHIVED)
# Kinds of delivery: what a route sends, a call to a system's API, and messages to people.
WEBHOOK, CALL, WHATSAPP, EMAIL = "webhook", "call", "whatsapp", "email"


def _partial(name: str, columns: tuple[str, ...], where: str) -> Index:
    """An index of some rows; MariaDB, which has none such, indexes all of them."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class Delivery(Base):
    """One message to one system.

    `due_at` is when it may be claimed; a claim moves it to the end of the lease, so a row whose
    worker died is due again by itself. `set_at` is when `due_at` was decided: a row decided in
    the future was written by a clock that stepped and counts as due.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # Only rows that wait: a claim and an outcome each write to one index less.
        _partial(
            "ix_deliveries_due",
            ("status", "queue", "system", "crashes", "due_at"),
            "status = 'pending' AND lease IS NULL",
        ),
        _partial("ix_deliveries_set", ("status", "set_at"), "status = 'pending'"),
        # Only rows in flight: what a dead worker held is found without reading the backlog.
        _partial("ix_deliveries_leased", ("due_at",), "lease IS NOT NULL"),
        Index("ix_deliveries_event", "event_id"),
        Index("ix_deliveries_created", "created_at", "id"),
        _partial("ix_deliveries_lane", ("lane", "status", "id"), "lane IS NOT NULL"),
        UniqueConstraint("dedupe"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("integration_events.id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20), default="webhook")
    # Rows of one lane leave one after another, in the order in which they were written.
    lane: Mapped[str | None] = mapped_column(String(80))
    # Names the cause: there is never a second row for it.
    dedupe: Mapped[str | None] = mapped_column(String(160))
    # The step of an automation that this is, '' for what routes send.
    step: Mapped[str] = mapped_column(String(80), default="")
    # JSON that the answer left for later steps.
    output: Mapped[str | None] = mapped_column(Text)
    system: Mapped[str] = mapped_column(String(40))
    endpoint_id: Mapped[int | None] = mapped_column(BigInteger)
    mapping_version: Mapped[str] = mapped_column(String(20), default="")
    queue: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(12), default=PENDING)
    body: Mapped[bytes] = mapped_column(Bytes)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    # Attempts already made when a person last asked for a retry: the allowance starts anew.
    attempts_before: Mapped[int] = mapped_column(Integer, default=0)
    crashes: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[int] = mapped_column(BigInteger)
    set_at: Mapped[int] = mapped_column(BigInteger)
    lease: Mapped[str | None] = mapped_column(String(40))
    # 1 while the attempt under way is the probe of a half-open breaker.
    probe: Mapped[int] = mapped_column(Integer, default=0)
    asked_by: Mapped[str] = mapped_column(String(120), default="")
    last_status: Mapped[int | None] = mapped_column(Integer)
    last_error: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)


# In so many words, not as a value: only so is it known that an index of pending rows will do.
IS_PENDING: ColumnElement[bool] = Delivery.status == literal_column(f"'{PENDING}'")

# A delivery as it begins, for writes past the ORM, which know no defaults.
FRESH: dict[str, Any] = {
    "lane": None, "dedupe": None, "step": "", "output": None, "endpoint_id": None,
    "mapping_version": "", "status": PENDING, "attempts": 0, "attempts_before": 0, "crashes": 0,
    "lease": None, "probe": 0, "asked_by": "", "last_status": None, "last_error": "",
    "finished_at": None,
}  # fmt: skip


class Attempt(Base):
    """One try of a delivery, as it went over the wire; never changed afterwards.

    The body sent is the delivery's (the same bytes on every try); headers carry no secret.
    """

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_delivery", "delivery_id", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)
    url: Mapped[str] = mapped_column(String(500))
    started_at: Mapped[int] = mapped_column(BigInteger)
    latency_ms: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(12))
    status: Mapped[int | None] = mapped_column(Integer)
    error_class: Mapped[str] = mapped_column(String(30), default="")
    error: Mapped[str] = mapped_column(String(500), default="")
    request_headers: Mapped[str] = mapped_column(Text)
    response_body: Mapped[bytes] = mapped_column(Bytes)
    asked_by: Mapped[str] = mapped_column(String(120), default="")
    worker: Mapped[str] = mapped_column(String(80), default="")


class DeadLetter(Base):
    """A delivery that was given up; one row a delivery, however often it dies.

    open: wants a decision · retrying: on its way again · resolved: got through after all ·
    archived: put aside by a person, out of every count.
    """

    __tablename__ = "dead_letters"
    __table_args__ = (
        UniqueConstraint("delivery_id"),
        Index("ix_dead_letters_state", "state", "died_at", "id"),
        Index("ix_dead_letters_state_cause", "state", "cause", "died_at", "id"),
        Index("ix_dead_letters_state_type", "state", "event_type", "died_at", "id"),
        Index("ix_dead_letters_state_system", "state", "system", "died_at", "id"),
        Index("ix_dead_letters_event", "event_id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(BigInteger)
    event_type: Mapped[str] = mapped_column(String(80))
    source_system: Mapped[str] = mapped_column(String(40))
    system: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12), default=OPEN)
    cause: Mapped[str] = mapped_column(String(40))
    error_class: Mapped[str] = mapped_column(String(30))
    status: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(500))
    attempts: Mapped[int] = mapped_column(Integer)
    deaths: Mapped[int] = mapped_column(Integer, default=1)
    died_at: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str] = mapped_column(String(120), default="")
    note: Mapped[str] = mapped_column(String(500), default="")


def is_now(state: str) -> ColumnElement[bool]:
    """Whether a letter found by its id, or by its delivery's, is in the state.

    SQLite would rather read all letters of the state than look up some hundred ids; the function
    keeps that index out of the choice.
    """
    return func.coalesce(DeadLetter.state, "") == state


class Cause(Base):
    """Why messages died: system, HTTP status, class and the message without its numbers."""

    __tablename__ = "causes"
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    system: Mapped[str] = mapped_column(String(40))
    status: Mapped[int | None] = mapped_column(Integer)
    error_class: Mapped[str] = mapped_column(String(30))
    message: Mapped[str] = mapped_column(String(500))
    first_at: Mapped[int] = mapped_column(BigInteger)


class Bulk(Base):
    """Work on many dead letters: the filter and its bound are frozen when it is asked for."""

    __tablename__ = "bulks"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    action: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12), default="queued")
    filter: Mapped[str] = mapped_column(Text)
    bound_id: Mapped[int] = mapped_column(BigInteger)
    bound_at: Mapped[int] = mapped_column(BigInteger)
    # Letters are gone through by the time of their death, then by id: how far that is done.
    done_at: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    done_up_to: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer, default=0)
    skipped: Mapped[int] = mapped_column(Integer, default=0)
    # {reason: how many letters could not be sent for it} as JSON.
    problems: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str] = mapped_column(String(500), default="")
    asked_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)
    # A careful one lets out one message, then three, then more, and stops by itself on a relapse.
    careful: Mapped[bool] = mapped_column(Boolean, default=False)
    stopped: Mapped[str] = mapped_column(String(300), default="")


class BulkLetter(Base):
    """A letter that a careful bulk let out; `attempts` were made before."""

    __tablename__ = "bulk_letters"
    bulk_id: Mapped[int] = mapped_column(
        ForeignKey("bulks.id", ondelete="CASCADE"), primary_key=True
    )
    letter_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    attempts: Mapped[int] = mapped_column(Integer)


class FormerBody(Base):
    """What a delivery would have sent before a person corrected it; never changed."""

    __tablename__ = "former_bodies"
    __table_args__ = (Index("ix_former_bodies_delivery", "delivery_id", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    at: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(120))
    why: Mapped[str] = mapped_column(String(500), default="")
    mapping_version: Mapped[str] = mapped_column(String(20), default="")
    body: Mapped[bytes] = mapped_column(Bytes)
