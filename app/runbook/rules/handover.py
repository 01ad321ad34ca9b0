"""The hand-over note, prefilled with what is still open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.runbook.rules.checks import FAIL, Evidence, number
from app.runbook.rules.ticks import FAILED, NOT_APPLICABLE

LONGEST = 4_000
NOTHING = "Nada em aberto."


@dataclass(frozen=True, slots=True)
class Answered:
    """An item as the note tells it."""

    title: str
    state: str
    note: str
    evidence: Evidence | None


def prefilled(
    items: Iterable[Answered], alerts: Sequence[str], dead: int, incidents: Sequence[str]
) -> str:
    """The note's lines: failing items, alerts, dead letters, incidents; or that nothing is open."""
    lines = [line for item in items if (line := _item(item))]
    lines += [f"Alerta: {text}" for text in alerts]
    if dead:
        lines.append(f"Mensagens com erro esperando decisão: {number(dead)}.")
    lines += [f"Incidente aberto: {text}" for text in incidents]
    return "\n".join(f"- {line}" for line in lines) if lines else NOTHING


def _item(item: Answered) -> str:
    """One item that somebody should know of; '' for one that is well."""
    note = f" ({item.note})" if item.note else ""
    if item.state == FAILED:
        value = f": {item.evidence.value}" if item.evidence else ""
        return f"Falhou – {item.title}{value}{note}"
    if item.evidence is not None and item.evidence.result == FAIL:
        return f"Verificação falhando – {item.title}: {item.evidence.value}{note}"
    return f"Não se aplica – {item.title}{note}" if item.state == NOT_APPLICABLE else ""
