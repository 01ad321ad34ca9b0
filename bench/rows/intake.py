"""Intake: what the front door takes per second, against a bare route on the same server."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bench.figures import Figure, at_least, at_most
from bench.hub import FILLING, Hub, payload
from bench.loading import Load, load
from bench.processes import NotInTime, cpu
from bench.setting import Setting
from bench.stats import percentile, ratios

CLIENTS = 32
BATCH, BATCH_CLIENTS = 1_000, 2
SECONDS = 4.0


def _event(key: str, **less: object) -> dict[str, object]:
    return {"event_type": "payment.failed", "source_system": "financeiro",
            "payload": {**payload(1), **less}, "idempotency_key": key}  # fmt: skip


ONE = json.dumps(_event("k-@NUMBER@"))
# A body may have 1 MiB: a thousand events share it with half a KiB each.
MANY = json.dumps([_event(f"k-@NUMBER@-{n}", text=FILLING * 4) for n in range(BATCH)])


def run(setting: Setting) -> list[Figure]:
    """Bare, single, batch; in this order in every round."""
    bare, single, batch, cost = [], [], [], []
    for _ in range(setting.rounds):
        bare.append(_bare(setting))
        found, spent = _hub(setting)
        single.append(found)
        cost.append(spent)
        batch.append(_batch(setting))
    return _figures(bare, single, batch, cost)


def _figures(
    bare: Sequence[Load], single: Sequence[Load], batch: Sequence[float], cost: Sequence[float]
) -> list[Figure]:
    ours, theirs = ([one.per_second for one in loads] for loads in (single, bare))
    p99 = [percentile(one.milliseconds, 99) for one in single]
    return [
        Figure(f"intake, {CLIENTS} clients: events", "/s", ours),
        Figure(f"bare Flask route, {CLIENTS} clients", "/s", theirs),
        Figure("intake ÷ bare route", "×", ratios(ours, theirs), at_least(0.25), at_least(0.5)),
        Figure("intake, p99", "ms", p99, None, at_most(30)),
        Figure("CPU of an event at intake", "ms", cost),
        Figure(f"intake in batches of {BATCH:,}: events", "/s", batch, None, at_least(20_000)),
    ]


def _bare(setting: Setting) -> Load:
    with setting.hub() as hub:
        hub.start("web", "bench.bare:app")
        return _press(setting, hub, ONE)


def _hub(setting: Setting) -> tuple[Load, float]:
    """Only the web process: what is measured is the door, not the sending."""
    with setting.hub() as hub:
        web = hub.start("web")
        before = cpu([web])
        found = _press(setting, hub, ONE)
        spent = cpu([web]) - before
        _check(hub, len(found.milliseconds))
        return found, spent / len(found.milliseconds) * 1000


def _batch(setting: Setting) -> float:
    with setting.hub() as hub:
        hub.start("web")
        found = _press(setting, hub, MANY, "/api/events/batch", BATCH_CLIENTS)
        _check(hub, len(found.milliseconds) * BATCH)
        return found.per_second * BATCH


def _press(
    setting: Setting, hub: Hub, body: str, path: str = "/api/events", clients: int = CLIENTS
) -> Load:
    headers = {"X-API-Key": hub.api_key()}
    seconds = SECONDS / 2 if setting.quick else SECONDS
    load(hub.port, path, body, headers, seconds=0.5, connections=clients)
    return load(hub.port, path, body, headers, seconds=seconds, connections=clients)


def _check(hub: Hub, accepted: int) -> None:
    """Every 2xx stands in the database (those of the warm-up too)."""
    ((stored,),) = hub.query("SELECT count(*) FROM integration_events")
    if stored < accepted:
        raise NotInTime(f"{accepted} events were acknowledged and {stored} are stored")
