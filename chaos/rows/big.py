"""The big run: thousands of events while processes die, Redis forgets and the target fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bench.processes import NotInTime, until
from chaos import faults
from chaos.clients import Clients, Sent
from chaos.faults import Hand, Kill, Outage
from chaos.figures import NONE, Figure, at_most, exactly, yes
from chaos.hub import Hub
from chaos.reconcile import Account, reconcile
from chaos.setting import Setting
from chaos.target import Entry, Target
from chaos.target_server import ACCEPTED, KILLER, POISON

RATE = 60.0
LEASE, PROBE = 4.0, 2.0
SETTLE = 120.0
WORKERS = ("high.1", "high.2", "default.1", "retry.1", "notifications.1", "low.1")


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    events: int
    victims: Mapping[str, int]
    outages: Sequence[str]
    outage: float
    poison: int
    killers: int


WHOLE = Size(
    10_000,
    {"web": 10, "high.1": 9, "high.2": 9, "retry.1": 6, "default.1": 5, "scheduler.1": 5,
     "redis": 6},
    ("503", "reset", "tarpit", "503"), 8.0, 20, 5,
)  # fmt: skip
SHORT = Size(
    2_000,
    {"web": 2, "high.1": 2, "high.2": 2, "retry.1": 1, "scheduler.1": 1, "redis": 2},
    ("503", "tarpit"), 5.0, 4, 1,
)  # fmt: skip


def run(setting: Setting) -> list[Figure]:
    """Everything at once; what is counted is what both ends saw."""
    size = SHORT if setting.short else WHOLE
    chance = setting.random("big")
    target = setting.target()
    hub = setting.hub(target, RETRY_MAX_DELAY="8")
    numbers = chance.sample(range(size.events), size.poison + size.killers)
    marks = dict.fromkeys(numbers, POISON) | dict.fromkeys(numbers[size.poison :], KILLER)
    hand, limit = Hand(hub, target), size.events / RATE + 2 * SETTLE
    with Clients(hub, size.events, RATE, marks={str(n): mark for n, mark in marks.items()}) as sent:
        hand.follow(_schedule(size, chance), lambda: not sent.process.alive(), limit)
        story = sent.finish(1)
    with suppress(NotInTime):
        until(lambda: hand.strike() or not _open(hub), SETTLE, "all events settled", 0.1)
    figures = _figures(size, hub, target, hand, story, marks)
    _note(setting, hub, target, hand, story)
    return figures


def _schedule(size: Size, chance: faults.random.Random) -> list[faults.Fault]:
    seconds = size.events / RATE
    return [
        *faults.kills(chance, size.victims, seconds),
        *faults.flushes(chance, 2, seconds),
        *faults.outages(chance, size.outages, size.outage, seconds),
    ]


def _open(hub: Hub) -> int:
    """Events and deliveries that have not come to their end."""
    events = hub.count("integration_events", "status IN ('pending', 'processing')")
    return events + hub.count("deliveries", "status = 'pending'")


def _figures(
    size: Size, hub: Hub, target: Target, hand: Hand, sent: Sent, marks: Mapping[int, str]
) -> list[Figure]:
    entries = target.entries()
    account = reconcile(sent, entries, never=marks)
    dead = {row[0] for row in hub.query("SELECT event_id FROM dead_letters")}
    jobs = sum(1 for _ in hub.redis().scan_iter("rq:job:*"))
    return [
        *account.figures(size.events),
        Figure("not settled at the end", _open(hub), NONE),
        *_told(size, hand),
        *_duplicates(hub, sent, account, hand),
        Figure("first success after the target returned, at most", _recovery(hand, entries),
               at_most(PROBE + LEASE + 2), "s", timed=True),
        yes("dead letters are exactly the poison", dead == {sent.ids[n] for n in marks}),
        Figure("jobs left in Redis", jobs, at_most(2 * len(WORKERS))),
        yes("the database is intact", hub.intact()),
    ]  # fmt: skip


def _note(setting: Setting, hub: Hub, target: Target, hand: Hand, sent: Sent) -> None:
    attempts = hub.query("SELECT * FROM attempts ORDER BY id")
    setting.note(
        "big", killed=hand.killed, outages=hand.outages, log=hub.text()[-200_000:], slow=hub.slow(),
        entries=target.entries(), sent=sent.tries, processes=hub.pids(),
        attempts=[list(row) for row in attempts if row.outcome != "sent"],
        moves=[list(row) for row in hub.query("SELECT * FROM breaker_moves ORDER BY id")],
        left=[list(row) for row in hub.query("SELECT * FROM deliveries WHERE status = 'pending'")],
        dead=[list(row) for row in hub.query("SELECT * FROM dead_letters")],
    )  # fmt: skip


def _told(size: Size, hand: Hand) -> list[Figure]:
    """That the faults really happened."""
    planned = sum(size.victims.values())
    return [
        Figure("process groups killed", len(hand.killed)),
        Figure("planned kills that found nobody to kill", hand.missed, NONE),
        Figure("planned kills", planned),
        Figure("times Redis was wiped", hand.flushed, exactly(2)),
    ]


def _duplicates(hub: Hub, sent: Sent, account: Account, hand: Hand) -> list[Figure]:
    """Only what was in flight at a worker when it was killed may come again, and soon after."""
    lost = hub.query(
        "SELECT d.event_id, a.started_at FROM attempts a JOIN deliveries d ON d.id = a.delivery_id "
        "WHERE a.outcome = 'lost'"
    )
    explained = [(row.event_id, kill) for row in lost if (kill := _kill_of(row.started_at, hand))]
    kills: dict[int, list[Kill]] = {}
    for event, kill in explained:
        kills.setdefault(event, []).append(kill)
    again = [(kills.get(sent.ids[n], []), at) for n, at in account.again]
    late = [at for mine, at in again if mine and not _soon(at, mine, hand.outages)]
    return [
        Figure("in flight at a worker when it was killed", len(explained)),
        Figure("leases lost without a kill", len(lost) - len(explained), NONE, timed=True),
        Figure("duplicated", len(again), at_most(len(explained))),
        Figure("duplicated, but not in flight at a kill", sum(not mine for mine, _ in again), NONE,
               timed=True),
        Figure("duplicated later than lease + 2 s after its kill", len(late), NONE, timed=True),
    ]  # fmt: skip


def _kill_of(taken: int, hand: Hand) -> Kill | None:
    """The kill of a worker within the lease that began then: what it held was in flight."""
    end = taken + round(LEASE * 1000)
    return next((k for k in hand.killed if k.name in WORKERS and taken <= k.at <= end), None)


def _soon(at: int, kills: Sequence[Kill], outages: Sequence[Outage]) -> bool:
    """Soon after a kill, or after the target's return when that kept the message waiting."""
    allowed = round((LEASE + 2) * 1000)
    kept = [
        each.ended
        for kill in kills
        for each in outages
        if each.began <= kill.at + allowed and kill.at <= each.ended
    ]
    return any(0 <= at - moment <= allowed for moment in [*(kill.at for kill in kills), *kept])


def _recovery(hand: Hand, entries: Sequence[Entry]) -> float:
    """The longest time from a return of the target to its next acceptance, in seconds."""
    accepted = [each.at for each in entries if each.outcome == ACCEPTED]
    return (
        max(
            min((at for at in accepted if at >= each.ended), default=1 << 62) - each.ended
            for each in hand.outages
        )
        / 1000
    )
