"""The customer's runbook as a document: sections 3 and 4 with their steps; `{name}` are limits
that are live."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass


def plain(text: str) -> str:
    """Text as it is looked for: small letters, no accents."""
    apart = unicodedata.normalize("NFD", text.lower())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


@dataclass(frozen=True, slots=True)
class Page:
    """Where the console does it: words, endpoint, query."""

    label: str
    endpoint: str
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A procedure as it is read; `key` is that of the procedure in the console."""

    number: str
    key: str
    title: str
    symptom: str
    impact: str
    steps: tuple[str, ...]
    time: str
    pages: tuple[Page, ...] = ()

    @property
    def anchor(self) -> str:
        """Its place in the document."""
        return f"s{self.number.replace('.', '-')}"

    def told(self, limits: Mapping[str, str]) -> tuple[str, ...]:
        """The symptom and the steps with the limits of today."""
        return tuple(text.format(**limits) for text in (self.symptom, *self.steps))


_DLQ = Page("Mensagens com erro", "dead_letters.index")
_QUEUES = Page("Filas", "monitoring.queues")
_EVENTS = Page("Eventos que falharam", "events.index", (("status", "failed"),))
_SYNCS = Page("Sincronizações", "syncs.index")
TROUBLE: tuple[Chapter, ...] = (
    Chapter(
        "3.1", "whatsapp_disconnected", "WhatsApp desconectado",
        "O status do WhatsApp mostra “desconectado” (alerta após {whatsapp} minutos).",
        "Mensagens não são enviadas nem recebidas.",
        (
            "Verificar o status da instância da Z-API.",
            "Se desconectada, tentar restaurar a sessão; se não voltar, escanear o QR code.",
            "Verificar se há mensagens pendentes na fila notifications.",
            "Após reconectar, monitorar o envio das mensagens pendentes.",
        ),
        "5–10 minutos", (_QUEUES,),
    ),
    Chapter(
        "3.2", "dlq", "Dead Letter Queue (DLQ) com itens",
        "Alertas indicam mensagens com erro (alerta a partir de {dlq_warning}).",
        "Eventos não processados, dados inconsistentes entre os sistemas.",
        (
            "Listar as mensagens com erro, agrupadas por causa.",
            "Analisar o motivo das falhas.",
            "Corrigir a causa raiz, se necessário.",
            "Reprocessar as válidas.",
            "Arquivar as inválidas.",
        ),
        "15–30 minutos por item", (_DLQ,),
    ),
    Chapter(
        "3.3", "breaker", "Circuit breaker (disjuntor) aberto",
        "Alertas indicam disjuntor aberto para um sistema ({failures} falhas seguidas).",
        "Requisições para o sistema são bloqueadas: as mensagens para ele ficam guardadas.",
        (
            "Identificar o sistema com o disjuntor aberto.",
            "Verificar se o sistema de destino está funcionando.",
            "Se ele voltou, religar o disjuntor, dizendo o motivo.",
            "Acompanhar por 5 minutos se não abre de novo.",
        ),
        "5–15 minutos", (Page("Disjuntores", "breakers.index"),),
    ),
    Chapter(
        "3.4", "sync_failing", "Sync job (sincronização) falhando",
        "Sincronização com estado “Falhou”.",
        "Dados não sincronizados entre os sistemas.",
        (
            "Verificar o registro da execução que falhou.",
            "Identificar a causa da falha.",
            "Se for temporária, aguardar a próxima execução ou executar agora.",
            "Se persistir, escalar para Desenvolvimento.",
        ),
        "10–30 minutos", (_SYNCS,),
    ),
    Chapter(
        "3.5", "error_rate", "Alta taxa de erro",
        "Taxa de erro maior que {errors} %.",
        "Muitos eventos não processados.",
        (
            "Identificar o tipo de evento com mais falhas.",
            "Verificar se é um sistema específico.",
            "Ler as respostas das falhas para entender o padrão.",
            "Agir conforme a causa identificada.",
        ),
        "15–60 minutos", (_EVENTS, Page("Painel", "monitoring.dashboard")),
    ),
    Chapter(
        "3.6", "queue_large", "Fila muito grande",
        "Uma fila com mais de {queue} itens.",
        "Atraso no processamento de eventos.",
        (
            "Verificar se os workers estão rodando.",
            "Se estiverem parados, reiniciar.",
            "Se estiverem rodando, verificar se há gargalo em um sistema.",
            "Considerar acrescentar workers por um tempo.",
        ),
        "10–20 minutos", (_QUEUES,),
    ),
    Chapter(
        "3.7", "db_slow", "Banco de dados lento",
        "Latência do banco maior que {latency} ms.",
        "Processamento lento de eventos.",
        (
            "Verificar se há consultas lentas.",
            "Verificar o uso de recursos do servidor.",
            "Se necessário, escalar para o DBA (Desenvolvimento).",
        ),
        "30–60 minutos", (Page("SLA", "monitoring.sla"),),
    ),
)  # fmt: skip
UPKEEP: tuple[Chapter, ...] = (
    Chapter(
        "4.1", "key_rotation", "Rotação de API keys", "Frequência: trimestral.",
        "Uma chave velha que vazou dá acesso ao hub.",
        (
            "Gerar a chave nova.",
            "Atualizar o sistema que a usa; as duas valem durante a troca.",
            "Revogar a chave antiga.",
        ),
        "", (Page("Chaves de API", "access.keys"),),
    ),
    Chapter(
        "4.2", "cleanup", "Limpeza de dados antigos", "Frequência: automática, todo dia.",
        "Sem ela o banco cresce e fica lento.",
        (
            "O hub apaga sozinho os eventos processados há mais de {events} dias.",
            "Apaga também as mensagens com erro arquivadas há mais de {letters} dias.",
            "Apaga também os limites de uso vencidos.",
            "Para limpar à mão: ver antes o que sai, depois executar.",
        ),
        "",
    ),
    Chapter(
        "4.3", "backup", "Backup de configurações", "Frequência: semanal.",
        "Sem cópia, mapeamentos e endpoints teriam de ser refeitos à mão.",
        (
            "O hub exporta mapeamentos e endpoints sozinho, toda semana.",
            "Para restaurar: ver antes a diferença, depois confirmar.",
        ),
        "", (Page("Sistemas", "systems.index"),),
    ),
)  # fmt: skip
