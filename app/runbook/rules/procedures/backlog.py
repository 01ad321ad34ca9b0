"""Runbook § 3.6: a queue that is too large."""

from __future__ import annotations

from collections.abc import Sequence

from app import queues
from app.monitoring.rules import bands
from app.monitoring.rules.snapshot import Snapshot
from app.monitoring.rules.workers import LINE_OF
from app.runbook.rules.procedures.connections import away, label, to_breaker
from app.runbook.rules.procedures.shape import (
    FAIL,
    PASS,
    UNKNOWN,
    Act,
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


def _large(seen: Snapshot) -> str:
    """The queue most over its size."""
    name, size = max(seen.queue_sizes.items(), key=lambda pair: pair[1])
    limit = bands.RETRIES.warning if name == queues.RETRY else bands.QUEUE_SIZE
    return name if size > limit else ""


def _queues_now(seen: Snapshot) -> str:
    """Without workers, too large, or too slow: in the order in which it is to be mended."""
    if dead := _without_worker(seen):
        return f"sem worker: {', '.join(dead)}"
    if name := _large(seen):
        return f"{name}: {number(seen.queue_sizes[name])} itens"
    if seen.longest_wait > bands.SLA[bands.WAIT].warning:
        return f"a mais antiga espera há {number(seen.longest_wait)} s"
    return ""


def _without_worker(seen: Snapshot) -> list[str]:
    return [name for name in queues.QUEUES if not seen.processes.get(f"worker:{name}")]


def _queue_facts(scene: Scene) -> Sequence[Fact]:
    return [
        Fact(
            name,
            f"{number(size)} na fila · espera {minutes(scene.seen.waits.get(name, 0))} · "
            f"{count(scene.seen.processes.get(f'worker:{name}', 0), 'worker', 'workers')}",
        )
        for name, size in scene.seen.queue_sizes.items()
    ]


def _all_alive(scene: Scene) -> Verdict:
    if dead := _without_worker(scene.seen):
        return Verdict(FAIL, f"Sem worker vivo: {', '.join(dead)}. Reinicie os workers.")
    return Verdict(PASS, "Todas as filas têm worker vivo.")


def _bottleneck(scene: Scene) -> Verdict:
    held = {name: n for name, n in scene.seen.held.items() if n}
    if held:
        text = ", ".join(f"{label(name)} ({number(n)})" for name, n in held.items())
        return Verdict(FAIL, f"Paradas por disjuntor ou pausa: {text}. Abra o 3.3.")
    if scene.seen.sla["database_latency"] not in ("normal", "unknown"):
        return Verdict(FAIL, "O banco de dados está lento: abra o 3.7.")
    return Verdict(PASS, "Nenhum sistema segura a fila e o banco está rápido.")


def _small(scene: Scene) -> Verdict:
    name = _large(scene.seen)
    if name:
        return Verdict(FAIL, f"{name}: {number(scene.seen.queue_sizes[name])} na fila.")
    if scene.seen.longest_wait > bands.SLA[bands.WAIT].warning:
        return Verdict(FAIL, f"A mais antiga espera há {number(scene.seen.longest_wait)} s.")
    return Verdict(PASS, "As filas estão normais.")


def _more_workers(scene: Scene) -> Sequence[Act]:
    queue = scene.subject or _large(scene.seen) or queues.HIGH
    usual = scene.data.get("usual", {}).get(LINE_OF[queue], 1)
    return (
        Act("workers_add", f"Dobrar os workers de {queue} por 60 min",
            {"line": LINE_OF[queue], "count": min(usual * 2, 8), "minutes": 60}),
    )  # fmt: skip


def _helped(scene: Scene) -> Verdict:
    if _small(scene).result == PASS:
        return Verdict(PASS, "A fila já está normal: não é preciso.")
    if "workers_add" in scene.did:
        return Verdict(PASS, "Workers acrescentados por um tempo.")
    return Verdict(UNKNOWN, "Se a fila só está grande, acrescente workers por um tempo.")


QUEUES = Procedure(
    "queue_large", "3.6", "Fila muito grande",
    "Uma fila tem mais de 500 itens, ou mensagens esperam demais.",
    "As entregas estão atrasadas.",
    (10, 20),
    (
        Step(
            "alive", "Verificar se os workers estão vivos",
            "Fila sem worker não anda; reiniciar não perde mensagem nenhuma.",
            _all_alive, _queue_facts, lambda _: (Act("workers_restart"),),
            lambda _: (Link("Ver filas e workers", "monitoring.queues"),),
            panel="runbook/procedures/_workers.html",
            otherwise="Não voltaram em um minuto: escalone.",
        ),
        Step(
            "bottleneck", "Procurar o gargalo",
            "Disjuntor aberto, sistema pausado ou banco lento seguram a fila; mais workers não "
            "ajudam nesses casos.",
            _bottleneck, _queue_facts,
            links=lambda scene: (
                *map(to_breaker, away(scene.seen)),
                Link("Ver os disjuntores", "breakers.index"),
                Link("Ver o painel", "monitoring.dashboard"),
            ),
        ),
        Step(
            "more", "Acrescentar workers por um tempo",
            "Com hora para acabar: o número volta sozinho ao normal.",
            _helped, _queue_facts, _more_workers, done="Não precisa",
        ),
        Step(
            "small", "Confirmar que a fila diminui",
            "O atraso acaba quando a fila volta ao normal.",
            _small, _queue_facts, otherwise="Não diminui: escalone ao Desenvolvimento.",
        ),
    ),
    _queues_now,
    ("queue_size", "queue_time", "pending_events", "worker", "scheduler", "retry_queue"),
    ("workers",),
)  # fmt: skip
