"""The clock of the whole machine is stepped, as after a sleep: nothing in flight is sent again."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from bench.processes import NotInTime, until
from chaos.clients import Clients
from chaos.figures import NONE, Figure
from chaos.hub import SUPERVISOR, Hub
from chaos.own_redis import OwnRedis
from chaos.reconcile import reconcile
from chaos.rows.clocks import HOUR, LINES, STUCK_MS, TARGET, Clocks
from chaos.setting import Setting
from chaos.target import Entry, Target

RATE = 20.0
# Something is in flight at every moment, and ends before its deadline (two seconds here).
ANSWERS_MS, DEADLINE_MS = 1_200, 2_000
# So much earlier (ms) an answer must have left to count as one in time.
ON_ITS_WAY_MS = 50
# For longer than a step is doubted; then what was in flight then has ended, and is looked at.
STEPPED = 28.0
STRIKES_IN = 600.0
HOUR_MS = HOUR * 1_000


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
    target.mode(f"slow:{ANSWERS_MS}", "crm")
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
    moments = list(_moments(hub, clocks, entries))
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
        Figure("duplicated", len(account.again)),
        Figure("duplicated, though answered in time", needless(moments), NONE),
        Figure("attempts taken for lost", hub.count("attempts", "outcome = 'lost'"), NONE),
        Figure("dead letters", hub.count("dead_letters"), NONE),
    ]


def _moments(
    hub: Hub, clocks: Clocks, entries: Sequence[Entry]
) -> Iterator[tuple[int, Sequence[int]]]:
    """When each message was first sent, and when it came (ms); both by clocks an hour apart."""
    began = hub.query(
        "SELECT d.event_id, a.started_at FROM attempts a JOIN deliveries d ON d.id = a.delivery_id "
        "WHERE a.number = 1"
    )
    came: dict[int, list[int]] = defaultdict(list)
    for each in entries:
        came[each.event].append(each.at + clocks.base * 1_000)
    yield from ((row.started_at, sorted(came[row.event_id])) for row in began)


def needless(moments: Iterable[tuple[int, Sequence[int]]]) -> int:
    """How many messages came again although the first answer left before the deadline.

    A machine that stands still for a second makes answers late, and a repeat is right then.
    """
    return sum(
        (came[0] - began) % HOUR_MS + ANSWERS_MS + ON_ITS_WAY_MS < DEADLINE_MS
        for began, came in moments
        if len(came) > 1
    )
