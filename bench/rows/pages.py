"""Pages over a growing table: what the server needs for each, at ten thousand rows and at many."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from app import clock, counters
from app.db import transaction
from app.monitoring.actions.repair_counters import repair_counters
from app.monitoring.queries.drift import find_drift
from bench.figures import Figure, at_most
from bench.grow import grow
from bench.hub import Hub
from bench.setting import Setting
from bench.stats import median, percentile
from tests.access.cast import Cast

# Of the paths that answer the first is the page.
PAGES = {
    "overview": ("/dashboard",),
    "dead letters": ("/dlq", "/api/dlq"),
    "events": ("/events", "/api/events"),
}
SMALL, LARGE, LARGE_FULL = 10_000, 1_000_000, 10_000_000
LOOKS, WARM_UP = 60, 5


def run(setting: Setting) -> list[Figure]:
    """One database that grows; a single round, many looks."""
    large = LARGE_FULL if setting.full else SMALL * 10 if setting.quick else LARGE
    found = []
    with setting.hub(LIVE_POLL="off") as hub:
        client = hub.app.test_client()
        Cast(hub.app).login(client, 3)
        grow(hub, 0, SMALL)
        _count(hub)
        small = _look(client)
        grow(hub, SMALL, large)
        _count(hub)
        for name, times in _look(client).items():
            growth = [median(times) / median(small[name])]
            p95 = [percentile(times, 95)]
            found += [
                Figure(f"{name} at {large:,} events, p95", "ms", p95, at_most(50), at_most(50)),
                Figure(f"{name}: {large:,} ÷ {SMALL:,}", "×", growth, None, at_most(1.2)),
            ]
    return found


def _count(hub: Hub) -> None:
    """The gauges and tallies as the scheduler would have them by now."""
    with hub.app.app_context():
        repair_counters(find_drift(), clock.now())
        while True:
            with transaction(durable=False) as tx:
                if not counters.fold(tx):
                    return


def _look(client: FlaskClient) -> dict[str, list[float]]:
    return {name: _times(client, _path(client, paths)) for name, paths in PAGES.items()}


def _path(client: FlaskClient, paths: tuple[str, ...]) -> str:
    for path in paths:
        status = client.get(path, headers={"Accept": "text/html"}).status_code
        if status == 200:
            return path
        if status != 404:
            raise RuntimeError(f"{path} answered {status}")
    raise RuntimeError(f"none of {paths} is there")


def _times(client: FlaskClient, path: str) -> list[float]:
    """Milliseconds from the request to the whole answer, in this process."""
    return [_timed(lambda: client.get(path, headers={"Accept": "text/html"}))
            for _ in range(WARM_UP + LOOKS)][WARM_UP:]  # fmt: skip


def _timed(look: Callable[[], object]) -> float:
    started = clock.monotonic()
    look()
    return (clock.monotonic() - started) * 1000
