"""Runbook § 3.5 and 3.7: a high error rate, a slow database."""

from __future__ import annotations

from collections.abc import Sequence

from app import clock
from app.monitoring.rules import bands
from app.monitoring.rules.snapshot import Snapshot
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
    by_person,
    number,
)

STEADY_MS = clock.MINUTE


def _rate(value: float | None) -> str:
    return "sem dados" if value is None else f"{number(round(value, 1))} %"


def _rate_facts(scene: Scene) -> Sequence[Fact]:
    worst = scene.data.get("worst", {})
    facts = [
        Fact("Taxa de erro em 24 h", _rate(scene.seen.error_rate)),
        Fact("No dia anterior", _rate(scene.data.get("rate_before"))),
        Fact("Eventos que falharam", number(scene.seen.failed)),
    ]
    for key, title in (("type", "Tipo que mais falha"), ("source", "Origem que mais falha"),
                       ("system", "Sistema que mais recusa")):  # fmt: skip
        if worst.get(key):
            facts.append(Fact(title, worst[key]))
    return facts


def _is_normal(scene: Scene) -> Verdict:
    rate = scene.seen.error_rate
    if rate is None:
        return Verdict(PASS, "Nenhum evento terminou em 24 h.")
    if bands.ERRORS.of(rate) == bands.NORMAL:
        return Verdict(PASS, f"Taxa de erro normal: {_rate(rate)}.")
    return Verdict(FAIL, f"Taxa de erro em {_rate(rate)} (normal: menos de 5 %).")


def _recent(scene: Scene) -> Verdict:
    """The 24 h weigh for a day: what counts for the end is the last quarter of an hour."""
    failed, ended = scene.data.get("recent", (0, 0))
    if _is_normal(scene).result == PASS:
        return _is_normal(scene)
    if not ended:
        return Verdict(UNKNOWN, "Nada terminou nos últimos 15 minutos: espere ou confira.")
    if 100 * failed / ended < bands.ERRORS.warning:
        return Verdict(PASS, f"Nos últimos 15 min: {number(failed)} de {number(ended)} falharam.")
    return Verdict(FAIL, f"Nos últimos 15 min ainda {number(failed)} de {number(ended)} falharam.")


def _seen_or_normal(scene: Scene) -> Verdict:
    found = _is_normal(scene)
    return found if found.result == PASS else by_person(scene)


ERRORS = Procedure(
    "error_rate", "3.5", "Alta taxa de erro",
    "Mais de 5 % dos eventos não chegaram a todos os destinos.",
    "Muitos eventos não processados.",
    (15, 60),
    (
        Step(
            "where", "Ver que tipo e que origem falham mais",
            "Comparado com o dia anterior, o que mudou salta aos olhos.",
            _seen_or_normal, _rate_facts, panel="runbook/procedures/_rates.html",
            links=lambda _: (
                Link("Ver eventos que falharam", "events.index", {"status": "failed"}),
            ),
            done="Já sei onde",
        ),
        Step(
            "lines", "Ler as últimas falhas",
            "O texto do erro mostra o padrão: um sistema, um dado, uma credencial.",
            _seen_or_normal, panel="runbook/procedures/_lines.html", done="Já sei o padrão",
            otherwise="Não entendeu o padrão: escalone com o relatório.",
        ),
        Step(
            "changed", "Ver o que mudou",
            "Mapeamento, endpoint, chave ou segredo trocado pouco antes costuma ser a causa.",
            _seen_or_normal, panel="runbook/procedures/_changes.html",
            done="Causa identificada",
        ),
        Step(
            "act", "Agir conforme a causa",
            "Sistema fora: disjuntor (3.3). Mensagens com erro: decisão por causa (3.2). "
            "Mudança errada: desfaça-a.",
            _recent, _rate_facts,
            links=lambda _: (
                Link("Mensagens com erro", "dead_letters.index"),
                Link("Disjuntores", "breakers.index"),
                Link("Sistemas", "systems.index"),
            ),
            otherwise="Escalone ao Desenvolvimento: dev@carinho.com.vc.",
        ),
    ),
    lambda seen: (
        f"{_rate(seen.error_rate)} de erro"
        if seen.error_rate is not None and bands.ERRORS.of(seen.error_rate) != bands.NORMAL
        else ""
    ),
    ("error_rate",), ("dlq", "mapping", "endpoint", "system", "breaker"),
)  # fmt: skip


