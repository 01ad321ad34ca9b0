"""What deserves attention now: one table of rules over a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from app import clock, queues
from app.monitoring.rules import bands
from app.monitoring.rules.bands import CRITICAL, NORMAL, UNKNOWN, WARNING, Band
from app.monitoring.rules.snapshot import Snapshot
from app.systems.rules import breaker as breakers
from app.systems.rules.defaults import KNOWN

Severity = Literal["warning", "critical"]
Health = Literal["critical", "degraded", "healthy"]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something to look at; `message` says the effect in plain Portuguese.

    `subject` tells alerts of one type apart (a queue); either `threshold` or `services` is told.
    """

    level: Severity
    type: str
    message: str
    value: float
    threshold: float | None = None
    services: tuple[str, ...] = ()
    subject: str = ""

    @property
    def key(self) -> str:
        """Names the cause: there is one open alert for it at a time."""
        return f"{self.type}:{self.subject}"

    def as_data(self) -> dict[str, Any]:
        """The alert as JSON."""
        data = {"level": self.level, "type": self.type, "message": self.message}
        if self.services:
            return {**data, "value": self.value, "services": list(self.services)}
        return {**data, "value": self.value, "threshold": self.threshold}


def alerts(seen: Snapshot) -> list[Alert]:
    """Alerts of the moment, critical ones first."""
    found = [alert for rule in RULES for alert in rule(seen)]
    return sorted([*found, *seen.others], key=lambda alert: alert.level != CRITICAL)


def by_cause(found: Iterable[Alert]) -> list[Alert]:
    """The same with one alert a cause: those that name several systems are taken apart."""
    return [each for alert in found for each in (_apart(alert) if alert.services else (alert,))]


def _apart(alert: Alert) -> Iterator[Alert]:
    text = BREAKER_TEXTS[alert.level]
    for system in alert.services:
        yield replace(
            alert,
            message=text.format(_labels((system,))),
            value=1,
            services=(system,),
            subject=system,
        )


def health(found: Iterable[Alert]) -> Health:
    """critical with any critical alert, degraded with any other, else healthy."""
    levels = {alert.level for alert in found}
    if CRITICAL in levels:
        return "critical"
    return "degraded" if levels else "healthy"


def count(found: Iterable[Alert], level: Severity) -> int:
    """How many alerts have the level."""
    return sum(alert.level == level for alert in found)


Rule = Callable[[Snapshot], Iterator[Alert]]


def _band(measure: str, kind: str, text: str, read: Callable[[Snapshot], float | None]) -> Rule:
    """A rule with the limits that the measure has at the time."""
    return lambda seen: _over(seen.limits[measure], kind, text, read)(seen)


def _over(limits: Band, kind: str, text: str, read: Callable[[Snapshot], float | None]) -> Rule:
    """A rule with two limits; `{}` in the text is the value."""

    def rule(seen: Snapshot) -> Iterator[Alert]:
        value = read(seen)
        level = limits.of(value)
        if value is not None and level != NORMAL and level != UNKNOWN:
            message = text.format(_number(value))
            yield Alert(level, kind, message, round(value, 2), limits.crossed(value))

    return rule


def _queue_sizes(seen: Snapshot) -> Iterator[Alert]:
    """Queues over 500 items; the retry queue has its own, lower limits."""
    for queue, n in seen.queue_sizes.items():
        if queue != queues.RETRY and n > bands.QUEUE_SIZE:
            text = f"A fila {queue} tem {_number(n)} itens: as entregas dela estão atrasadas."
            yield Alert(WARNING, "queue_size", text, n, bands.QUEUE_SIZE, subject=queue)


def _failed_syncs(seen: Snapshot) -> Iterator[Alert]:
    n, limit = seen.failed_syncs, bands.FAILED_SYNCS
    if n > limit:
        text = f"{n} sincronizações falharam em 24 h: os sistemas podem ter dados diferentes."
        yield Alert(WARNING, "sync_failed", text, n, limit)


def _missed_syncs(seen: Snapshot) -> Iterator[Alert]:
    """A sync whose time came and that did not begin."""
    for label, slot in seen.missed_syncs.items():
        late = max(seen.now - slot, 0) // clock.MINUTE
        text = f"A sincronização {label} não rodou no horário ({_number(late)} min de atraso)."
        yield Alert(WARNING, "sync_missed", text, late, 0, subject=label)


def _long_syncs(seen: Snapshot) -> Iterator[Alert]:
    """A sync that began and does not come to its end."""
    for label, began in seen.long_syncs.items():
        minutes = (seen.now - began) // clock.MINUTE
        if minutes >= bands.SYNC_MINUTES:
            text = (
                f"A sincronização {label} roda há {_number(minutes)} min: enquanto não termina, a "
                "próxima não começa."
            )
            yield Alert(WARNING, "sync_long", text, minutes, bands.SYNC_MINUTES, subject=label)


BREAKER_TEXTS: dict[Severity, str] = {
    CRITICAL: "Disjuntor aberto: mensagens para {} estão paradas e sairão quando o sistema voltar.",
    WARNING: "Disjuntor em teste: mensagens para {} esperam a confirmação de que o sistema voltou.",
}


