"""A fast system alone, beside one that answers after seconds, and beside one that never does."""

from __future__ import annotations

from bench.figures import Figure, at_most
from bench.posting import delays, post
from bench.setting import Setting
from bench.stats import percentile, ratios

EVENTS, PAUSE = 200, 0.015
BACKLOG = 1_500
SLOW_MS = 2_000


def run(setting: Setting) -> list[Figure]:
    """The three cases in every round; the slow system has a backlog from the start."""
    alone, slow, hung = [], [], []
    for _ in range(min(setting.rounds, 2)):
        alone.append(_p95(setting, None))
        slow.append(_p95(setting, SLOW_MS))
        hung.append(_p95(setting, "hang"))
    goals = (at_most(2), at_most(1.2))
    return [
        Figure("fast system, p95: alone", "ms", alone),
        Figure(f"fast system, p95: beside one of {SLOW_MS} ms", "ms", slow),
        Figure("fast system, p95: beside a hung one", "ms", hung),
        Figure("beside a slow system ÷ alone", "×", ratios(slow, alone), *goals),
        Figure("beside a hung system ÷ alone", "×", ratios(hung, alone), *goals),
    ]


def _p95(setting: Setting, neighbour: int | str | None) -> float:
    """From accepted to received; below a millisecond counts as one (the clock's step)."""
    with setting.hub() as hub:
        if neighbour is not None:
            hub.aim("operacao", setting.sink.url(neighbour))
            hub.accept(BACKLOG, "operacao")
        hub.start_all("web", "high", "high", "scheduler")
        if neighbour is not None:
            setting.sink.wait_for(100, 20)
        posted = post(hub, setting.of(EVENTS), PAUSE)
        return max(1.0, percentile(delays(hub, setting.sink, posted), 95))
