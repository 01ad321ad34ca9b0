"""What a person does about an alert, and on which page; by the alert's type."""

from __future__ import annotations

from typing import NamedTuple


class Advice(NamedTuple):
    """Words, the page (endpoint, query, anchor) and its link's words; '' where there is none."""

    text: str
    endpoint: str = ""
    query: tuple[tuple[str, str], ...] = ()
    anchor: str = ""
    link: str = ""


_QUEUES = ("monitoring.queues", (), "", "Ver as filas")
ADVICE: dict[str, Advice] = {
    "pending_events": Advice(
        "Veja se os workers estão vivos; se estiverem, a fila esvazia sozinha.",
        "events.index", (("status", "pending"),), "", "Ver eventos na fila",
    ),
    "retry_queue": Advice(
        "Veja qual sistema está falhando: as novas tentativas saem sozinhas.", *_QUEUES
    ),
    "dead_letter_queue": Advice(
        "Veja as causas, corrija o que for preciso e reprocesse ou arquive.",
        "dead_letters.index", (), "", "Ver mensagens com erro",
    ),
    "error_rate": Advice(
        "Veja que tipo de evento e que sistema falham mais.",
        "events.index", (("status", "failed"),), "", "Ver eventos que falharam",
    ),
    "sync_failed": Advice(
        "Veja o motivo; espere a próxima execução e, se falhar de novo, escalone.",
        "syncs.index", (("status", "failed"),), "", "Ver sincronizações",
    ),
    "sync_missed": Advice(
        "Veja se o worker de integrations-low está vivo; se preciso, execute agora.",
        "syncs.index", (), "", "Ver sincronizações",
    ),
    "sync_long": Advice(
        "Veja na execução o que falta; um sistema lento ou um disjuntor aberto pode segurá-la.",
        "syncs.index", (), "", "Ver sincronizações",
    ),
    "circuit_breaker": Advice(
        "Veja se o sistema voltou; se voltou, religue o disjuntor.",
        "breakers.index", (), "", "Ver disjuntores",
    ),
    "whatsapp": Advice(
        "Restaure a sessão; se não voltar em 15 s, leia o QR code com o celular da empresa.",
        "whatsapp.index", (), "", "Ver a conexão",
    ),
    "whatsapp_silent": Advice(
        "Verifique a conexão agora; se a Z-API não responder, confira o painel e o token dela.",
        "whatsapp.index", (), "", "Ver a conexão",
    ),
    "whatsapp_account": Advice("Peça à Gestão para pagar a conta no painel da Z-API."),
    "queue_size": Advice("Veja se os workers desta fila estão vivos.", *_QUEUES),
    "queue_time": Advice("Veja se há workers suficientes.", *_QUEUES),
    "database_latency": Advice(
        "Veja as consultas lentas; se durar mais de alguns minutos, escalone ao Desenvolvimento.",
        "monitoring.sla", (), "database_latency", "Ver ao longo do tempo",
    ),
    "checklist": Advice(
        "Abra o checklist, responda os itens e assine.",
        "runbook.today", (), "", "Abrir o checklist",
    ),
    "scheduler": Advice(
        "Reinicie o hub; se não voltar, escalone ao Desenvolvimento.",
        "monitoring.queues", (), "", "Ver os processos",
    ),
    "worker": Advice(
        "Reinicie os workers; se não voltarem, escalone ao Desenvolvimento.", *_QUEUES
    ),
    "redis": Advice("Se durar mais de alguns minutos, escalone ao Desenvolvimento."),
}  # fmt: skip
NOTHING = Advice("")


def advice(kind: str) -> Advice:
    """The advice for a type of alert."""
    return ADVICE.get(kind, NOTHING)
