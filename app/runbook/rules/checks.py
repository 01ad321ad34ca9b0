"""What the live data says about each item of a checklist: passes, fails or cannot tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app import clock
from app.monitoring.rules import bands
from app.monitoring.rules.alerts import alerts
from app.monitoring.rules.bands import NORMAL, Band
from app.monitoring.rules.snapshot import Snapshot
from app.systems.rules.breaker import CLOSED

Result = Literal["pass", "fail", "unknown"]
PASS: Literal["pass"] = "pass"  # noqa: S105
FAIL: Literal["fail"] = "fail"
UNKNOWN: Literal["unknown"] = "unknown"
# Evidence that says the same is written again after this long, so that its time stays honest.
STALE_MS = clock.MINUTE
MOST_DETAILS = 5
# A late checklist is an alert, too; it is none of the checklist's business.
OWN_ALERT = "checklist"


@dataclass(frozen=True, slots=True)
class NightRun:
    """How a sync went since the evening before; `ended` counts its runs, `failed` the bad ones."""

    label: str
    ended: int
    failed: int


@dataclass(frozen=True, slots=True)
class Readings:
    """All that the checks look at. `done`, `failed`: events of the operation's day."""

    seen: Snapshot
    done: int = 0
    failed: int = 0
    night: tuple[NightRun, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check found at `at` (ms), in words for people."""

    result: Result
    value: str
    threshold: str
    at: int
    details: tuple[str, ...] = ()

    @property
    def says(self) -> tuple[Any, ...]:
        """All but the time."""
        return self.result, self.value, self.threshold, self.details

    def as_json(self) -> str:
        """As it is stored."""
        return json.dumps(asdict(self), ensure_ascii=False)


def from_json(stored: str) -> Evidence | None:
    """Stored evidence; None where there is none yet."""
    if not stored:
        return None
    data = json.loads(stored)
    return Evidence(**{**data, "details": tuple(data["details"])})


def is_news(before: Evidence | None, found: Evidence) -> bool:
    """Whether what was found is to be written down: it says something else, or time has passed."""
    return before is None or before.says != found.says or found.at - before.at >= STALE_MS


@dataclass(frozen=True, slots=True)
class Check:
    """A question to the data: `procedure` (its key) mends it, `endpoint` and `path` show more."""

    label: str
    look: Callable[[Readings], Evidence]
    procedure: str = ""
    endpoint: str = ""
    path: str = ""


def number(value: float) -> str:
    """1.234 or 5,6, as people write it here."""
    text = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,"))


def _whatsapp(readings: Readings) -> Evidence:
    state, now = readings.seen.whatsapp, readings.seen.now
    if state.connected is None:
        silent = state.silent_since is not None
        word = "a Z-API não responde" if silent else "ninguém verificou ainda"
        return Evidence(UNKNOWN, word, "conectado", now)
    if state.connected:
        return Evidence(PASS, "conectado", "conectado", now)
    since = state.disconnected_at
    length = f" há {(now - since) // clock.MINUTE} min" if since is not None else ""
    return Evidence(FAIL, f"desconectado{length}", "conectado", now)


def _alerts(readings: Readings) -> Evidence:
    found = [alert for alert in alerts(readings.seen) if alert.type != OWN_ALERT]
    texts = tuple(alert.message for alert in found[:MOST_DETAILS])
    value = {0: "nenhum alerta", 1: "1 alerta"}.get(len(found), f"{len(found)} alertas")
    return Evidence(FAIL if found else PASS, value, "nenhum", readings.seen.now, texts)


def _within(
    limits: Callable[[Readings], Band],
    unit: tuple[str, str],
    read: Callable[[Readings], float | None],
) -> Callable[[Readings], Evidence]:
    """A check that passes while the value is in the normal band; no value: cannot tell."""

    def look(readings: Readings) -> Evidence:
        limit, value, now = limits(readings), read(readings), readings.seen.now
        threshold = f"menos de {number(limit.warning)}{_unit(unit, limit.warning)}"
        if value is None:
            return Evidence(UNKNOWN, "sem dados", threshold, now)
        value = round(value, 1)
        result = PASS if limit.of(value) == NORMAL else FAIL
        return Evidence(result, f"{number(value)}{_unit(unit, value)}", threshold, now)

    return look


def _unit(unit: tuple[str, str], value: float) -> str:
    """The unit after a number, with its space; '' where there is none."""
    word = unit[0] if value == 1 else unit[1]
    return f" {word}" if word else ""


def _queues(readings: Readings) -> Evidence:
    sizes, most = readings.seen.queue_sizes, bands.QUEUE_SIZE
    name, largest = max(sizes.items(), key=lambda pair: pair[1])
    over = tuple(f"{queue}: {number(n)}" for queue, n in sizes.items() if n > most)
    value = f"{number(largest)} na maior ({name})" if largest else "todas vazias"
    threshold = f"até {number(most)} em cada fila"
    return Evidence(FAIL if over else PASS, value, threshold, readings.seen.now, over)


def _night(readings: Readings) -> Evidence:
    """All ran since the evening before and none ended badly."""
    runs, now, threshold = readings.night, readings.seen.now, "todas executadas, sem falha"
    bad = tuple(
        f"{run.label}: {f'{run.failed} com falha' if run.failed else 'não executou'}"
        for run in runs
        if run.failed or not run.ended
    )
    if not any(run.ended for run in runs):
        return Evidence(UNKNOWN, "nenhuma execução registrada", threshold, now)
    value = f"{len(runs) - len(bad)} de {len(runs)} em ordem"
    return Evidence(FAIL if bad else PASS, value, threshold, now, bad)


def _error_rate(readings: Readings) -> float | None:
    ended = readings.done + readings.failed
    return 100 * readings.failed / ended if ended else None


def _breakers(readings: Readings) -> Evidence:
    names = tuple(b.system for b in readings.seen.breakers.values() if b.state != CLOSED)
    value = f"{len(names)} fora do normal" if names else "todos fechados (normal)"
    return Evidence(FAIL if names else PASS, value, "todos fechados", readings.seen.now, names)


def _manual(readings: Readings) -> Evidence:
    return Evidence(UNKNOWN, "a pessoa verifica", "—", readings.seen.now)


MESSAGES = ("mensagem", "mensagens")
CHECKS: Mapping[str, Check] = {
    "whatsapp": Check("Conexão do WhatsApp", _whatsapp, "whatsapp_disconnected", "", "/status"),
    "alerts": Check("Alertas ativos", _alerts, "", "alerts.index", "/alerts"),
    "dlq": Check(
        "Mensagens com erro (DLQ)",
        _within(lambda r: r.seen.limits[bands.DLQ], MESSAGES, lambda r: r.seen.dead_total),
        "dlq", "dead_letters.index", "/api/dlq",
    ),
    "syncs_night": Check(
        "Sincronizações da noite", _night, "sync_failing", "syncs.index", "/status"
    ),
    "queues": Check(
        "Tamanho das filas", _queues, "queue_large", "monitoring.queues", "/health/detailed"
    ),
    "error_rate": Check(
        "Taxa de erro do dia", _within(lambda _: bands.ERRORS, ("%", "%"), _error_rate),
        "error_rate", "monitoring.dashboard", "/dashboard",
    ),
    "pending": Check(
        "Eventos pendentes",
        _within(
            lambda r: r.seen.limits[bands.PENDING], ("evento", "eventos"), lambda r: r.seen.pending
        ),
        "queue_large", "events.index", "/status",
    ),
    "retry_queue": Check(
        "Fila de novas tentativas",
        _within(lambda _: bands.RETRIES, MESSAGES, lambda r: r.seen.retry_total),
        "error_rate", "monitoring.queues", "/status",
    ),
    "breakers": Check(
        "Disjuntores", _breakers, "breaker", "breakers.index", "/circuit-breakers"
    ),
    "database": Check(
        "Latência do banco de dados",
        _within(
            lambda r: r.seen.limits[bands.LATENCY],
            ("ms", "ms"),
            lambda r: r.seen.database.latency_ms,
        ),
        "db_slow", "monitoring.dashboard", "/health/detailed",
    ),
    "manual": Check("Sem dados: a pessoa verifica", _manual),
}  # fmt: skip


def look(check: str, readings: Readings) -> Evidence:
    """What the data says; a check that no longer exists cannot tell."""
    return CHECKS.get(check, CHECKS["manual"]).look(readings)
