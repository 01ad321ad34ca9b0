"""Alerts as people look at them: what is stored beside what is seen at this moment; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.monitoring.rules.alerts import Alert, by_cause
from app.monitoring.rules.bands import CRITICAL


@dataclass(frozen=True, slots=True)
class Shown:
    """An open alert; `id` is None until it is stored, `gone` once its cause is not seen now."""

    key: str
    type: str
    subject: str
    level: str
    message: str
    id: int | None = None
    opened_at: int | None = None
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    snoozed_until: int | None = None
    gone: bool = False


def board(found: Iterable[Alert], stored: Sequence[Any], now: int) -> list[Shown]:
    """Open alerts: those awake first, critical before others, the oldest first.

    What nobody has stored yet is shown too: a dead scheduler cannot write that it is dead.
    """
    seen = {each.key: each for each in by_cause(found)}
    known = {row.active_key: row for row in stored}
    shown = [_stored(row, seen.get(key), now) for key, row in known.items()]
    shown += [
        Shown(key, each.type, each.subject, each.level, each.message)
        for key, each in seen.items()
        if key not in known
    ]
    return sorted(
        shown,
        key=lambda one: (
            one.snoozed_until is not None, one.gone, one.level != CRITICAL, one.opened_at or now,
            one.key,
        ),
    )  # fmt: skip


def _stored(row: Any, alert: Alert | None, now: int) -> Shown:
    asleep = row.snoozed_until if row.snoozed_until and row.snoozed_until > now else None
    return Shown(
        row.active_key,
        row.type,
        row.subject,
        alert.level if alert else row.level,
        alert.message if alert else row.message,
        row.id,
        row.opened_at,
        row.acknowledged_by,
        row.acknowledged_at,
        asleep,
        alert is None,
    )


# Kinds of entries in an alert's history: tone and words.
ENTRIES: dict[str, tuple[str, str]] = {
    "opened_warning": ("warn", "Alerta aberto."),
    "opened_critical": ("bad", "Alerta crítico aberto."),
    "moved_critical": ("bad", "Passou a crítico."),
    "moved_warning": ("warn", "Baixou de crítico para alerta."),
    "closed": ("ok", "Encerrado: a causa deixou de existir."),
    "acknowledged": ("info", "Assumido."),
    "released": ("off", "Devolvido: ninguém está cuidando."),
    "snoozed": ("off", "Silenciado."),
    "woken": ("info", "Avisos religados."),
    "awake": ("warn", "O silêncio terminou e o problema continua."),
    "note": ("info", "Nota."),
}

TYPES: dict[str, str] = {
    "pending_events": "Eventos pendentes",
    "retry_queue": "Fila de novas tentativas",
    "dead_letter_queue": "Mensagens com erro",
    "error_rate": "Taxa de erro",
    "sync_failed": "Sincronização",
    "sync_missed": "Sincronização que não aconteceu",
    "sync_long": "Sincronização que não termina",
    "circuit_breaker": "Disjuntor",
    "whatsapp": "WhatsApp",
    "whatsapp_silent": "Z-API sem resposta",
    "whatsapp_account": "Conta da Z-API",
    "checklist": "Checklist",
    "incident": "Incidente",
    "queue_size": "Tamanho de fila",
    "queue_time": "Tempo de fila",
    "database_latency": "Banco de dados",
    "scheduler": "Agendador",
    "worker": "Workers",
    "redis": "Redis",
}
