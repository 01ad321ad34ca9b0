"""Steps and what they leave, in the words of people."""

from __future__ import annotations

import json
from typing import Any

from app import clock
from app.automations.rules.step import Flow, Step

# What an answer leaves, by name; `{}` is its value.
LEFT = {
    "lead_id": "lead {} no CRM",
    "campaign_id": "campanha {} no Marketing",
    "conversation_id": "conversa {} no Atendimento",
    "total": "valor R$ {}",
}
NOTHING_FOUND = {
    "lead_id": "o CRM ainda não tem este telefone",
    "campaign_id": "campanha não encontrada",
    "conversation_id": "sem conversa aberta",
}


def in_words(output: str | None) -> tuple[str, ...]:
    """What a step's answer left for later steps."""
    document = json.loads(output) if output else None
    if not isinstance(document, dict):
        return ()
    return tuple(said for name, value in document.items() if (said := _said(name, value)))


def _said(name: str, value: Any) -> str:
    if value is None:
        return NOTHING_FOUND.get(name, "")
    return LEFT[name].format(value) if name in LEFT else ""


def when_in_words(flow: Flow, step: Step) -> str:
    """When the step's turn comes: after which others, how much later."""
    labels = [before.label for name in step.needs if (before := flow.step(name))]
    parts = [f"depois de “{label}”" for label in labels]
    if step.delay:
        hours = step.delay // clock.HOUR
        parts.insert(0, f"{hours} hora{'s' if hours != 1 else ''} depois do evento")
    return ", ".join(parts) or "assim que o evento chega"


def skipped_in_words(step: Step) -> tuple[str, ...]:
    """Why the step may have nothing to do."""
    return tuple(condition.otherwise for condition in step.when)
