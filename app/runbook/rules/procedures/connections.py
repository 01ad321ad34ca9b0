"""Runbook § 3.3 and 3.4: an open breaker, a failing sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app import clock
from app.monitoring.rules.snapshot import Snapshot
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
from app.systems.rules.breaker import CLOSED, OPEN, Breaker
from app.systems.rules.defaults import KNOWN

WATCH_MS = 5 * clock.MINUTE
STATES = {
    CLOSED: "fechado (normal)",
    OPEN: "aberto (bloqueando envios)",
    "half_open": "testando",
}


def away(seen: Snapshot) -> list[str]:
    """Systems whose breaker holds their messages back."""
    return sorted(b.system for b in seen.breakers.values() if b.state != CLOSED)


def to_breaker(system: str) -> Link:
    """The procedure that brings a system's messages back."""
    values = {"key": "breaker", "subject": system}
    return Link(f"Abrir o 3.3: disjuntor de {label(system)}", "runbook.procedure", values)


def label(system: str) -> str:
    """A system's name for people."""
    return KNOWN[system].label if system in KNOWN else system


def _breaker(scene: Scene) -> Breaker | None:
    return scene.seen.breakers.get(scene.subject)


def _breaker_facts(scene: Scene) -> Sequence[Fact]:
    breaker = _breaker(scene)
    if breaker is None:
        return (Fact("Sistema", "nenhum disjuntor fora do normal"),)
    held = scene.seen.held.get(breaker.system, 0)
    facts = [
        Fact("Sistema", label(breaker.system)),
        Fact("Disjuntor", STATES.get(breaker.state, breaker.state)),
        Fact("Mensagens paradas", number(held)),
    ]
    moves = scene.data.get("moves", ())
    if moves:
        facts += [Fact("Motivo da última mudança", moves[0].cause), Fact("Quando", at=moves[0].at)]
    return facts


def _found(scene: Scene) -> Verdict:
    breaker = _breaker(scene)
    if breaker is None:
        return Verdict(PASS, "Todos os disjuntores estão fechados (normal).")
    text = f"{label(breaker.system)}: {STATES.get(breaker.state, breaker.state)}."
    return Verdict(PASS, text)


def _answers(scene: Scene) -> Verdict:
    """A real request of now; what was tested over five minutes ago says nothing any more."""
    did = scene.did.get("probe")
    if _breaker(scene) is None:
        return Verdict(PASS, "Nada a testar.")
    if did is None:
        return Verdict(FAIL, "Ainda não testado nesta execução.")
    told = did.result.get("text", "")
    if not did.result.get("ok"):
        return Verdict(FAIL, f"O teste falhou: {told}. Religar agora não adianta.")
    return Verdict(PASS, f"O sistema respondeu: {told}.")


def _is_closed(scene: Scene) -> Verdict:
    breaker = _breaker(scene)
    if breaker is None or breaker.state == CLOSED:
        return Verdict(PASS, "O disjuntor está fechado: as mensagens saem.")
    held = scene.seen.held.get(breaker.system, 0)
    return Verdict(FAIL, f"Ainda {STATES.get(breaker.state, '')}: {number(held)} paradas.")


def _closed_since(scene: Scene) -> int:
    """When the watch began: the reset, or the last move to closed, not before the run."""
    did = scene.did.get("breaker_reset")
    moved = next((m.at for m in scene.data.get("moves", ()) if m.after == CLOSED), 0)
    return max(scene.started_at, moved, did.at if did else 0)


def _stays(scene: Scene) -> Verdict:
    """Five minutes closed; a reopening since the reset is said loudly."""
    if _is_closed(scene).result != PASS:
        if "breaker_reset" in scene.did:
            text = "REABRIU depois de religado: o sistema ainda está com problema."
            return Verdict(FAIL, text, loud=True)
        return Verdict(FAIL, "Espera o disjuntor fechar.")
    since = _closed_since(scene)
    left = WATCH_MS - (scene.now - since)
    if left <= 0:
        return Verdict(PASS, "Cinco minutos sem reabrir.")
    return Verdict(FAIL, f"Fechado há {minutes(scene.now - since)}; faltam {minutes(left)}.")


def _parked(systems: Sequence[str]) -> str:
    """What an open breaker means."""
    names = ", ".join(sorted(map(label, systems)))
    return f"mensagens para {names} estão paradas" if names else ""


def _open_breakers(seen: Snapshot) -> str:
    return _parked(away(seen))


def _own_breaker(scene: Scene) -> str:
    """Of the run's system alone, whichever else is open."""
    return _parked([name for name in away(scene.seen) if name == scene.subject])


def _reset_curl(scene: Scene) -> Curl:
    return Curl("POST", f"/circuit-breakers/{scene.subject}/reset")


