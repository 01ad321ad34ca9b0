"""Tables of the daily checklists: versioned templates, instances, their items and ticks."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId

MORNING, EVENING = "morning", "evening"
OPEN, DONE, NOT_APPLICABLE, FAILED = "open", "done", "not_applicable", "failed"


class ChecklistTemplate(Base):
    """What a shift's checklist asks, in one version; a change is a new row, the newest counts.

    `items_json`: [{check, title, effect}, …] in the order of the list.
    """

    __tablename__ = "checklist_templates"
    __table_args__ = (UniqueConstraint("shift", "version"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shift: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer)
    items_json: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(120))
    why: Mapped[str] = mapped_column(String(500), default="")


class Checklist(Base):
    """The checklist of one day and shift, made once; it keeps the version it was made from.

    `day` is the operation's calendar day (2026-11-23). Signed once, with the note for the next
    shift; `read_at` is when somebody of that shift said that it was read.
    """

    __tablename__ = "checklists"
    __table_args__ = (UniqueConstraint("day", "shift"), Index("ix_checklists_due", "due_at"))
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    day: Mapped[str] = mapped_column(String(10))
    shift: Mapped[str] = mapped_column(String(10))
    template_id: Mapped[int] = mapped_column(ForeignKey("checklist_templates.id"))
    due_at: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    signed_at: Mapped[int | None] = mapped_column(BigInteger)
    signed_by: Mapped[str] = mapped_column(String(120), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    read_at: Mapped[int | None] = mapped_column(BigInteger)
    read_by: Mapped[str] = mapped_column(String(120), default="")


class ChecklistItem(Base):
    """One line of a checklist: what the data says and what a person said last.

    `first_json` is the evidence found at the item's time, `last_json` the newest (see rules).
    `seq` counts what people said (see ChecklistTick): whoever says something names the count
    they have seen, so that nobody undoes what they did not see.
    """

    __tablename__ = "checklist_items"
    checklist_id: Mapped[int] = mapped_column(
        ForeignKey("checklists.id", ondelete="CASCADE"), primary_key=True
    )
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    check: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    effect: Mapped[str] = mapped_column(String(300), default="")
    first_json: Mapped[str] = mapped_column(Text, default="")
    last_json: Mapped[str] = mapped_column(Text, default="")
    seq: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[str] = mapped_column(String(16), default=OPEN)
    by_name: Mapped[str] = mapped_column(String(120), default="")
    at: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(String(500), default="")


class ChecklistTick(Base):
    """What a person said about an item, with what the data said at that moment; never changed."""

    __tablename__ = "checklist_ticks"
    checklist_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    action: Mapped[str] = mapped_column(String(16))
    by_id: Mapped[int | None] = mapped_column(BigInteger)
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(String(500), default="")
    evidence_json: Mapped[str] = mapped_column(Text, default="")
