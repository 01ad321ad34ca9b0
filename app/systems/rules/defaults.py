"""The nine systems as the business knows them, and where their events go unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass

HIGH, MEDIUM, LOW = "high", "medium", "low"
V1 = "/api/v1/webhooks/events"
# What carries messages beside the nine systems: it has a breaker, but no address of its own.
CARRIERS = {"email": "E-mail", "avisos": "Avisos"}


@dataclass(frozen=True, slots=True)
class Known:
    """A system of the business: its name on screens, how much depends on it, its SLA in %."""

    label: str
    criticality: str
    sla_percent: float
    # Path of the default endpoint below the base URL; '' for systems that get no events.
    events_path: str = ""


KNOWN: dict[str, Known] = {
    "whatsapp": Known("WhatsApp", HIGH, 99.5),
    "crm": Known("CRM", HIGH, 99.9, V1),
    "operacao": Known("Operação", HIGH, 99.9, V1),
    "financeiro": Known("Financeiro", HIGH, 99.9, "/api/webhooks/events"),
    "cuidadores": Known("Cuidadores", MEDIUM, 99.0, V1),
    "atendimento": Known("Atendimento", MEDIUM, 99.0, V1),
    "site": Known("Site", MEDIUM, 99.0),
    "marketing": Known("Marketing", LOW, 95.0, V1),
    "documentos": Known("Documentos", LOW, 95.0),
}


def default_endpoint(system: str, base_url: str) -> str:
    """URL of a system's default endpoint, or ''."""
    path = KNOWN[system].events_path
    return base_url.rstrip("/") + path if path else ""
