"""What each door asks for, written down by hand once more: `METHOD path ability scope network`.

`open` is a door without a guard, `-` no scope (no key gets in). `python -m tests.access.matrix`
prints the rows of the application as it is; read each new one before it goes in here.
"""

from __future__ import annotations

import re

from flask import Flask

# Views of the framework, without a guard of ours.
FOREIGN = ("static",)


def rows_of(app: Flask) -> set[str]:
    """One row per method and path of the URL map."""
    found = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in FOREIGN:
            continue
        view = app.view_functions[rule.endpoint]
        guard = getattr(view, "guard", "unguarded")
        says = guard or "open"
        if guard not in (None, "unguarded"):
            words = (guard.ability, guard.scope or "-", "network" if guard.network else "")
            says = " ".join(words).strip()
        path = re.sub(r"<\w+(?:\([^>]*\))?:(\w+)>", r"<\1>", rule.rule)
        found |= {f"{method} {path} {says}" for method in rule.methods - {"HEAD", "OPTIONS"}}
    return found


MATRIX = """
GET / overview.read overview:read network
GET /ajuda overview.read -
GET /alerts overview.read overview:read network
GET /alerts/<alert_id> overview.read overview:read
POST /alerts/<alert_id>/acknowledge alerts.manage alerts:write
POST /alerts/<alert_id>/notes alerts.manage alerts:write
POST /alerts/<alert_id>/release alerts.manage alerts:write
POST /alerts/<alert_id>/snooze alerts.manage alerts:write
POST /alerts/<alert_id>/wake alerts.manage alerts:write
GET /alerts/channels overview.read overview:read
POST /alerts/channels sla.manage sla:write
POST /alerts/channels/<channel_id>/remove sla.manage sla:write
GET /alerts/maintenance overview.read overview:read
POST /alerts/maintenance maintenance.manage alerts:write
POST /alerts/maintenance/<window_id>/end maintenance.manage alerts:write
GET /api/alerts overview.read overview:read
POST /api/checklists/<checklist_id>/items/<n>/<verb> checklists.tick checklists:tick
POST /api/checklists/<checklist_id>/sign checklists.tick checklists:tick
GET /api/checklists/today overview.read checklists:read network
GET /api/dlq dlq.read dlq:read
DELETE /api/dlq/<letter_id> dlq.delete dlq:write
GET /api/dlq/<letter_id> dlq.read dlq:read
POST /api/dlq/<letter_id>/archive dlq.archive dlq:write
POST /api/dlq/<letter_id>/retry dlq.retry dlq:write
POST /api/dlq/<letter_id>/unarchive dlq.archive dlq:write
POST /api/dlq/archive dlq.archive dlq:write
POST /api/dlq/archive-all dlq.bulk dlq:write
GET /api/dlq/bulks/<bulk_id> dlq.read dlq:read
POST /api/dlq/bulks/<bulk_id>/cancel dlq.bulk dlq:write
POST /api/dlq/retry dlq.retry dlq:write
POST /api/dlq/retry-all dlq.bulk dlq:write
GET /api/dlq/stats dlq.read dlq:read
GET /api/docs overview.read overview:read network
GET /api/endpoints systems.read endpoints:read
POST /api/endpoints systems.manage endpoints:write
GET /api/endpoints/<endpoint_id> systems.read endpoints:read
PUT /api/endpoints/<endpoint_id> systems.manage endpoints:write
POST /api/endpoints/<endpoint_id>/activate systems.manage endpoints:write
POST /api/endpoints/<endpoint_id>/deactivate systems.manage endpoints:write
POST /api/endpoints/<endpoint_id>/rotate-secret systems.manage endpoints:write
POST /api/endpoints/<endpoint_id>/test systems.manage endpoints:write
GET /api/events events.read events:read
POST /api/events events.write events:write
GET /api/events/<event_id> events.read events:read
POST /api/events/<event_id>/retry events.retry events:write
POST /api/events/batch events.write events:write
GET /api/events/stats events.read events:read
GET /api/mappings mappings.read mappings:read
POST /api/mappings mappings.manage mappings:write
GET /api/mappings/<event_type>/<system> mappings.read mappings:read
GET /api/mappings/<event_type>/<system>/diff mappings.read mappings:read
GET /api/mappings/<event_type>/<system>/versions mappings.read mappings:read
POST /api/mappings/test mappings.read mappings:read
GET /api/message-templates events.read messages:read
POST /api/message-templates messages.manage messages:write
DELETE /api/message-templates/opt-outs/<phone> whatsapp.manage messages:write
PUT /api/message-templates/opt-outs/<phone> whatsapp.manage messages:write
POST /api/message-templates/preview events.read messages:read
PUT /api/message-templates/quiet-hours messages.manage messages:write
GET /api/openapi.json overview.read overview:read network
GET /api/routes mappings.read mappings:read
PUT /api/routes mappings.manage mappings:write
GET /api/sync/jobs syncs.read sync:read
GET /api/sync/jobs/<run_id> syncs.read sync:read
POST /api/sync/start syncs.run sync:write
GET /api/sync/stats syncs.read sync:read
GET /api/systems systems.read systems:read
GET /api/systems/<name> systems.read systems:read
PUT /api/systems/<name> systems.manage systems:write
GET /auditoria audit.read audit:read
GET /auditoria.csv audit.read audit:read
GET /automations events.read automations:read
POST /automations/<name>/<state> automations.manage automations:write
POST /automations/events/<event_id>/steps/<name>/retry dlq.retry automations:write
GET /chaves keys.manage -
POST /chaves keys.manage -
POST /chaves/<key_id>/revogar keys.manage -
POST /chaves/<key_id>/trocar keys.manage -
GET /circuit-breakers breakers.read breakers:read network
POST /circuit-breakers/<service>/reset breakers.reset breakers:reset network
GET /contatos overview.read incidents:read
POST /contatos/<level> sla.manage -
POST /contatos/regras sla.manage -
GET /dashboard overview.read overview:read network
GET /dlq dlq.read dlq:read
GET /dlq/<letter_id> dlq.read dlq:read
POST /dlq/<letter_id>/archive dlq.archive dlq:write
POST /dlq/<letter_id>/corrigir dlq.edit dlq:write
POST /dlq/<letter_id>/delete dlq.delete dlq:write
GET /dlq/<letter_id>/ensaio dlq.read dlq:read
POST /dlq/<letter_id>/remapear dlq.retry dlq:write
POST /dlq/<letter_id>/retry dlq.retry dlq:write
POST /dlq/<letter_id>/unarchive dlq.archive dlq:write
POST /dlq/archive dlq.bulk dlq:write
GET /dlq/export.csv dlq.read dlq:read
GET /dlq/lotes/<bulk_id> dlq.read dlq:read
POST /dlq/lotes/<bulk_id>/cancel dlq.bulk dlq:write
POST /dlq/retry dlq.bulk dlq:write
GET /events events.read events:read
GET /events/<event_id> events.read events:read
POST /events/<event_id>/retry events.retry events:write
GET /feedback/<token> open
POST /feedback/<token> open
GET /glossario overview.read -
GET /health open
GET /health/detailed open
GET /hoje overview.read -
POST /hoje/<checklist_id>/<n> checklists.tick -
GET /hoje/<checklist_id>/assinar checklists.tick -
POST /hoje/<checklist_id>/assinar checklists.tick -
POST /hoje/<checklist_id>/lida checklists.tick -
GET /hoje/historico overview.read -
GET /hoje/historico/<day> overview.read -
GET /hoje/modelo/<shift> overview.read -
POST /hoje/modelo/<shift> checklists.manage -
GET /incidentes overview.read incidents:read network
POST /incidentes incidents.manage incidents:write
GET /incidentes/<incident_id> overview.read incidents:read network
POST /incidentes/<incident_id>/assumir incidents.manage incidents:write
POST /incidentes/<incident_id>/devolver incidents.manage incidents:write
POST /incidentes/<incident_id>/encerrar incidents.manage incidents:write
POST /incidentes/<incident_id>/escalonar escalate incidents:write
POST /incidentes/<incident_id>/gravidade incidents.manage incidents:write
POST /incidentes/<incident_id>/indisponivel incidents.manage incidents:write
POST /incidentes/<incident_id>/nota incidents.manage incidents:write
POST /incidentes/<incident_id>/reabrir incidents.manage incidents:write
GET /incidentes/<incident_id>/relatorio overview.read -
GET /incidentes/novo incidents.manage -
GET /login open
POST /login open
GET /login/code open
POST /login/code open
POST /logout overview.read -
GET /mapeamentos mappings.read mappings:read
GET /mapeamentos/<event_type>/<system> mappings.read mappings:read
POST /mapeamentos/<event_type>/<system> mappings.manage -
POST /mapeamentos/<event_type>/<system>/restaurar mappings.manage -
POST /mapeamentos/<event_type>/<system>/testar mappings.read -
GET /messages events.read messages:read
GET /messages/<message_id> events.read messages:read
GET /messages/opt-outs events.read messages:read
POST /messages/opt-outs whatsapp.manage messages:write
POST /messages/opt-outs/<at>/<ending>/remove whatsapp.manage messages:write
POST /messages/quiet-hours messages.manage messages:write
GET /messages/templates events.read messages:read
GET /messages/templates/<key>/<channel> events.read messages:read
POST /messages/templates/<key>/<channel> messages.manage messages:write
GET /metrics overview.read overview:read network
GET /perfil overview.read -
POST /perfil/codigos overview.read -
GET /perfil/duas-etapas overview.read -
POST /perfil/duas-etapas overview.read -
POST /perfil/duas-etapas/desligar overview.read -
POST /perfil/senha overview.read -
POST /perfil/sessoes/encerrar overview.read -
GET /pessoas people.manage -
POST /pessoas people.manage -
POST /pessoas/<user_id>/ativar people.manage -
POST /pessoas/<user_id>/desativar people.manage -
POST /pessoas/<user_id>/duas-etapas people.manage -
POST /pessoas/<user_id>/duas-etapas/zerar people.manage -
POST /pessoas/<user_id>/nivel people.manage -
POST /pessoas/<user_id>/senha people.manage -
POST /preferences overview.read -
GET /procedimentos overview.read overview:read
GET /procedimentos/<key> overview.read overview:read
POST /procedimentos/<key> procedures.run procedures:write
GET /procedimentos/backups/<name> mappings.read mappings:read
GET /procedimentos/backups/<name>/comparar mappings.manage mappings:write
GET /procedimentos/execucoes/<run_id> overview.read overview:read
POST /procedimentos/execucoes/<run_id>/acoes/<deed> procedures.run procedures:write
POST /procedimentos/execucoes/<run_id>/encerrar procedures.run procedures:write
POST /procedimentos/execucoes/<run_id>/passos/<step>/<command> procedures.run procedures:write
POST /procedimentos/execucoes/<run_id>/passos/<step>/nota procedures.run procedures:write
GET /procurar overview.read overview:read
GET /queues overview.read overview:read network
POST /queues/<queue>/workers workers.manage workers:write
POST /queues/orders/<order_id>/end workers.manage workers:write
GET /report/daily overview.read overview:read network
GET /rotas mappings.read mappings:read
POST /rotas mappings.manage -
POST /rotas/nova mappings.manage -
GET /runbook overview.read -
GET /sistemas systems.read systems:read
GET /sistemas/<name> systems.read systems:read
POST /sistemas/<name>/endpoints systems.manage -
POST /sistemas/<name>/limite systems.manage -
POST /sistemas/<name>/pausar systems.manage -
POST /sistemas/<name>/retomar systems.manage -
POST /sistemas/endpoints/<endpoint_id>/alterar systems.manage -
POST /sistemas/endpoints/<endpoint_id>/ativar systems.manage -
POST /sistemas/endpoints/<endpoint_id>/desativar systems.manage -
POST /sistemas/endpoints/<endpoint_id>/segredo systems.manage -
POST /sistemas/endpoints/<endpoint_id>/testar systems.manage -
GET /sla overview.read overview:read network
POST /sla/bands/<measure> sla.manage sla:write
GET /status overview.read overview:read network
GET /syncs syncs.read sync:read
POST /syncs/<name>/<switch> syncs.run sync:write
POST /syncs/<name>/run syncs.run sync:write
GET /syncs/runs/<run_id> syncs.read sync:read
POST /webhooks/crm/client-registered open
POST /webhooks/cuidadores/feedback open
POST /webhooks/financeiro/payment open
POST /webhooks/financeiro/payout open
POST /webhooks/operacao/service-completed open
POST /webhooks/site/lead open
POST /webhooks/systems/<system> open
GET /webhooks/whatsapp open
POST /webhooks/whatsapp open
POST /webhooks/whatsapp/status open
GET /whatsapp-connection overview.read overview:read
POST /whatsapp-connection/<act> whatsapp.manage whatsapp:manage
GET /whatsapp-connection/qr whatsapp.manage whatsapp:manage
GET /whatsapp-connection/queue whatsapp.manage whatsapp:manage
POST /workers/restart workers.manage workers:write
"""
ROWS = [line for line in MATRIX.splitlines() if line]


def main() -> None:
    """Print the rows as they are now."""
    import tempfile

    from app import config, create_app

    with tempfile.TemporaryDirectory() as folder:
        settings = config.load({"HUB_DATA_DIR": folder, "REDIS_URL": "redis://127.0.0.1:1"})
        print("\n".join(sorted(rows_of(create_app(settings)), key=lambda row: row.split()[1::-1])))


if __name__ == "__main__":
    main()
