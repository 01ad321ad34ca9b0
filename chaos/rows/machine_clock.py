"""The clock of the whole machine is stepped, as after a sleep: nothing in flight is sent again."""

from __future__ import annotations

import time
from contextlib import suppress

from bench.processes import NotInTime, until
from chaos.clients import Clients
from chaos.figures import NONE, Figure
from chaos.hub import SUPERVISOR
from chaos.own_redis import OwnRedis
from chaos.reconcile import reconcile
from chaos.rows.clocks import HOUR, LINES, STUCK_MS, TARGET, Clocks
from chaos.setting import Setting
from chaos.target import Target

RATE = 20.0
# Something is in flight at every moment, and ends before its deadline (two seconds here).
ANSWERS_AFTER = "slow:1200"
# For longer than a step is doubted; then what was in flight then has ended, and is looked at.
STEPPED = 28.0
STRIKES_IN = 600.0


def run(setting: Setting) -> list[Figure]:
    """Forth and back, or back and forth, as the seed has it."""
    by = setting.random("machine clock").choice((1, -1)) * HOUR
    clocks = Clocks(setting.place(), STRIKES_IN)
    redis = setting.also(OwnRedis(setting.place(), clocks.environ("redis")))
    target = setting.also(Target(setting.place(), clocks.environ(TARGET), clocks.base * 1000))
    words = (*SUPERVISOR[:-1], str(clocks.procfile()))
    hub = setting.hub(target, words=words, REDIS_URL=redis.url)
    # It would not believe when messages were signed.
    target.knows({})
    target.mode(ANSWERS_AFTER, "crm")
    with Clients(hub, 0, RATE, seconds=2 * STEPPED + 6) as clients:
        time.sleep(3)
        for seconds in (by, 0):
            for line in LINES:
                clocks.step(line, seconds)
            time.sleep(STEPPED)
        sent = clients.finish(2 * STEPPED + 60)
    with suppress(NotInTime):
        until(lambda: not hub.count("deliveries", "status = 'pending'"), STUCK_MS / 1000, "settled")
    entries = target.entries()
    account = reconcile(sent, entries)
    open_ = hub.query("SELECT * FROM deliveries WHERE status = 'pending' LIMIT 50")
    setting.note(
        "machine", tries=sent.tries, entries=entries, log=hub.text()[-200_000:],
        attempts=[list(row) for row in hub.query("SELECT * FROM attempts")],
        open=[str(row) for row in open_],
    )  # fmt: skip
    return [
        Figure("steps of the machine's clock by an hour", 2),
        Figure("acknowledged", account.acknowledged),
        Figure("refused", sum(not 200 <= t.status < 300 for t in sent.tries)),
        Figure("lost", len(account.lost), NONE),
        Figure("unexpected", len(account.unexpected), NONE),
        Figure("duplicated", len(account.again), NONE),
        Figure("attempts taken for lost", hub.count("attempts", "outcome = 'lost'"), NONE),
        Figure("dead letters", hub.count("dead_letters"), NONE),
    ]
