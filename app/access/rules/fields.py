"""The fields that the audit trail tells of, and their values, in the words of people."""

from __future__ import annotations

import json
from typing import Any

from app.numbers import whole

# As the forms call them, where a form has them.
FIELDS = {
    "accepted": "Aceito pela Z-API",
    "active": "Em uso",
    "attempts": "Tentativas",
    "automation_steps": "Passos de automações",
    "busy": "Ainda em uso",
    "calls_for": "Quando acionar",
    "check": "Verificação nos dados",
    "checklist_notes": "Notas de checklists",
    "checklists": "Checklists",
    "count": "Quantidade",
    "critical": "Crítico além de",
    "dead_letters": "Mensagens com erro",
    "deliveries": "Envios",
    "description": "Descrição",
    "done": "Feitas",
    "effect": "O que significa falhar",
    "email": "E-mail",
    "ended": "Acessos encerrados",
    "endpoints": "Endpoints",
    "ends": "Termina às",
    "erased": "Apagados",
    "error": "Tipo de erro",
    "event_id": "Evento",
    "events": "Eventos",
    "expires_at": "Vale até",
    "failed": "Falharam",
    "failures": "Falhas seguidas",
    "filter": "Filtro",
    "former_bodies": "Conteúdos anteriores",
    "from": "De",
    "hurried": "Adiantadas",
    "idle": "Minutos sem registro até chamar o próximo nível",
    "ids": "Números",
    "in_flight_limit": "Envios ao mesmo tempo",
    "incident_entries": "Registros de incidentes",
    "incidents": "Incidentes",
    "key": "Procedimento",
    "kind": "Tipo",
    "latency_ms": "Demora (ms)",
    "letters": "Mensagens com erro",
    "level": "Nível",
    "mappings": "Mapeamentos",
    "messages": "Mensagens",
    "name": "Nome",
    "new_expires_at": "A nova vale até",
    "note": "Nota",
    "opt_outs": "Pedidos de não receber mensagens",
    "outcome": "Resultado",
    "owner": "Responsável",
    "paused": "Pausado",
    "persists": "Minutos até o nível 2",
    "phone": "Telefone",
    "previous_until": "O segredo anterior vale até",
    "procedure_runs": "Execuções de procedimentos",
    "procedure_steps": "Passos de procedimentos",
    "reason": "Motivo",
    "released": "Liberadas",
    "replaced_by": "Chave nova",
    "revived": "Reprocessadas",
    "routes": "Rotas",
    "runs": "Execuções",
    "scopes": "O que pode fazer",
    "severity": "Gravidade",
    "starts": "Começa às",
    "state": "Situação",
    "status": "Situação",
    "subject": "Assunto",
    "supervisor": "Processo do supervisor",
    "sync_items": "Itens de sincronizações",
    "system": "Sistema",
    "target": "Para",
    "text": "Texto",
    "title": "Título",
    "to": "Até",
    "took_ms": "Duração (ms)",
    "total": "Total",
    "unavailable": "Minutos de indisponibilidade até o nível 3",
    "until": "Até",
    "url": "Endereço (URL)",
    "version": "Versão",
    "warning": "Alerta a partir de",
    "whatsapp_messages": "Mensagens do WhatsApp",
}
EMPTY, NOTHING = "—", "nenhum"
# What an entry is about -> how the console's table of states calls such a thing.
KINDS = {
    "breaker": "breaker", "checklist": "tick", "dead_letter": "dead", "endpoint": "endpoint",
    "procedure": "run",
}  # fmt: skip
STATES = frozenset({"outcome", "state", "status"})


def field_words(path: str) -> str:
    """A dotted path for people: places in a list are counted from 1, the unknown stays as it is."""
    return " · ".join(_words(part) for part in path.split(".")) if path else ""


def kind_of(target: str, path: str) -> str:
    """Which of the console's states a field holds (`dead`, `severity`); empty: none of them."""
    if path in STATES:
        return KINDS.get(target.partition(":")[0], "")
    return path if path == "severity" else ""


def value_words(value: Any) -> str:
    """A JSON value that is no object for people."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "sim" if value else "não"
    if isinstance(value, list):
        return _listed(value)
    if isinstance(value, float):
        return str(int(value) if value.is_integer() else value).replace(".", ",")
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else EMPTY
    return str(value) or EMPTY


def _words(part: str) -> str:
    place = whole(part)
    return FIELDS.get(part, part) if place is None else f"nº {place + 1}"


def _listed(values: list[Any]) -> str:
    """crm, site; the parts of what is itself a list stand side by side."""
    rows = any(isinstance(each, list) for each in values)
    texts = [
        " ".join(map(value_words, each)) if isinstance(each, list) else value_words(each)
        for each in values
    ]
    return ("; " if rows else ", ").join(texts) or EMPTY
