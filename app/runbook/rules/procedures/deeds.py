"""What the buttons of the procedures do: words, ability, and what is asked about first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deed:
    """An action. With `title` it is asked about first, with `effect`; `why`: a reason is needed.

    `usual` is the reason already filled in, `fields` are what its button carries: nothing else is
    handed on or kept.
    """

    label: str
    ability: str
    icon: str
    title: str = ""
    effect: str = ""
    verb: str = ""
    why: bool = False
    usual: str = ""
    danger: bool = False
    fields: tuple[str, ...] = ()


DEEDS: dict[str, Deed] = {
    "whatsapp_check": Deed("Verificar agora", "whatsapp.manage", "refresh-cw"),
    "whatsapp_restore": Deed("Restaurar a sessão", "whatsapp.manage", "undo-2"),
    "whatsapp_qr": Deed("Mostrar o QR code", "whatsapp.manage", "qr-code"),
    "whatsapp_phone": Deed(
        "Receber código pelo telefone", "whatsapp.manage", "phone", fields=("phone",)
    ),
    "whatsapp_purge": Deed(
        "Apagar a fila da Z-API", "whatsapp.manage", "trash-2",
        "Apagar o que espera na Z-API?",
        "As mensagens que a Z-API ainda não enviou são apagadas e nunca chegam aos clientes. "
        "As que o hub ainda guarda não são afetadas. Não dá para desfazer.",
        "Apagar a fila", True, "", True,
    ),
    "dlq_careful": Deed(
        "Reprocessar com prova", "dlq.bulk", "rotate-ccw",
        "Reprocessar este grupo com prova?",
        "Primeiro sai 1 mensagem; se o sistema aceitar, mais 3; se aceitar, o resto aos poucos. "
        "Se voltar a falhar, para sozinho e o que não saiu continua na lista.",
        "Reprocessar com prova", True, "causa verificada; reprocessado com prova",
        fields=("cause",),
    ),
    "dlq_cancel": Deed("Cancelar o resto", "dlq.bulk", "x", fields=("bulk",)),
    "dlq_archive": Deed(
        "Arquivar o grupo", "dlq.bulk", "archive",
        "Arquivar este grupo?",
        "As mensagens abertas desta causa saem da lista e das contagens; não são enviadas. "
        "Podem ser desarquivadas depois, uma a uma.",
        "Arquivar", True, fields=("cause",),
    ),
    "probe": Deed("Testar agora", "breakers.reset", "activity", fields=("system",)),
    "breaker_reset": Deed(
        "Religar o disjuntor", "breakers.reset", "zap",
        "Religar o disjuntor?",
        "As mensagens à espera voltam a sair agora, aos poucos. Se o sistema ainda estiver com "
        "problema, o disjuntor abre de novo.",
        "Religar disjuntor", True, "o sistema respondeu ao teste", fields=("system",),
    ),
    "sync_run": Deed(
        "Executar agora", "syncs.run", "play",
        "Executar a sincronização agora?",
        "Lê o que está pendente na origem e grava no destino; nada é gravado duas vezes.",
        "Executar agora", True, "nova tentativa pelo procedimento", fields=("sync",),
    ),
    "workers_restart": Deed(
        "Reiniciar os workers", "workers.manage", "refresh-cw",
        "Reiniciar os workers?",
        "Cada worker termina o que tem em mãos e é trocado por um novo; nenhuma mensagem se "
        "perde. Leva alguns segundos.",
        "Reiniciar workers", True, "fila parada",
    ),
    "workers_add": Deed(
        "Acrescentar workers", "workers.manage", "plus",
        "Acrescentar workers por um tempo?",
        "A fila passa a ser atendida por mais processos; no fim do tempo o número volta sozinho "
        "ao normal.",
        "Acrescentar", True, "fila grande", fields=("line", "count", "minutes"),
    ),
    "cleanup": Deed(
        "Limpar agora", "cleanup.run", "trash-2",
        "Apagar os dados antigos agora?",
        "Os eventos processados e as mensagens arquivadas além do prazo são apagados para "
        "sempre, com suas entregas e tentativas.",
        "Apagar", True, "limpeza manual", True,
    ),
    "backup": Deed("Fazer backup agora", "mappings.manage", "download"),
    "restore": Deed(
        "Restaurar este backup", "mappings.manage", "undo-2",
        "Restaurar este backup?",
        "Só muda o que aparece na comparação. O que o arquivo não menciona fica como está; os "
        "mapeamentos que mudam ganham uma versão nova.",
        "Restaurar", True, "", True, fields=("name",),
    ),
}  # fmt: skip
