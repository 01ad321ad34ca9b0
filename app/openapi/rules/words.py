"""What each door does, in the operators' words: `METHOD path` to one sentence."""

from __future__ import annotations

AREAS = {
    "": "Visão geral",
    "alerts": "Alertas",
    "auditoria": "Auditoria",
    "auditoria.csv": "Auditoria",
    "automations": "Automações",
    "checklists": "Checklists",
    "circuit-breakers": "Disjuntores",
    "contatos": "Incidentes",
    "dashboard": "Visão geral",
    "dlq": "Mensagens com erro",
    "docs": "Esta descrição",
    "endpoints": "Sistemas e endpoints",
    "events": "Eventos",
    "health": "Saúde",
    "incidentes": "Incidentes",
    "mapeamentos": "Rotas e mapeamentos",
    "mappings": "Rotas e mapeamentos",
    "message-templates": "Textos aos clientes",
    "messages": "Textos aos clientes",
    "metrics": "Saúde",
    "openapi.json": "Esta descrição",
    "procedimentos": "Procedimentos",
    "procurar": "Visão geral",
    "queues": "Filas e workers",
    "report": "Visão geral",
    "rotas": "Rotas e mapeamentos",
    "routes": "Rotas e mapeamentos",
    "sistemas": "Sistemas e endpoints",
    "sla": "SLA",
    "status": "Visão geral",
    "sync": "Sincronizações",
    "syncs": "Sincronizações",
    "systems": "Sistemas e endpoints",
    "webhooks": "Webhooks recebidos",
    "whatsapp-connection": "WhatsApp",
    "workers": "Filas e workers",
}
_LINES = """
GET / | O que o hub tem a mostrar a quem chega
GET /alerts | Alertas do momento
GET /alerts/{alert_id} | Um alerta e tudo o que houve com ele
POST /alerts/{alert_id}/acknowledge | Assumir um alerta
POST /alerts/{alert_id}/notes | Anotar em um alerta
POST /alerts/{alert_id}/release | Devolver um alerta assumido
POST /alerts/{alert_id}/snooze | Silenciar um alerta por um tempo
POST /alerts/{alert_id}/wake | Religar os avisos de um alerta
GET /alerts/channels | Canais por onde os alertas são avisados
POST /alerts/channels | Acrescentar um canal de avisos
POST /alerts/channels/{channel_id}/remove | Retirar um canal de avisos
GET /alerts/maintenance | Manutenções marcadas
POST /alerts/maintenance | Marcar a manutenção de um sistema
POST /alerts/maintenance/{window_id}/end | Terminar uma manutenção antes da hora
GET /api/alerts | Alertas abertos, com seus números
POST /api/checklists/{checklist_id}/items/{n}/{verb} | Marcar um item do checklist
POST /api/checklists/{checklist_id}/sign | Assinar o checklist e passar o turno
GET /api/checklists/today | Os checklists de hoje
GET /api/dlq | Mensagens com erro, as mais novas primeiro
DELETE /api/dlq/{letter_id} | Excluir uma mensagem arquivada
GET /api/dlq/{letter_id} | Uma mensagem com erro, com tentativas e conteúdo (oculta dados pessoais)
POST /api/dlq/{letter_id}/archive | Arquivar uma mensagem com erro
POST /api/dlq/{letter_id}/retry | Reprocessar uma mensagem com erro
POST /api/dlq/{letter_id}/unarchive | Reabrir uma mensagem arquivada
POST /api/dlq/archive | Arquivar as mensagens escolhidas
POST /api/dlq/archive-all | Arquivar todas as mensagens de um filtro, em segundo plano
GET /api/dlq/bulks/{bulk_id} | Quanto de um lote já foi feito
POST /api/dlq/bulks/{bulk_id}/cancel | Parar um lote; o que foi feito fica
POST /api/dlq/retry | Reprocessar as mensagens escolhidas
POST /api/dlq/retry-all | Reprocessar todas as mensagens de um filtro, em segundo plano
GET /api/dlq/stats | Quantas mensagens com erro há, desde quando e por quê
GET /api/docs | Esta descrição para ler
GET /api/endpoints | Endpoints por sistema
POST /api/endpoints | Criar um endpoint; só esta resposta mostra o segredo
GET /api/endpoints/{endpoint_id} | Um endpoint
PUT /api/endpoints/{endpoint_id} | Alterar URL ou descrição de um endpoint
POST /api/endpoints/{endpoint_id}/activate | Ativar um endpoint
POST /api/endpoints/{endpoint_id}/deactivate | Desativar um endpoint
POST /api/endpoints/{endpoint_id}/rotate-secret | Trocar o segredo; o antigo vale mais 24 h
POST /api/endpoints/{endpoint_id}/test | Enviar um evento de teste e contar a resposta
GET /api/events | Eventos, os mais novos primeiro
POST /api/events | Enviar um evento; a repetição da mesma chave devolve o primeiro
GET /api/events/{event_id} | Um evento com conteúdo, entregas e passos (oculta dados pessoais)
POST /api/events/{event_id}/retry | Reenviar um evento aos sistemas que não o aceitaram
POST /api/events/batch | Enviar até 1.000 eventos; cada um tem sua resposta
GET /api/events/stats | Quantos eventos esperam e o que houve com os de hoje
GET /api/mappings | O mapeamento em vigor de cada par
POST /api/mappings | Guardar uma nova versão de um mapeamento
GET /api/mappings/{event_type}/{system} | O mapeamento em vigor de um par
GET /api/mappings/{event_type}/{system}/diff | O que mudou entre duas versões
GET /api/mappings/{event_type}/{system}/versions | Todas as versões de um par
POST /api/mappings/test | Ver o que um conteúdo se torna; nada é guardado nem enviado
GET /api/message-templates | Os textos em uso
POST /api/message-templates | Guardar uma nova versão de um texto
DELETE /api/message-templates/opt-outs/{phone} | Voltar a mandar mensagens automáticas a alguém
PUT /api/message-templates/opt-outs/{phone} | Não mandar mais mensagens automáticas a alguém
POST /api/message-templates/preview | Ver um texto com valores de exemplo
PUT /api/message-templates/quiet-hours | Definir o horário de silêncio
GET /api/openapi.json | Esta descrição para programas (OpenAPI 3.1)
GET /api/routes | Para onde vão os eventos de cada tipo
PUT /api/routes | Definir os sistemas que recebem um tipo de evento
GET /api/sync/jobs | Execuções das sincronizações
GET /api/sync/jobs/{run_id} | Uma execução e seus itens
POST /api/sync/start | Pedir uma sincronização, ou todas com `full`
GET /api/sync/stats | Como está cada sincronização
GET /api/systems | Os nove sistemas
GET /api/systems/{name} | Um sistema
PUT /api/systems/{name} | Pausar, retomar ou limitar um sistema
GET /auditoria | A trilha de auditoria
GET /auditoria.csv | A trilha de auditoria como arquivo
GET /automations | As automações e seus passos
POST /automations/events/{event_id}/steps/{name}/retry | Repetir um passo de uma automação
POST /automations/{name}/{state} | Ligar ou desligar uma automação
GET /circuit-breakers | Os disjuntores
POST /circuit-breakers/{service}/reset | Rearmar um disjuntor
GET /contatos | Contatos e regras de escalonamento
GET /dashboard | O painel
GET /dlq | Mensagens com erro, com filtros da página
GET /dlq/{letter_id} | Uma mensagem com erro
POST /dlq/{letter_id}/archive | Arquivar uma mensagem (formulário)
POST /dlq/{letter_id}/corrigir | Corrigir o conteúdo de uma mensagem e reenviar
POST /dlq/{letter_id}/delete | Excluir uma mensagem arquivada (formulário)
GET /dlq/{letter_id}/ensaio | Ensaiar uma mensagem sem enviar
POST /dlq/{letter_id}/remapear | Mapear de novo uma mensagem e reenviar
POST /dlq/{letter_id}/retry | Reprocessar uma mensagem (formulário)
POST /dlq/{letter_id}/unarchive | Reabrir uma mensagem (formulário)
POST /dlq/archive | Arquivar muitas mensagens (formulário)
GET /dlq/export.csv | As mensagens de um filtro como arquivo
GET /dlq/lotes/{bulk_id} | Quanto de um lote já foi feito
POST /dlq/lotes/{bulk_id}/cancel | Parar um lote (formulário)
POST /dlq/retry | Reprocessar muitas mensagens (formulário)
GET /events | Eventos, com filtros da página
GET /events/{event_id} | Um evento e seu caminho pelo hub
POST /events/{event_id}/retry | Reenviar um evento (formulário)
GET /health | Se o hub responde
GET /health/detailed | Se banco, Redis e workers respondem
GET /incidentes | Incidentes
POST /incidentes | Abrir um incidente
GET /incidentes/{incident_id} | Um incidente e sua linha do tempo
POST /incidentes/{incident_id}/assumir | Assumir um incidente
POST /incidentes/{incident_id}/devolver | Devolver um incidente
POST /incidentes/{incident_id}/encerrar | Encerrar um incidente
POST /incidentes/{incident_id}/escalonar | Escalonar um incidente
POST /incidentes/{incident_id}/gravidade | Mudar a gravidade de um incidente
POST /incidentes/{incident_id}/indisponivel | Dizer se o sistema ficou indisponível
POST /incidentes/{incident_id}/nota | Anotar em um incidente
POST /incidentes/{incident_id}/reabrir | Reabrir um incidente
GET /mapeamentos | Os mapeamentos em vigor
GET /mapeamentos/{event_type}/{system} | O mapeamento de um par e suas versões
GET /messages | As mensagens aos clientes
GET /messages/opt-outs | Quem não quer mensagens automáticas
POST /messages/opt-outs | Não mandar mais mensagens automáticas a alguém
POST /messages/opt-outs/{at}/{ending}/remove | Voltar a mandar mensagens automáticas a alguém
POST /messages/quiet-hours | Definir o horário de silêncio
GET /messages/templates | Os textos em uso
GET /messages/templates/{key}/{channel} | Um texto e suas versões
POST /messages/templates/{key}/{channel} | Guardar uma nova versão de um texto
GET /messages/{message_id} | Uma mensagem e o que houve com ela
GET /metrics | Medidas para Prometheus
GET /procedimentos | Os procedimentos do runbook
GET /procedimentos/{key} | Um procedimento
GET /procedimentos/backups/{name} | Baixar uma cópia da configuração
GET /procedimentos/backups/{name}/comparar | Comparar uma cópia com a configuração de agora
GET /procedimentos/execucoes/{run_id} | A execução de um procedimento
POST /procedimentos/execucoes/{run_id}/acoes/{deed} | Fazer uma ação de um procedimento
POST /procedimentos/execucoes/{run_id}/encerrar | Encerrar a execução de um procedimento
POST /procedimentos/execucoes/{run_id}/passos/{step}/nota | Anotar em um passo
POST /procedimentos/execucoes/{run_id}/passos/{step}/{command} | Dizer o que houve com um passo
POST /procedimentos/{key} | Começar um procedimento
GET /procurar | Procurar em eventos, mensagens e páginas
GET /queues | As filas e quem trabalha nelas
POST /queues/{queue}/workers | Acrescentar workers por um tempo
POST /queues/orders/{order_id}/end | Dispensar os workers acrescentados
GET /report/daily | O relatório de um dia
GET /rotas | Para onde vão os eventos
GET /sistemas | Os sistemas
GET /sistemas/{name} | Um sistema e seus endpoints
GET /sla | O SLA e seus limites
POST /sla/bands/{measure} | Mudar os limites de uma medida
GET /status | O estado do hub
GET /syncs | As sincronizações
POST /syncs/{name}/{switch} | Pausar ou retomar uma sincronização
POST /syncs/{name}/run | Executar uma sincronização agora
GET /syncs/runs/{run_id} | Uma execução e seus itens
POST /webhooks/crm/client-registered | O CRM avisa de um cliente cadastrado
POST /webhooks/cuidadores/feedback | A opinião de um cliente sobre um cuidador
POST /webhooks/financeiro/payment | O financeiro avisa de um pagamento
POST /webhooks/financeiro/payout | O financeiro avisa de um repasse
POST /webhooks/operacao/service-completed | A operação avisa de um serviço concluído
POST /webhooks/site/lead | O site avisa de um novo lead
POST /webhooks/systems/{system} | Um evento de um sistema; o tipo vem em X-Event-Type ou no corpo
GET /webhooks/whatsapp | O provedor confere o endereço
POST /webhooks/whatsapp | Uma mensagem de WhatsApp chegou
POST /webhooks/whatsapp/status | O que houve com uma mensagem ou com a conexão
GET /whatsapp-connection | A conexão do WhatsApp
POST /whatsapp-connection/{act} | Reconectar, desconectar ou cuidar da fila do WhatsApp
GET /whatsapp-connection/queue | O que espera na Z-API
GET /whatsapp-connection/qr | O código QR para conectar o telefone
POST /workers/restart | Reiniciar os workers
"""
OPERATIONS = dict(line.split(" | ") for line in _LINES.strip().splitlines())
