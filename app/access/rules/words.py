"""The audit trail's actions in the words of people."""

from __future__ import annotations

AREAS = {
    "alert": "Alertas",
    "api_key": "Chaves de API",
    "breaker": "Disjuntores",
    "checklist": "Checklists",
    "dead_letter": "Mensagens com erro",
    "endpoint": "Endpoints",
    "endpoints": "Endpoints",
    "event": "Eventos",
    "incident": "Incidentes",
    "mapping": "Mapeamentos",
    "route": "Rotas",
    "second_step": "Duas etapas",
    "session": "Acessos",
    "sync": "Sincronizações",
    "system": "Sistemas",
    "user": "Pessoas",
}
ACTIONS = {
    "api_key.created": "Criou chave de API",
    "api_key.revoked": "Revogou chave de API",
    "api_key.rotated": "Trocou chave de API",
    "breaker.reset": "Religou disjuntor",
    "endpoint.activated": "Ativou endpoint",
    "endpoint.created": "Criou endpoint",
    "endpoint.deactivated": "Desativou endpoint",
    "endpoint.secret_rotated": "Trocou segredo de endpoint",
    "endpoint.tested": "Enviou evento de teste",
    "endpoint.updated": "Alterou endpoint",
    "endpoints.imported": "Importou endpoints",
    "mapping.imported": "Importou mapeamentos",
    "mapping.saved": "Salvou mapeamento",
    "route.changed": "Alterou rota",
    "second_step.codes_renewed": "Gerou códigos de recuperação",
    "second_step.disabled": "Desligou duas etapas",
    "second_step.enabled": "Ligou duas etapas",
    "second_step.optional": "Deixou duas etapas opcional",
    "second_step.required": "Exigiu duas etapas",
    "session.ended": "Saiu",
    "session.others_ended": "Encerrou outros acessos",
    "session.started": "Entrou",
    "system.updated": "Alterou sistema",
    "user.created": "Cadastrou pessoa",
    "user.disabled": "Desativou pessoa",
    "user.enabled": "Reativou pessoa",
    "user.level_changed": "Alterou nível",
    "user.password_changed": "Trocou senha",
}


def action_words(action: str) -> str:
    """An action or an area for people; one without words as it is."""
    return ACTIONS.get(action) or AREAS.get(action) or action
