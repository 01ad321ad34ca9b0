"""The measures of the service and their bands (runbook § 6, domain § 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["normal", "warning", "critical", "unknown"]
NORMAL: Literal["normal"] = "normal"
WARNING: Literal["warning"] = "warning"
CRITICAL: Literal["critical"] = "critical"
UNKNOWN: Literal["unknown"] = "unknown"


@dataclass(frozen=True, slots=True)
class Band:
    """Limits of a measure: `warning` itself already warns, `critical` itself does not yet alarm.

    So "100-500: alerta" of the runbook holds both ends. With `low_is_bad` it is mirrored.
    """

    label: str
    unit: str
    warning: float
    critical: float
    low_is_bad: bool = False

    def of(self, value: float | None) -> Level:
        """The band of a value; unknown when there is none (nothing processed, no answer)."""
        if value is None:
            return UNKNOWN
        sign = -1 if self.low_is_bad else 1
        if sign * value > sign * self.critical:
            return CRITICAL
        return WARNING if sign * value >= sign * self.warning else NORMAL

    def crossed(self, value: float) -> float:
        """The limit that the value has passed last."""
        return self.critical if self.of(value) == CRITICAL else self.warning


SUCCESS, PENDING, DLQ = "success_rate", "pending_events", "dead_letters"
LATENCY, WAIT = "database_latency", "queue_time"

# The five measures of the runbook, in its order.
SLA: dict[str, Band] = {
    SUCCESS: Band("Taxa de sucesso", "%", 95, 90, low_is_bad=True),
    PENDING: Band("Eventos pendentes", "", 100, 500),
    DLQ: Band("DLQ", "", 10, 50),
    LATENCY: Band("Latência DB", "ms", 50, 100),
    WAIT: Band("Tempo de fila", "s", 30, 60),
}

# Beside them: what only alerts look at. The runbook's success band and this error rate are two
# different limits on purpose (critical below 90 % there, above 15 % here).
RETRIES = Band("Retry queue", "", 50, 200)
ERRORS = Band("Taxa de erro em 24 h", "%", 5, 15)
QUEUE_SIZE = 500
FAILED_SYNCS = 2
SYNC_MINUTES = 60
WHATSAPP_MINUTES = 15
WHATSAPP_DAYS = 5
