"""Runbook § 3.1 and 3.2: WhatsApp away, dead letters."""

from __future__ import annotations

from collections.abc import Sequence

from app import clock, queues
from app.monitoring.rules.bands import NORMAL
from app.monitoring.rules.snapshot import Snapshot
from app.runbook.rules.procedures.connections import away, label, to_breaker
from app.runbook.rules.procedures.shape import (
    FAIL,
    PASS,
    UNKNOWN,
    Act,
    Curl,
    Fact,
    Link,
    Procedure,
    Scene,
    Step,
    Verdict,
    count,
    minutes,
    number,
)

RESTORE_MS = 15 * clock.SECOND


def _connection(scene: Scene) -> Sequence[Fact]:
    state = scene.data.get("whatsapp")
    if state is None:
        return (Fact("Situação", "ninguém verificou ainda"),)
    word = "conectado" if state.connected else "desconectado"
    facts = [
        Fact("Situação", "a Z-API nunca respondeu" if state.connected is None else word),
        Fact("Desde", at=state.since),
        Fact("Última verificação", at=state.checked_at),
    ]
    for title, text in (("Motivo", state.error), ("Verificação", state.check_error)):
        if text and not (title == "Motivo" and state.connected):
            facts.append(Fact(title, text))
    if not state.connected and scene.data.get("provider_count"):
        facts.append(Fact("Esperando na Z-API", f"{scene.data['provider']}: saem ao reconectar"))
    return facts


def _is_connected(scene: Scene) -> Verdict:
    state = scene.seen.whatsapp
    if state.silent_since is not None:
        return Verdict(UNKNOWN, "A Z-API não responde: ninguém sabe se está conectado.")
    if state.connected is None:
        return Verdict(UNKNOWN, "Ninguém verificou ainda: use “Verificar agora”.")
    if state.connected:
        return Verdict(PASS, "O WhatsApp está conectado.")
    since = state.disconnected_at
    length = f" há {minutes(scene.now - since)}" if since is not None else ""
    return Verdict(FAIL, f"O WhatsApp está desconectado{length}: nada é enviado nem recebido.")


def _looked(scene: Scene) -> Verdict:
    """Asked since the run began, or known to be connected."""
    state = scene.data.get("whatsapp")
    checked = state.checked_at if state is not None else None
    if checked is not None and checked >= scene.started_at - clock.MINUTE:
        text = "conectado" if state is not None and state.connected else "desconectado"
        return Verdict(PASS, f"A Z-API respondeu: {text}.")
    return Verdict(FAIL, "A Z-API ainda não foi consultada nesta execução.")


def _restored(scene: Scene) -> Verdict:
    """Connected, or tried without success: then the QR code is next."""
    did = scene.did.get("whatsapp_restore")
    if scene.seen.whatsapp.connected:
        return Verdict(PASS, "O WhatsApp está conectado.")
    if did is not None and (not did.result.get("ok") or scene.now - did.at > RESTORE_MS):
        return Verdict(PASS, "Não bastou restaurar: siga com o QR code.")
    if did is not None:
        return Verdict(FAIL, "Sessão pedida de volta: aguarde até 15 s.")
    return Verdict(FAIL, "Ainda não tentado. Costuma resolver sem precisar do aparelho.")


def _provider(scene: Scene) -> Sequence[Fact]:
    held = scene.data.get("provider")
    if held is None:
        return (Fact("Fila da Z-API", "não consultada"),)
    return (Fact("Esperando na Z-API", held),)


def _provider_empty(scene: Scene) -> Verdict:
    n = scene.data.get("provider_count")
    if n is None:
        return Verdict(UNKNOWN, "A Z-API não disse o que espera; siga se estiver conectado.")
    if n == 0:
        return Verdict(PASS, "A Z-API não tem nada esperando.")
    text = "Decida: manter (saem ao reconectar) ou apagar (se perderam o sentido)."
    return Verdict(FAIL, f"{count(n, 'mensagem espera', 'mensagens esperam')} na Z-API. {text}")


def _notifications(scene: Scene) -> Sequence[Fact]:
    size = scene.seen.queue_sizes[queues.NOTIFICATIONS]
    wait = scene.seen.waits.get(queues.NOTIFICATIONS, 0)
    return (
        Fact("Na fila notifications", count(size, "mensagem", "mensagens")),
        Fact("A mais antiga espera há", minutes(wait) if size else "—"),
    )


def _drained(scene: Scene) -> Verdict:
    size = scene.seen.queue_sizes[queues.NOTIFICATIONS]
    if not scene.seen.whatsapp.connected:
        return Verdict(FAIL, "Primeiro o WhatsApp precisa estar conectado.")
    if size == 0:
        return Verdict(PASS, "Nada espera: as mensagens pendentes saíram.")
    return Verdict(FAIL, f"Ainda {count(size, 'mensagem', 'mensagens')} na fila; veja diminuir.")


def _whatsapp_now(seen: Snapshot) -> str:
    if seen.whatsapp.connected is not False:
        return ""
    since = seen.whatsapp.disconnected_at
    return f"desconectado há {minutes(seen.now - since)}" if since is not None else "desconectado"


def _restore_acts(_: Scene) -> Sequence[Act]:
    return (
        Act("whatsapp_restore", hint="A primeira coisa a tentar: não precisa do aparelho."),
        Act("whatsapp_check", curl=Curl("GET", "/status")),
    )


