"""Tables of the procedures as runs: who works on what since when, what was said and done."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId

SOLVED, ESCALATED, ABANDONED = "solved", "escalated", "abandoned"
# What an entry tells of.
DONE, SKIPPED, UNSOLVED, REOPENED, DEED, NOTE, SEEN = (
    "done", "skipped", "unsolved", "reopened", "deed", "note", "seen",
)  # fmt: skip


class ProcedureRun(Base):
    """A procedure under way or over; times in ms.

    `subject` narrows it (a system, a sync); `origin` says where it was started (`alert:12`,
    `incident:3`, `item`, '' for the menu). `outcome` is '' while it runs.
    """

    __tablename__ = "procedure_runs"
    __table_args__ = (
        Index("ix_procedure_runs_ended", "ended_at", "id"),
        Index("ix_procedure_runs_incident", "incident_id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80), default="")
    origin: Mapped[str] = mapped_column(String(80), default="")
    incident_id: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[int] = mapped_column(BigInteger)
    started_by: Mapped[str] = mapped_column(String(120))
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(String(120), default="")
    outcome: Mapped[str] = mapped_column(String(12), default="")
    note: Mapped[str] = mapped_column(Text, default="")


class ProcedureStep(Base):
    """Something said or done at a step of a run; never changed.

    `kind`: done, skipped, unsolved, reopened (a person), deed (an action with its result), note,
    seen (what the data said when the run ended). `evidence_json` is what the check said then.
    """

    __tablename__ = "procedure_steps"
    __table_args__ = (Index("ix_procedure_steps_run", "run_id", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("procedure_runs.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(12))
    at: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(120))
    deed: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(String(1000), default="")
    evidence_json: Mapped[str] = mapped_column(Text, default="")
