"""The words of the runbook's glossary (§ 7) and of the console, each with what it means here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word, what it means, and what the console calls it."""

    word: str
    meaning: str
    here: str = ""


TERMS: dict[str, Term] = {
    "dlq": Term(
        "DLQ (Dead Letter Queue)",
        "Fila de eventos que falharam após todas as tentativas. Nada se perde: cada um espera "
        "que alguém reprocesse ou arquive.",
        "mensagens com erro",
    ),
    "breaker": Term(
        "Circuit Breaker (disjuntor)",
        "Mecanismo que bloqueia requisições para serviços indisponíveis. Aberto: as mensagens "
        "para o sistema estão paradas e guardadas. Fechado: tudo sai normalmente.",
        "disjuntor",
    ),
    "sync": Term(
        "Sync Job",
        "Job de sincronização periódica entre sistemas. Se falhar, os sistemas ficam com dados "
        "diferentes.",
        "sincronização",
    ),
    "retry": Term(
        "Retry Queue",
        "Fila de eventos aguardando nova tentativa. As novas tentativas saem sozinhas.",
        "novas tentativas",
    ),
    "horizon": Term(
        "Horizon",
        "Dashboard de monitoramento de filas do Laravel, usado pelo sistema anterior. Neste "
        "console o lugar dele é a página Filas.",
        "filas",
    ),
    "event": Term(
        "Evento",
        "Algo que aconteceu em um dos sistemas (um lead novo, um pagamento) e que o hub passa "
        "adiante para os outros.",
    ),
    "delivery": Term(
        "Entrega",
        "O envio de um evento para um sistema. Um evento pode ter várias entregas, uma para cada "
        "destino.",
    ),
    "attempt": Term("Tentativa", "Cada vez que o hub tenta fazer uma entrega."),
    "queue": Term(
        "Fila", "Onde as entregas esperam a sua vez. Fila grande: as entregas estão atrasadas."
    ),
    "worker": Term(
        "Worker", "Programa que tira as entregas da fila e as envia. Sem worker, a fila não anda."
    ),
    "scheduler": Term(
        "Agendador",
        "Programa que cuida do que tem hora marcada: novas tentativas, sincronizações, "
        "checklists e avisos.",
    ),
    "endpoint": Term("Endpoint", "Endereço de um sistema para onde o hub envia as mensagens."),
    "mapping": Term(
        "Mapeamento", "Regra que transforma o conteúdo do evento no formato que o destino entende."
    ),
    "api_key": Term("Chave de API", "Senha que um sistema usa para falar com o hub."),
    "sla": Term(
        "SLA",
        "Limites combinados para o serviço: normal, alerta e crítico. A página de SLA mostra as "
        "cinco medidas.",
    ),
    "incident": Term(
        "Incidente",
        "Um problema que precisa de gente até acabar, com responsável, linha do tempo e relatório.",
    ),
    "escalation": Term(
        "Escalonar", "Passar um incidente para o próximo nível: Desenvolvimento, depois Gestão."
    ),
    "handover": Term(
        "Passagem de turno", "Nota que um turno deixa para o próximo ao assinar o checklist."
    ),
    "zapi": Term("Z-API", "Serviço que liga o hub ao WhatsApp da empresa."),
    "payload": Term("Conteúdo (payload)", "Os dados que um evento carrega."),
}