WHATSAPP = Procedure(
    "whatsapp_disconnected", "3.1", "WhatsApp desconectado",
    "A situação do WhatsApp mostra “desconectado”.",
    "Mensagens para clientes e cuidadores não são enviadas nem recebidas.",
    (5, 10),
    (
        Step(
            "status", "Verificar a situação da instância",
            "Confirma se caiu mesmo e desde quando, antes de mexer.",
            _looked, _connection,
            lambda _: (Act("whatsapp_check", curl=Curl("GET", "/status")),),
            otherwise="Se a Z-API não responde, o problema é dela: escalone.",
        ),
        Step(
            "restore", "Restaurar a sessão",
            "Na maioria das quedas a sessão volta sem ler QR code.",
            _restored, _connection, _restore_acts,
            otherwise="Não voltou em 15 s: leia o QR code no próximo passo.",
        ),
        Step(
            "qr", "Ler o QR code com o celular da empresa",
            "No WhatsApp do celular: Aparelhos conectados → Conectar aparelho → aponte a câmera.",
            _is_connected, _connection,
            lambda _: (Act("whatsapp_qr"),), panel="runbook/procedures/_qr.html",
            otherwise="Três códigos sem leitura: espere um minuto, confira a internet do celular "
            "e tente o código por telefone; depois escalone.",
        ),
        Step(
            "provider", "Decidir o que espera na fila da Z-API",
            "O que a Z-API guardou sai ao reconectar; mensagem velha pode confundir.",
            _provider_empty, _provider,
            lambda scene: (Act("whatsapp_purge"),) if scene.data.get("provider_count") else (),
            panel="runbook/procedures/_provider.html",
            otherwise="Na dúvida, mantenha.", done="Manter a fila",
        ),
        Step(
            "drain", "Acompanhar a fila notifications esvaziar",
            "O que o hub guardou sai sozinho assim que o WhatsApp volta.",
            _drained, _notifications,
            links=lambda _: (Link("Ver as filas", "monitoring.queues"),),
            otherwise="Não diminui em 5 minutos: abra o procedimento “Fila muito grande”.",
        ),
    ),
    _whatsapp_now, ("whatsapp", "whatsapp_account"), ("whatsapp",),
)  # fmt: skip


def _letters(scene: Scene) -> Sequence[Fact]:
    groups = scene.data.get("causes", ())
    return (
        Fact("Abertas", count(scene.seen.dead_total, "mensagem", "mensagens")),
        Fact("Causas diferentes", number(len(groups))),
    )


def _causes_known(scene: Scene) -> Verdict:
    """Whether every cause's system takes messages; what is away has to come back first."""
    if not scene.seen.dead_total:
        return Verdict(PASS, "Não há mensagens com erro abertas.")
    if held := _held(scene):
        names = ", ".join(map(label, held))
        return Verdict(FAIL, f"Disjuntor fora do normal: {names}. Espere voltar ou abra o 3.3.")
    return Verdict(PASS, "Todos os sistemas das causas estão recebendo.")


def _held(scene: Scene) -> list[str]:
    """Systems of the causes that take no messages now."""
    systems = {group["system"] for group in scene.data.get("causes", ())}
    return [name for name in away(scene.seen) if name in systems]


def _cause_links(scene: Scene) -> Sequence[Link]:
    pages = (Link("Ver as mensagens", "dead_letters.index"),
             Link("Ver os disjuntores", "breakers.index"))  # fmt: skip
    return (*map(to_breaker, _held(scene)), *pages)


def _decided(scene: Scene) -> Verdict:
    n = scene.seen.dead_total
    work = scene.data.get("bulk")
    if work is not None and work.state in ("queued", "running"):
        return Verdict(FAIL, f"Reprocessando: {number(work.done)} de {number(work.total)}.")
    if not n:
        return Verdict(PASS, "Todas as mensagens tiveram uma decisão.")
    return Verdict(FAIL, f"{count(n, 'mensagem espera', 'mensagens esperam')} uma decisão.")


def _settled(scene: Scene) -> Verdict:
    """Nothing on its way again, and the band is normal."""
    going = scene.data.get("retrying", 0)
    if going:
        return Verdict(FAIL, f"{count(going, 'mensagem está', 'mensagens estão')} a caminho.")
    level = scene.seen.sla["dead_letters"]
    if level == NORMAL:
        return Verdict(PASS, "A quantidade de mensagens com erro está normal.")
    return Verdict(FAIL, f"Ainda {count(scene.seen.dead_total, 'mensagem', 'mensagens')} abertas.")


DLQ = Procedure(
    "dlq", "3.2", "Mensagens com erro (DLQ)",
    "Alertas indicam mensagens que esgotaram as tentativas.",
    "Eventos não processados: os sistemas de destino estão sem esses dados.",
    (15, 30),
    (
        Step(
            "causes", "Ver as causas e se os sistemas estão no ar",
            "Reprocessar para um sistema fora do ar só gasta as tentativas de novo.",
            _causes_known, _letters, links=_cause_links,
            otherwise="Sistema fora do ar: avise o responsável e use “Disjuntor aberto”.",
        ),
        Step(
            "decide", "Decidir por causa",
            "Tempo esgotado ou sistema fora: reprocesse com prova. Dado inválido: corrija o "
            "conteúdo ou arquive.",
            _decided, _letters, panel="runbook/procedures/_causes.html",
            otherwise="A prova falhou de novo: corrija a causa antes; se não souber, escalone.",
        ),
        Step(
            "watch", "Ver se o que voltou foi aceito",
            "Só acaba quando o destino aceitou.",
            _settled, _letters,
            otherwise="Voltaram a falhar: a causa não foi resolvida; volte ao passo anterior.",
        ),
    ),
    lambda seen: count(seen.dead_total, "mensagem", "mensagens") if seen.dead_total else "",
    ("dead_letter_queue",), ("dlq",),
)  # fmt: skip