def _latency(seen: Snapshot) -> str:
    value = seen.database.latency_ms
    return "não responde" if value is None else f"{number(round(value, 1))} ms"


def _database_facts(scene: Scene) -> Sequence[Fact]:
    limits = scene.seen.limits[bands.LATENCY]
    return [
        Fact("Latência agora", _latency(scene.seen)),
        Fact("Limites", f"alerta em {number(limits.warning)} ms, crítico acima de "
                        f"{number(limits.critical)} ms"),
        *scene.data.get("database", ()),
    ]  # fmt: skip


def _is_fast(scene: Scene) -> Verdict:
    if scene.seen.sla[bands.LATENCY] == bands.NORMAL:
        return Verdict(PASS, f"Latência normal: {_latency(scene.seen)}.")
    return Verdict(FAIL, f"Lento: {_latency(scene.seen)}. O hub inteiro demora mais.")


def _slow_now(seen: Snapshot) -> str:
    return "" if seen.sla[bands.LATENCY] == bands.NORMAL else _latency(seen)


def _none_slow(scene: Scene) -> Verdict:
    """No statement was slow in the last ten minutes."""
    lately = [s for s in scene.data.get("slow", ()) if s.at > scene.now - 10 * clock.MINUTE]
    if not lately:
        return Verdict(PASS, "Nenhuma consulta lenta nos últimos 10 minutos.")
    return Verdict(FAIL, f"{number(len(lately))} consultas lentas nos últimos 10 minutos.")


def _room(scene: Scene) -> Verdict:
    free = scene.data.get("disk_free_percent")
    if free is not None and free < 10:
        return Verdict(FAIL, f"Disco quase cheio: {number(free)} % livre. Limpe dados antigos.")
    load = scene.data.get("load_per_cpu")
    if load is not None and load > 2:
        return Verdict(FAIL, f"Servidor sobrecarregado: {number(round(load, 1))} por processador.")
    return Verdict(PASS, "Disco e processador com folga.")


DATABASE = Procedure(
    "db_slow", "3.7", "Banco de dados lento",
    "Latência do banco acima de 100 ms.",
    "Processamento lento de eventos; as telas também demoram.",
    (30, 60),
    (
        Step(
            "latency", "Ver a latência agora e ao longo do tempo",
            "Um pico isolado passa sozinho; uma subida constante não.",
            _is_fast, _database_facts, panel="runbook/procedures/_latency.html",
            done="Continuo a procurar",
        ),
        Step(
            "slow", "Ver as consultas lentas",
            "Mostra o que o próprio hub esperou e, onde há servidor, o que ele faz agora.",
            _none_slow, panel="runbook/procedures/_slow.html", done="Anotei as consultas",
        ),
        Step(
            "server", "Ver os recursos do servidor, os índices e o tamanho",
            "Disco cheio, processador ocupado ou tabela enorme deixam tudo lento.",
            _room, _database_facts, lambda _: (Act("cleanup"),),
            panel="runbook/procedures/_tables.html",
            otherwise="Escalone ao DBA pelo Desenvolvimento, com este relatório.",
        ),
        Step(
            "fast", "Confirmar que voltou ao normal",
            "Só acaba com a latência na faixa normal.",
            _is_fast, _database_facts,
            otherwise="Escalone: dev@carinho.com.vc.",
        ),
    ),
    _slow_now, ("database_latency", "redis"), ("cleanup", "workers"),
    "Escalone ao DBA pelo Desenvolvimento (nível 2): dev@carinho.com.vc.",
)  # fmt: skip
