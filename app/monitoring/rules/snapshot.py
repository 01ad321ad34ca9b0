"""The hub at one moment, as alerts, gauges and pages look at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app import queues
from app.monitoring.rules import bands
from app.monitoring.rules.bands import SLA, Band, Level
from app.systems.rules import breaker as breakers
from app.systems.rules.breaker import Breaker

if TYPE_CHECKING:
    from app.monitoring.rules.alerts import Alert

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer of a part the hub stands on; `latency_ms` is None when there was none."""

    latency_ms: float | None

    @property
    def ok(self) -> bool:
        """Whether it answered."""
        return self.latency_ms is not None


@dataclass(frozen=True, slots=True)
class WhatsApp:
    """What is known of the WhatsApp connection; None: nobody has looked. Times in ms.

    `due_at`: until when the account is paid. `silent_since`: it was connected or never answered,
    and since then nobody answers.
    """

    connected: bool | None = None
    status: str = "not_checked"
    disconnected_at: int | None = None
    due_at: int | None = None
    silent_since: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Readings taken at `now` (ms). Pairs are the labels of the counters.

    `waits`: per queue, for how long (ms) the oldest message that could leave has not left.
    `done`, `failed`: events that ended in the last 24 h. `limits`: the bands in force.
    `maintained`: systems in maintenance, that raise nothing. `others`: alerts of later domains.
    """

    now: int
    database: Ping
    redis: Ping
    pending: int = 0
    unplanned: int = 0
    waiting: Mapping[Pair, int] = field(default_factory=dict)
    waits: Mapping[str, int] = field(default_factory=dict)
    retry_ready: int = 0
    retry_oldest: int | None = None
    dead: Mapping[Pair, int] = field(default_factory=dict)
    done: int = 0
    failed: int = 0
    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    paused: frozenset[str] = frozenset()
    processes: Mapping[str, int] = field(default_factory=dict)
    whatsapp: WhatsApp = field(default_factory=WhatsApp)
    failed_syncs: int = 0
    missed_syncs: Mapping[str, int] = field(default_factory=dict)
    long_syncs: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, Band] = field(default_factory=lambda: SLA)
    maintained: frozenset[str] = frozenset()
    others: Sequence[Alert] = ()

    @property
    def queue_sizes(self) -> dict[str, int]:
        """Per queue: deliveries that have not ended; on `integrations` also unplanned events."""
        sizes = dict.fromkeys(queues.QUEUES, 0)
        sizes[queues.DEFAULT] = self.unplanned
        for (queue, _), n in self.waiting.items():
            sizes[queue] = sizes.get(queue, 0) + n
        return sizes

    @property
    def held(self) -> dict[str, int]:
        """Per system that takes nothing now (breaker, pause): what waits for it."""
        stopped = {b.system for b in self.breakers.values() if b.state != breakers.CLOSED}
        sums: Counter[str] = Counter()
        for (_, system), n in self.waiting.items():
            if system in stopped | self.paused:
                sums[system] += n
        return dict(sums)

    @property
    def retry_total(self) -> int:
        """Deliveries that failed and wait for their next attempt."""
        return self.queue_sizes[queues.RETRY]

    @property
    def dead_total(self) -> int:
        """Open dead letters."""
        return sum(self.dead.values())

    @property
    def error_rate(self) -> float | None:
        """Percent of the events ended in 24 h that failed; None when none ended."""
        ended = self.done + self.failed
        return 100 * self.failed / ended if ended else None

    @property
    def success_rate(self) -> float | None:
        """The rest of it."""
        rate = self.error_rate
        return None if rate is None else 100 - rate

    @property
    def longest_wait(self) -> float:
        """Seconds that the oldest message of all queues has waited though it could leave."""
        return max(self.waits.values(), default=0) / 1000

    @property
    def measures(self) -> dict[str, float | None]:
        """Values of the five measures of the runbook."""
        return {
            bands.SUCCESS: self.success_rate,
            bands.PENDING: self.pending,
            bands.DLQ: self.dead_total,
            bands.LATENCY: self.database.latency_ms,
            bands.WAIT: self.longest_wait,
        }

    @property
    def sla(self) -> dict[str, Level]:
        """Their bands."""
        return {name: self.limits[name].of(value) for name, value in self.measures.items()}
