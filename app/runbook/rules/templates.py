"""What the checklists ask: the runbook's items as the first version, and what a version must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.runbook.rules.checks import CHECKS
from app.runbook.rules.shifts import EVENING, MORNING

MOST_ITEMS = 20
LONGEST_TITLE, LONGEST_EFFECT = 200, 300


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a checklist: what to look at, which check asks the data, what a failure means."""

    title: str
    check: str
    effect: str = ""


SEEDS: dict[str, tuple[Line, ...]] = {
    MORNING: (
        Line(
            "Verificar status do WhatsApp", "whatsapp",
            "Desconectado: mensagens não são enviadas nem recebidas.",
        ),
        Line(
            "Verificar se há alertas ativos", "alerts",
            "Cada alerta diz o efeito e o que fazer.",
        ),
        Line(
            "Verificar DLQ (mensagens com erro)", "dlq",
            "Mensagens que esgotaram as tentativas: os sistemas de destino estão sem elas.",
        ),
        Line(
            "Verificar execução dos sync jobs da noite anterior", "syncs_night",
            "Sem sincronização, os sistemas têm dados diferentes.",
        ),
        Line(
            "Verificar tamanho das filas", "queues",
            "Fila grande: as entregas estão atrasadas.",
        ),
    ),
    EVENING: (
        Line(
            "Verificar taxa de erro do dia", "error_rate",
            "Eventos que falharam não chegaram a todos os destinos.",
        ),
        Line(
            "Verificar eventos pendentes", "pending",
            "Eventos pendentes ainda não chegaram a nenhum sistema.",
        ),
        Line(
            "Verificar retry queue (novas tentativas)", "retry_queue",
            "Mensagens que falharam e esperam nova tentativa: os destinos estão atrasados.",
        ),
    ),
}  # fmt: skip


def problems(lines: Sequence[Line]) -> dict[str, str]:
    """What is wrong with a version, by field; empty when nothing is."""
    found: dict[str, str] = {}
    if not lines:
        found["title_1"] = "Escreva pelo menos um item"
    if len(lines) > MOST_ITEMS:
        found["title_1"] = f"Use no máximo {MOST_ITEMS} itens"
    for n, line in enumerate(lines, 1):
        if not line.title:
            found[f"title_{n}"] = f"Escreva o que verificar no item {n}"
        elif len(line.title) > LONGEST_TITLE:
            found[f"title_{n}"] = f"Use no máximo {LONGEST_TITLE} caracteres no item {n}"
        if len(line.effect) > LONGEST_EFFECT:
            found[f"effect_{n}"] = f"Use no máximo {LONGEST_EFFECT} caracteres no item {n}"
        if line.check not in CHECKS:
            found[f"check_{n}"] = f"Escolha a verificação do item {n}"
    return found
