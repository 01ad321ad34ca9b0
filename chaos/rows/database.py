"""The database is locked for 15 s, or killed three times: 503 until it is back, nothing lost."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple

import requests

from bench.processes import until
from bench.setting import SAFE
from chaos.clients import Clients, Sent
from chaos.figures import NONE, Figure, at_least, at_most, yes
from chaos.hub import Hub
from chaos.reconcile import reconcile
from chaos.setting import Setting
from chaos.target import Target
from tests.postgres import Postgres

RATE = 40.0
LOCKED, CRASHES, DOWN = 15, 3, 3.0
SETTLE = 90.0


class Away(NamedTuple):
    """When the database was away, in ms, and whether an answer said when to come back."""

    began: int
    ended: int
    told: bool


def locked(setting: Setting) -> list[Figure]:
    """SQLite: somebody else holds the lock for writers."""
    target = setting.target()
    hub = setting.hub(target, database="")
    seconds = setting.of(LOCKED, 8)

    def lock() -> list[Away]:
        with closing(sqlite3.connect(hub.data / "hub.db", isolation_level=None)) as holder:
            holder.execute("PRAGMA busy_timeout = 5000")
            holder.execute("BEGIN IMMEDIATE")
            began = now()
            told = _says_when(hub)
            time.sleep(max(seconds - (now() - began) / 1000, 0))
            holder.execute("ROLLBACK")
            return [Away(began, now(), told)]

    return _figures(hub, target, lock, seconds + 14.0)


def killed(setting: Setting) -> list[Figure]:
    """PostgreSQL: its processes end in the middle of whatever they do."""
    postgres = Postgres(SAFE)
    target = setting.target()
    setting.also(closing(_Stopped(postgres)))
    hub = setting.hub(target, database=postgres.url(postgres.new_database()))
    crashes = setting.of(CRASHES, 1)

    def crash() -> list[Away]:
        found = []
        for _ in range(crashes):
            began = now()
            postgres.crash()
            told = _says_when(hub)
            time.sleep(DOWN)
            postgres.start()
            found.append(Away(began, now(), told))
            time.sleep(8)
        return found

    return _figures(hub, target, crash, crashes * (DOWN + 10) + 8)


class _Stopped:
    """Something to close that ends the server."""

    def __init__(self, postgres: Postgres) -> None:
        self.close = postgres.stop


def _figures(
    hub: Hub, target: Target, deed: Callable[[], Sequence[Away]], seconds: float
) -> list[Figure]:
    with Clients(hub, 0, RATE, seconds=seconds) as clients:
        time.sleep(4)
        times = deed()
        sent = clients.finish(seconds + SETTLE)
    done = "status IN ('done', 'failed')"
    until(lambda: hub.count("integration_events", done) >= len(sent.ids), SETTLE, "all are done")
    account = reconcile(sent, target.entries())
    stored = hub.count("integration_events")
    return [
        Figure("answers 503 while it was away", _count(sent, 503), at_least(1)),
        yes("they say when to come back", all(each.told for each in times)),
        Figure("other answers than 2xx and 503", _other(sent), NONE),
        Figure("accepted again after it came back", max(_back(sent, each) for each in times),
               at_most(5), "s"),
        Figure("slowest answer", sent.late(100) / 1000, None, "s"),
        Figure("lost", len(account.lost), NONE),
        Figure("rows stored twice", stored - len(set(sent.ids.values())), NONE),
        Figure("duplicated", len(account.again)),
    ]  # fmt: skip


def _says_when(hub: Hub) -> bool:
    """One more event while the database is away: 503, and when to ask again."""
    event = {"event_type": "lead.updated", "source_system": "site", "payload": {"name": "Eva"}}
    answer = requests.post(
        f"{hub.url}/api/events", json=event, headers={"X-API-Key": hub.api_key}, timeout=30
    )
    return answer.status_code == 503 and answer.headers["Retry-After"].isdigit()


def _count(sent: Sent, status: int) -> int:
    return sum(each.status == status for each in sent.tries)


def _other(sent: Sent) -> int:
    return sum(not 200 <= each.status < 300 and each.status != 503 for each in sent.tries)


def _back(sent: Sent, away: Away) -> float:
    """Seconds from its return to the next event that was accepted."""
    after = [t.ended for t in sent.tries if t.id is not None and t.ended >= away.ended]
    return (min(after) - away.ended) / 1000


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
