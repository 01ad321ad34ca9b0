"""The pair that a route or a mapping belongs to: an event type and a target system."""

from app.config import SYSTEMS
from app.events.rules import EVENT_TYPE
from app.mappings.rules.grammar import Problem

MAX_EVENT_TYPE = 80


def check_pair(event_type: str, system: str) -> list[Problem]:
    """Problems of an event type and a system, as fields `event_type` and `target_system`."""
    problems = []
    if len(event_type) > MAX_EVENT_TYPE or not EVENT_TYPE.fullmatch(event_type):
        problems.append(Problem("event_type", "deve ser como “lead.created”."))
    if system not in SYSTEMS:
        problems.append(Problem("target_system", f"deve ser um destes: {', '.join(SYSTEMS)}."))
    return problems
