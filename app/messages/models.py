"""Tables of the messages: templates, opt-outs, quiet hours, what was sent, the connection."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId


class MessageTemplate(Base):
    """One version of a text to clients; the newest of a key and channel is the one in use."""

    __tablename__ = "message_templates"
    __table_args__ = (UniqueConstraint("key", "channel", "version"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer)
    subject: Mapped[str] = mapped_column(String(200), default="")
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(120))


OUT, IN = "out", "in"


class OptOut(Base):
    """Somebody who wants no more automatic messages; `phone` is normalised."""

    __tablename__ = "opt_outs"
    phone: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(120))


class QuietHours(Base):
    """The one row that says when nobody is disturbed (`HH:MM` in the operation's zone)."""

    __tablename__ = "quiet_hours"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    starts: Mapped[str] = mapped_column(String(5))
    ends: Mapped[str] = mapped_column(String(5))


class Message(Base):
    """One message between the hub and a person, in the order in which they were written down.

    `address` is a phone (digits) or an e-mail. Out: `delivery_id`, and the template with its
    version. `started_at` is when a send began whose end nobody has seen (ms), `started_after` the
    delivery's attempts before a person last asked; both are empty again once the provider refused.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("delivery_id"),
        Index("ix_messages_address", "address", "id"),
        Index("ix_messages_template", "template", "id"),
        Index("ix_messages_event", "event_id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    direction: Mapped[str] = mapped_column(String(3))
    channel: Mapped[str] = mapped_column(String(12))
    address: Mapped[str] = mapped_column(String(254), default="")
    event_id: Mapped[int] = mapped_column(ForeignKey("integration_events.id", ondelete="CASCADE"))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    template: Mapped[str] = mapped_column(String(40), default="")
    version: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    started_after: Mapped[int | None] = mapped_column(Integer)


class WhatsAppMessage(Base):
    """A message the provider took; its ticks may be told before its delivery is recorded."""

    __tablename__ = "whatsapp_messages"
    __table_args__ = (
        UniqueConstraint("message_id"),
        UniqueConstraint("delivery_id"),
        Index("ix_whatsapp_messages_phone", "phone", "id"),
        Index("ix_whatsapp_messages_created", "created_at"),
        Index("ix_whatsapp_messages_told", "told_at"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    message_id: Mapped[str] = mapped_column(String(80))
    zaap_id: Mapped[str] = mapped_column(String(80), default="")
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    phone: Mapped[str] = mapped_column(String(20), default="")
    created_at: Mapped[int] = mapped_column(BigInteger)
    # When the provider's own callback said that a message of the hub left.
    told_at: Mapped[int | None] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    received_at: Mapped[int | None] = mapped_column(BigInteger)
    read_at: Mapped[int | None] = mapped_column(BigInteger)
    failed_at: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(String(300), default="")


class WhatsAppState(Base):
    """The one row about the connection; `since` is when `connected` last changed, ms.

    `told`: the provider has said something; while it has not, `since` is when it was first asked.
    """

    __tablename__ = "whatsapp_state"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    connected: Mapped[bool] = mapped_column(Boolean)
    smartphone_connected: Mapped[bool] = mapped_column(Boolean)
    told: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    since: Mapped[int] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(String(300), default="")
    checked_at: Mapped[int | None] = mapped_column(BigInteger)
    check_error: Mapped[str] = mapped_column(String(300), default="")
    due_at: Mapped[int | None] = mapped_column(BigInteger)
    payment_status: Mapped[str] = mapped_column(String(40), default="")
    account_at: Mapped[int | None] = mapped_column(BigInteger)


class Pace(Base):
    """When the next message of the instance may leave (ms); one row, shared by all workers."""

    __tablename__ = "whatsapp_pace"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    next_at: Mapped[int] = mapped_column(BigInteger)
