"""An idle hub: from "accepted" to "received", one event at a time."""

from __future__ import annotations

from bench.figures import Figure, at_most
from bench.posting import delays, post
from bench.setting import Setting
from bench.stats import percentile

EVENTS, PAUSE = 200, 0.03
WARM_UP = 20


def run(setting: Setting) -> list[Figure]:
    """All processes of the Procfile that a message passes."""
    rounds = [_round(setting) for _ in range(min(setting.rounds, 2))]
    p50 = [percentile(found, 50) for found in rounds]
    p99 = [percentile(found, 99) for found in rounds]
    return [
        Figure("accepted → received, idle, p50", "ms", p50, at_most(10), at_most(3)),
        Figure("accepted → received, idle, p99", "ms", p99, None, at_most(10)),
    ]


def _round(setting: Setting) -> list[float]:
    with setting.hub() as hub:
        hub.start_all("web", "high", "high", "scheduler")
        posted = post(hub, WARM_UP + setting.of(EVENTS), PAUSE)
        return delays(hub, setting.sink, posted[WARM_UP:])