BREAKER = Procedure(
    "breaker", "3.3", "Disjuntor aberto (circuit breaker)",
    "Alertas indicam disjuntor aberto para um sistema.",
    "Mensagens para esse sistema estão paradas; nenhuma se perde.",
    (5, 15),
    (
        Step(
            "which", "Identificar o sistema",
            "Saber qual sistema parou e por que o disjuntor abriu.",
            _found, _breaker_facts,
            links=lambda _: (Link("Ver os disjuntores", "breakers.index"),),
        ),
        Step(
            "probe", "Testar o sistema agora",
            "Uma requisição de teste de verdade, fora da fila: nada do que espera é gasto.",
            _answers, _breaker_facts,
            lambda scene: (
                (Act("probe", fields={"system": scene.subject}),) if scene.subject else ()
            ),
            otherwise="Não respondeu: avise o responsável pelo sistema e teste de novo depois; "
            "mais de 30 minutos, escalone.",
        ),
        Step(
            "reset", "Religar o disjuntor",
            "O hub testaria sozinho; religar à mão faz as mensagens saírem já.",
            _is_closed, _breaker_facts,
            lambda scene: (
                (
                    Act("breaker_reset", fields={"system": scene.subject},
                        curl=_reset_curl(scene)),
                )
                if scene.subject
                else ()
            ),
            otherwise="Abriu de novo: o sistema ainda falha; volte ao teste.",
        ),
        Step(
            "watch", "Vigiar por cinco minutos",
            "Se o sistema não estiver bem, o disjuntor reabre nos primeiros minutos.",
            _stays, _breaker_facts,
            otherwise="Reabriu: não religue de novo em seguida; escalone.",
        ),
    ),
    _open_breakers, ("circuit_breaker",), ("breaker", "endpoint"), about=_own_breaker,
)  # fmt: skip


def _sync_facts(scene: Scene) -> Sequence[Fact]:
    card = scene.data.get("card")
    if card is None:
        return (Fact("Sincronização", "nenhuma falhando"),)
    last = card.last
    return (
        Fact("Sincronização", card.sync.label),
        Fact("Falhas em 24 h", number(card.recent_failures)),
        Fact("Última execução", {"done": "concluída", "failed": "falhou"}.get(last.status, "")
             if last else "nunca"),
        Fact("Terminou", at=last.finished_at if last else None),
        Fact("Pedida por", _asked_by(last) if last else "—"),
        Fact("Itens", f"{number(last.done)} concluídos, {number(last.failed)} com problema, de "
                      f"{number(last.total)} lidos" if last else "—"),
        Fact("Motivo", (last.error if last else "") or "—"),
        Fact("Próxima execução", "pausada", at=card.next_at),
    )  # fmt: skip


def _asked_by(run: Any) -> str:
    return "agenda" if run.trigger == "schedule" else run.asked_by or "—"


def _own_sync(scene: Scene) -> str:
    """Of the run's sync alone, whichever else fails."""
    card = scene.data.get("card")
    if card is None or card.active is not None:
        return ""
    if card.last is not None and card.last.status == "failed":
        return "a última execução falhou"
    return "não rodou no horário" if card.missed_at else ""


def _last_good(scene: Scene) -> Verdict:
    card = scene.data.get("card")
    if card is None:
        return Verdict(PASS, "Nenhuma sincronização está falhando.")
    if card.active is not None:
        return Verdict(FAIL, "Em andamento: acompanhe.")
    if card.last is not None and card.last.status == "done":
        return Verdict(PASS, "A última execução foi concluída.")
    return Verdict(FAIL, "A última execução falhou ou não aconteceu.")


def _tried(scene: Scene) -> Verdict:
    """A run since this one began, or one that went well."""
    if _last_good(scene).result == PASS:
        return Verdict(PASS, "Já há uma execução concluída.")
    did = scene.did.get("sync_run")
    if did is None:
        return Verdict(FAIL, "Problema passageiro? Execute agora, ou espere a próxima execução.")
    if scene.data["card"].active is not None:
        return Verdict(FAIL, "Em andamento: acompanhe abaixo.")
    return Verdict(PASS, "Executada de novo.")


def _run_link(scene: Scene) -> Sequence[Link]:
    card = scene.data.get("card")
    run = card and (card.active or card.last)
    links = [Link("Ver as sincronizações", "syncs.index")]
    if run:
        links.insert(0, Link("Ver a execução e seus itens", "syncs.show", {"run_id": run.id}))
    return links


def _sync_read(scene: Scene) -> Verdict:
    card = scene.data.get("card")
    if card is None or _last_good(scene).result == PASS:
        return Verdict(PASS, "Nada falhando agora.")
    return Verdict(UNKNOWN, "Leia o motivo e os itens com falha abaixo.")


SYNC = Procedure(
    "sync_failing", "3.4", "Sincronização falhando",
    "Uma sincronização terminou com falha ou não rodou no horário.",
    "Os sistemas têm dados diferentes entre si.",
    (10, 30),
    (
        Step(
            "log", "Ler o registro da execução",
            "O motivo diz se é passageiro (sistema fora, tempo esgotado) ou persistente (dado).",
            _sync_read, _sync_facts, links=_run_link, panel="runbook/procedures/_items.html",
            done="Li o motivo",
        ),
        Step(
            "run", "Executar de novo",
            "Problema passageiro se resolve na próxima execução; nada é gravado duas vezes.",
            _tried, _sync_facts,
            lambda scene: (
                (
                    Act("sync_run", fields={"sync": scene.subject},
                        curl=Curl("POST", f"/syncs/{scene.subject}/run")),
                )
                if scene.subject
                else ()
            ),
            otherwise="Falhou igual: é persistente; escalone ao Desenvolvimento com o relatório.",
        ),
        Step(
            "good", "Confirmar que terminou bem",
            "Só uma execução concluída deixa os sistemas iguais de novo.",
            _last_good, _sync_facts, links=_run_link,
            otherwise="Escalone ao Desenvolvimento: dev@carinho.com.vc.",
        ),
    ),
    lambda seen: (
        count(seen.failed_syncs, "falha em 24 h", "falhas em 24 h") if seen.failed_syncs
        else ", ".join(seen.missed_syncs)
    ),
    ("sync_failed", "sync_missed", "sync_long"), ("sync",), about=_own_sync,
)  # fmt: skip
