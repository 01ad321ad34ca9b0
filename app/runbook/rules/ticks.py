"""What a person may say about an item: commands, no toggles; each names what it has seen."""

from __future__ import annotations

from app.runbook.rules.checks import FAIL, Evidence

OPEN, DONE, NOT_APPLICABLE, FAILED = "open", "done", "not_applicable", "failed"
UNDO = "undo"
# command -> the state it leads to
COMMANDS = {DONE: DONE, NOT_APPLICABLE: NOT_APPLICABLE, FAILED: FAILED, UNDO: OPEN}
WORDS = {DONE: "feito", NOT_APPLICABLE: "não se aplica", FAILED: "falhou", OPEN: "em aberto"}
LONGEST_NOTE = 500


def needs_note(command: str, evidence: Evidence | None) -> str:
    """Why the command needs a note; '' where it needs none."""
    if command == NOT_APPLICABLE:
        return "Escreva por que não se aplica"
    if command == DONE and evidence is not None and evidence.result == FAIL:
        return "A verificação está falhando: escreva por que marca como feito"
    return ""


def moves(command: str, state: str) -> bool:
    """Whether the command is possible from the state: an answer only where there is none."""
    return state != OPEN if command == UNDO else state == OPEN


def conflict(state: str, by_name: str) -> str:
    """What to tell whoever came second."""
    if state == OPEN:
        return "Este item está em aberto: outra pessoa já desfez a resposta."
    return f"{by_name} já respondeu este item: {WORDS[state]}. Desfaça antes de mudar."