def _breakers(seen: Snapshot) -> Iterator[Alert]:
    """Open: nothing leaves. Half-open: one message at a time tests whether the system is back.

    A system in maintenance is known to be away and raises nothing.
    """
    told: tuple[tuple[str, Severity], ...] = (
        (breakers.OPEN, CRITICAL),
        (breakers.HALF_OPEN, WARNING),
    )
    tried = [b for b in seen.breakers.values() if b.system not in seen.maintained]
    for state, level in told:
        systems = tuple(b.system for b in tried if b.state == state)
        if systems:
            message = BREAKER_TEXTS[level].format(_labels(systems))
            yield Alert(level, "circuit_breaker", message, len(systems), services=systems)


def _whatsapp(seen: Snapshot) -> Iterator[Alert]:
    """Known to be disconnected for over 15 minutes; not having looked is no alert."""
    since = seen.whatsapp.disconnected_at
    if seen.whatsapp.connected is not False or since is None or "whatsapp" in seen.maintained:
        return
    minutes = (seen.now - since) / clock.MINUTE
    if minutes > bands.WHATSAPP_MINUTES:
        text = (
            f"WhatsApp desconectado há {int(minutes)} min: mensagens não são enviadas nem "
            "recebidas."
        )
        yield Alert(CRITICAL, "whatsapp", text, int(minutes), bands.WHATSAPP_MINUTES)


def _whatsapp_silent(seen: Snapshot) -> Iterator[Alert]:
    """The provider has not said for over 15 minutes whether the phone is there."""
    since = seen.whatsapp.silent_since
    if since is None or "whatsapp" in seen.maintained:
        return
    minutes = int((seen.now - since) / clock.MINUTE)
    if minutes >= bands.WHATSAPP_MINUTES:
        text = f"A Z-API não responde há {minutes} min: não se sabe se o WhatsApp está conectado."
        yield Alert(WARNING, "whatsapp_silent", text, minutes, bands.WHATSAPP_MINUTES)


def _whatsapp_account(seen: Snapshot) -> Iterator[Alert]:
    """The account lapses within days."""
    due = seen.whatsapp.due_at
    if due is None:
        return
    days = (due - seen.now) / clock.DAY
    if days < bands.WHATSAPP_DAYS:
        left = f"vence em {max(int(days), 0)} d" if days > 0 else "venceu"
        text = f"A conta da Z-API {left}: sem o pagamento o WhatsApp para."
        yield Alert(WARNING, "whatsapp_account", text, int(days), bands.WHATSAPP_DAYS)


def _processes(seen: Snapshot) -> Iterator[Alert]:
    """A clock or a queue's worker that has not been heard of for 30 s."""
    if not seen.processes.get("scheduler"):
        text = (
            "O agendador está parado: novas tentativas atrasam e as rotinas com hora marcada "
            "não acontecem."
        )
        yield Alert(CRITICAL, "scheduler", text, 0, 1)
    for queue in queues.QUEUES:
        if not seen.processes.get(f"worker:{queue}"):
            text = f"Nenhum worker atende a fila {queue}: o que está nela não anda."
            yield Alert(CRITICAL, "worker", text, 0, 1, subject=queue)


def _redis(seen: Snapshot) -> Iterator[Alert]:
    if not seen.redis.ok:
        text = "O Redis não responde: as entregas continuam, com alguns segundos de atraso."
        yield Alert(WARNING, "redis", text, 0, 1)


# The whole of domain § 4, then the hub's own parts.
RULES: tuple[Rule, ...] = (
    _band(bands.PENDING, "pending_events",
          "{} eventos ainda não chegaram a nenhum sistema.", lambda s: s.pending),
    _over(bands.RETRIES, "retry_queue",
          "{} mensagens falharam e esperam nova tentativa: os destinos estão atrasados.",
          lambda s: s.retry_total),
    _band(bands.DLQ, "dead_letter_queue",
          "{} mensagens não foram entregues e esperam uma decisão: os destinos estão sem elas.",
          lambda s: s.dead_total),
    _over(bands.ERRORS, "error_rate",
          "{} % dos eventos das últimas 24 h não chegaram a todos os destinos.",
          lambda s: s.error_rate),
    _failed_syncs,
    _missed_syncs,
    _long_syncs,
    _breakers,
    _whatsapp,
    _whatsapp_silent,
    _whatsapp_account,
    _queue_sizes,
    _band(bands.LATENCY, "database_latency",
          "O banco de dados está lento ({} ms): o hub inteiro demora mais.",
          lambda s: s.database.latency_ms),
    _band(bands.WAIT, "queue_time",
          "Há mensagens que poderiam sair e esperam há {} s: as entregas estão atrasadas.",
          lambda s: s.longest_wait),
    _processes,
    _redis,
)  # fmt: skip


def _labels(systems: Sequence[str]) -> str:
    """CRM, Operação e Site."""
    names = [KNOWN[system].label if system in KNOWN else system for system in systems]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} e {names[-1]}"


def _number(value: float) -> str:
    """1.234 or 5,6, as people write it here."""
    text = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,"))
