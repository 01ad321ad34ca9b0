"""Switch an automation on or off; new events only, what is under way goes on."""

from __future__ import annotations

from sqlalchemy import select, update

from app.access.actions import audit
from app.access.actor import Actor
from app.automations.models import Automation
from app.automations.queries import forget_active
from app.automations.rules.flows import BY_NAME
from app.automations.seed import seed
from app.db import transaction
from app.errors import Invalid, NotFound


def switch(name: str, active: bool, *, by: Actor, why: str, now: int) -> bool:
    """Switch it; whether that changed anything. NotFound, Invalid without a reason."""
    if name not in BY_NAME:
        raise NotFound("Automation not found")
    if not why.strip():
        raise Invalid(details={"why": ["escreva o motivo"]})
    seed(now=now)
    with transaction() as tx:
        mine = Automation.name == name
        before = tx.connection.scalar(select(Automation.active).where(mine))
        if before is active:
            return False
        values = {"active": active, "changed_at": now, "changed_by": by.name[:120]}
        tx.connection.execute(update(Automation).where(mine).values(**values))
        action = "automation.on" if active else "automation.off"
        audit.record(tx, by, action, name, why, {"active": before}, {"active": active})
    forget_active()
    return True
