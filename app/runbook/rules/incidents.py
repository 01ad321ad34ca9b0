"""Words and limits of incidents: severities, states, what a timeline says."""

from __future__ import annotations

from collections.abc import Mapping

LOW, MEDIUM, HIGH, CRITICAL = "low", "medium", "high", "critical"
SEVERITIES = {LOW: "Baixa", MEDIUM: "Média", HIGH: "Alta", CRITICAL: "Crítica"}
OPEN, ACTIVE, RESOLVED = "open", "active", "resolved"
LONGEST_TITLE, LONGEST_TEXT = 200, 4_000
# Alerts whose cause means that something does not work at all.
OUTAGES = frozenset({"circuit_breaker", "whatsapp", "worker", "scheduler"})
# Alert's level -> the severity an incident of it begins with.
SEVERITY_OF: Mapping[str, str] = {"critical": CRITICAL, "warning": MEDIUM}

# kind of entry -> tone and words
KINDS: Mapping[str, tuple[str, str]] = {
    "opened": ("bad", "Incidente aberto"),
    "acknowledged": ("info", "Assumido"),
    "released": ("warn", "Devolvido: ninguém está cuidando"),
    "note": ("info", "Nota"),
    "severity": ("warn", "Gravidade alterada"),
    "unavailable": ("bad", "Sistema indisponível"),
    "available": ("ok", "Sistema disponível de novo"),
    "escalated": ("warn", "Escalonado"),
    "notified": ("info", "Aviso enviado"),
    "not_notified": ("warn", "Aviso por e-mail não enviado"),
    "notice_arrived": ("ok", "Aviso entregue ao servidor de e-mail"),
    "notice_failed": ("bad", "Aviso não chegou"),
    "alert_raised": ("bad", "Alerta"),
    "alert_moved": ("warn", "Alerta mudou de nível"),
    "alert_awake": ("warn", "Fim do silêncio: o alerta continua"),
    "alert_closed": ("ok", "Alerta encerrado"),
    "tick": ("info", "Checklist"),
    "action": ("info", "Ação no console"),
    "run_started": ("info", "Procedimento iniciado"),
    "run_ended": ("ok", "Procedimento encerrado"),
    "resolved": ("ok", "Encerrado"),
    "reopened": ("bad", "Reaberto"),
}


def problems(title: str, severity: str, details: str) -> dict[str, str]:
    """What is wrong with a new incident, by field."""
    found = {}
    if not title:
        found["title"] = "Escreva o que está acontecendo"
    elif len(title) > LONGEST_TITLE:
        found["title"] = f"Use no máximo {LONGEST_TITLE} caracteres"
    if severity not in SEVERITIES:
        found["severity"] = "Escolha a gravidade"
    if len(details) > LONGEST_TEXT:
        found["details"] = f"Use no máximo {LONGEST_TEXT} caracteres"
    return found
