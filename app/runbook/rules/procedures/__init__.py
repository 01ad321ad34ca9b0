"""The ten procedures of the runbook as data: what to look at, what to do, what shows it worked."""

from __future__ import annotations

from app.runbook.rules.procedures.backlog import QUEUES
from app.runbook.rules.procedures.connections import BREAKER, SYNC
from app.runbook.rules.procedures.data import DATABASE, ERRORS
from app.runbook.rules.procedures.maintenance import BACKUP, CLEANUP, KEYS
from app.runbook.rules.procedures.messages import DLQ, WHATSAPP
from app.runbook.rules.procedures.shape import Procedure
from app.syncs.rules.table import SYNCS

# In the order of the runbook.
PROCEDURES: dict[str, Procedure] = {
    found.key: found
    for found in (
        WHATSAPP, DLQ, BREAKER, SYNC, ERRORS, QUEUES, DATABASE, KEYS, CLEANUP, BACKUP,
    )
}  # fmt: skip


def for_alert(kind: str) -> Procedure | None:
    """The procedure that an alert of the type is worked off with."""
    return next((found for found in PROCEDURES.values() if kind in found.alerts), None)


def subject_for(kind: str, subject: str) -> str:
    """What a run is about that is started from an alert of the type; '' leaves it to the run."""
    if kind in ("sync_missed", "sync_long"):
        return next((name for name, sync in SYNCS.items() if sync.label == subject), "")
    return subject if kind in ("circuit_breaker", "queue_size", "worker") else ""
