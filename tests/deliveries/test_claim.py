"""Claim: each row to exactly one worker, as many as each system allows, one probe at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app import clock, queues
from app.db import db, reading, transaction
from app.deliveries.actions.claim import SUSPECTS_AT_ONCE, Claimed, claim_alone
from app.deliveries.models import Delivery
from app.deliveries.queries.due import queues_with_work
from app.queues import DEFAULT, HIGH, RETRY
from app.systems.rules.breaker import OPEN, allowance
from tests.deliveries.hub import LEASE, LIMITS, Hub, tried

pytestmark = pytest.mark.usefixtures("any_database")

CLAIMER = """
import json, sys
from app import clock, create_app
from app.deliveries.actions.claim import claim
from app.systems.rules.breaker import Limits
app = create_app()
with app.app_context():
    print("ready", flush=True)
    sys.stdin.readline()
    ids = []
    while rows := claim("integrations-high", {"crm": 7}, Limits(), 30_000, clock.now()).rows:
        ids += [row.id for row in rows]
    print(json.dumps(ids))
"""


def test_takes_due_rows_under_a_lease(hub: Hub) -> None:
    now = clock.now()
    ids = hub.deliveries("crm", 3)
    found = hub.claim(now=now + 5)
    assert sorted(row.id for row in found.rows) == ids
    assert not found.more
    row = found.rows[0]
    assert (row.system, row.event_type, row.queue, row.probe) == (
        "crm",
        "lead.updated",
        HIGH,
        False,
    )
    stored = hub.delivery(row.id)
    assert (stored.lease, stored.due_at, stored.set_at) == (row.lease, now + 5 + LEASE, now + 5)
    assert json.loads(row.body)["_meta"]["event_id"] == row.event_id


def test_takes_nothing_twice(hub: Hub) -> None:
    hub.deliveries("crm", 2)
    assert len(hub.claim().rows) == 2
    assert hub.claim().rows == []


@pytest.mark.parametrize(
    "values",
    [
        {"due_at": 1 << 60},
        {"queue": RETRY},
        {"status": "sent"},
        {"status": "failed"},
        {"lease": "somebody"},
        {"crashes": 2},
        {"crashes": 3},
    ],
    ids=str,
)
def test_leaves_what_is_not_to_be_had(hub: Hub, values: dict[str, object]) -> None:
    hub.deliveries("crm", 1, **values)
    assert hub.claim().rows == []


def test_takes_the_longest_due_first_and_says_that_there_is_more(hub: Hub) -> None:
    ids = hub.deliveries("crm", 4)
    hub.change(ids[3:], due_at=1_000)
    hub.change(ids[:1], due_at=2_000)
    found = hub.claim(crm=2)
    assert [row.id for row in found.rows] == [ids[3], ids[0]]
    assert found.more


def test_takes_from_each_system_what_it_has_room_for(hub: Hub) -> None:
    hub.deliveries("crm", 5)
    hub.deliveries("operacao", 5)
    hub.deliveries("atendimento", 5)
    rows = hub.claim(crm=2, operacao=3, atendimento=0).rows
    assert sorted(row.system for row in rows) == ["crm"] * 2 + ["operacao"] * 3


@pytest.mark.parametrize("count", [2, 8])
def test_threads_at_once_share_without_overlap(hub: Hub, count: int) -> None:
    ids = hub.deliveries("crm", 60)

    def take(_: int) -> list[int]:
        taken: list[int] = []
        while rows := hub.claim(crm=5).rows:
            taken += [row.id for row in rows]
        return taken

    taken = [id_ for one in hub.at_once(count, take) for id_ in one]
    # One that skipped what another was taking may have ended early; nothing is taken twice.
    assert len(taken) == len(set(taken))
    assert sorted(taken + take(0)) == ids


def test_processes_at_once_share_without_overlap(hub: Hub) -> None:
    ids = hub.deliveries("crm", 60)
    settings = hub.settings
    environ = {
        "PATH": "/usr/bin:/bin",
        "HUB_DATA_DIR": str(settings.data_dir),
        "HUB_ENV_FILE": "none",
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "HUB_SECRET_KEY": settings.secret_key,
    }
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER],
            cwd=Path(__file__).parents[2],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert claimer.stdout.readline() == "ready\n"
    taken = []
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    for claimer in claimers:
        taken += json.loads(claimer.communicate(timeout=30)[0])
    assert len(taken) == len(set(taken))
    assert sorted(taken + [row.id for row in hub.claim().rows]) == ids


def test_an_open_breaker_lets_nothing_out_and_spends_nothing(hub: Hub) -> None:
    ids = hub.deliveries("crm", 3)
    other = hub.deliveries("operacao", 1)
    now = clock.now()
    hub.breaker("crm", state="open", opened_at=now)
    rows = hub.claim(now=now + LIMITS.timeout_ms - 1).rows
    assert [row.id for row in rows] == other
    assert all(hub.delivery(id_).attempts == 0 for id_ in ids)
    assert all(hub.delivery(id_).lease is None for id_ in ids)


def _open(hub: Hub, now: int, system: str = "crm") -> int:
    """Open a breaker; when its time is over."""
    hub.breaker(system, state="open", opened_at=now)
    return now + LIMITS.timeout_ms


def test_one_probe_leaves_when_the_time_is_over(hub: Hub) -> None:
    hub.deliveries("crm", 3)
    then = _open(hub, clock.now())
    (probe,) = hub.claim(now=then).rows
    assert probe.probe
    assert hub.delivery(probe.id).probe == 1
    breaker = hub.breaker()
    assert (breaker.state, breaker.probe) == ("half_open", probe.lease)
    assert hub.moves()[-1] == ("open", "half_open")
    assert hub.claim(now=then + 1).rows == []


def test_exactly_one_probe_with_eight_claimers(hub: Hub) -> None:
    hub.deliveries("crm", 20)
    then = _open(hub, clock.now())
    for window in range(3):
        at = then + window * 2 * LEASE
        found = hub.at_once(8, lambda _, at=at: hub.claim(now=at).rows)
        rows: list[Claimed] = [row for one in found for row in one]
        assert len(rows) == 1
        assert rows[0].probe


def test_who_waited_for_the_lock_probes_no_window_that_has_begun_since(hub: Hub) -> None:
    hub.deliveries("crm", 3)
    then = _open(hub, clock.now())
    (probe,) = hub.claim(now=then).rows
    assert hub.claim(now=then - 3).rows == []
    hub.record(tried(probe, 503), now=then + 50)
    assert hub.breaker().state == "open"
    assert hub.claim(now=then + 2).rows == []


def test_probes_across_queues_are_one(hub: Hub) -> None:
    hub.deliveries("crm", 4)
    hub.deliveries("crm", 4, queue=RETRY)
    then = _open(hub, clock.now())
    found = hub.at_once(6, lambda n: hub.claim((HIGH, RETRY)[n % 2], then).rows)
    assert sum(map(len, found)) == 1


def test_a_lost_probe_is_followed_by_another_after_its_lease(hub: Hub) -> None:
    hub.deliveries("crm", 3)
    then = _open(hub, clock.now())
    (first,) = hub.claim(now=then).rows
    assert hub.claim(now=then + LEASE - 1).rows == []
    (second,) = hub.claim(now=then + LEASE).rows
    assert second.id != first.id


def test_the_probe_is_the_least_tried(hub: Hub) -> None:
    ids = hub.deliveries("crm", 3, attempts=2)
    hub.change(ids[1:2], attempts=4, attempts_before=3)
    (probe,) = hub.claim(now=_open(hub, clock.now())).rows
    assert probe.id == ids[1]


def test_the_probe_may_be_one_that_waits_for_its_retry(hub: Hub) -> None:
    now = clock.now()
    (id_,) = hub.deliveries("crm", 1, due_at=now + clock.HOUR, queue=RETRY)
    (probe,) = hub.claim(RETRY, _open(hub, now)).rows
    assert probe.id == id_


@pytest.mark.parametrize("crashes", [1, 2])
def test_the_probe_never_crashed_a_worker_if_there_is_such_a_one(hub: Hub, crashes: int) -> None:
    bad, good = hub.deliveries("crm", 2)
    hub.change([bad], crashes=crashes, due_at=1)
    then = _open(hub, clock.now())
    (probe,) = hub.claim(now=then).rows
    assert probe.id == good
    # With nothing else to ask, the breaker must not stay open for ever.
    (next_probe,) = hub.claim(now=then + LEASE).rows
    assert next_probe.id == bad


@pytest.mark.parametrize("crashes", [1, 2])
def test_the_probe_of_a_queue_of_suspects_is_left_to_the_others(hub: Hub, crashes: int) -> None:
    """One that kills would hold the breaker for a lease, while good ones wait in another queue."""
    (bad,) = hub.deliveries("crm", 1, queue=DEFAULT, crashes=crashes)
    (good,) = hub.deliveries("crm", 1)
    then = _open(hub, clock.now())
    assert hub.claim(DEFAULT, then).rows == []
    (probe,) = hub.claim(now=then).rows
    assert probe.id == good
    # Its worker died with it, the lease is over, and no other one came.
    hub.change([good], crashes=0, lease=None)
    assert hub.claim(DEFAULT, then + LEASE).rows == []
    (probe,) = hub.claim(DEFAULT, then + LEASE + LIMITS.timeout_ms).rows
    assert probe.id == bad


def test_a_suspect_probes_where_the_others_cannot_leave(hub: Hub) -> None:
    (bad,) = hub.deliveries("crm", 1, queue=DEFAULT, crashes=1, lane="lead:1")
    hub.deliveries("crm", 1, lane="lead:1")
    (probe,) = hub.claim(DEFAULT, _open(hub, clock.now())).rows
    assert probe.id == bad


def test_nothing_is_claimed_while_every_breaker_is_open(hub: Hub) -> None:
    hub.deliveries("crm", 2)
    now = clock.now()
    hub.breaker("crm", state=OPEN, opened_at=now)
    assert hub.claim(now=now, crm=5) == ([], False)


def test_a_recovered_system_is_ramped_up(hub: Hub) -> None:
    hub.deliveries("crm", 60)
    now = clock.now()
    hub.breaker("crm", closed_at=now)
    first = hub.claim(now=now).rows
    assert len(first) == 5
    assert hub.claim(now=now) == ([], True)
    total = len(first) + len(hub.claim(now=now + 100).rows)
    assert 5 < total <= 20
    assert len(hub.claim(now=now + 31_000).rows) == 60 - total


def test_workers_share_one_ramp(hub: Hub) -> None:
    hub.deliveries("crm", 60)
    now = clock.now()
    hub.breaker("crm", closed_at=now - 100)
    allowed = allowance(hub.breaker(), now) or 0
    found = hub.at_once(8, lambda _: hub.claim(now=now).rows)
    assert sum(map(len, found)) == allowed > 0
    assert allowance(hub.breaker(), now) == 0


def test_rows_that_crashed_once_go_in_small_company(hub: Hub) -> None:
    hub.deliveries("crm", 40, crashes=1)
    assert len(hub.claim().rows) == SUSPECTS_AT_ONCE


def test_rows_that_crashed_once_do_not_wait_for_the_end_of_the_backlog(hub: Hub) -> None:
    hub.deliveries("crm", 60)
    held = hub.deliveries("crm", 2, crashes=1)
    hub.breaker("crm", closed_at=clock.now())
    first = hub.claim().rows
    assert len(first) == 5
    assert set(held) < {row.id for row in first}


def test_rows_that_crashed_twice_go_alone(hub: Hub) -> None:
    ids = hub.deliveries("crm", 3, crashes=2)
    assert hub.claim().rows == []
    row = claim_alone(HIGH, LEASE, clock.now())
    assert row is not None
    assert row.id in ids
    assert hub.delivery(row.id).lease == row.lease


def test_nothing_goes_alone_without_need(hub: Hub) -> None:
    hub.deliveries("crm", 2)
    assert claim_alone(HIGH, LEASE, clock.now()) is None


def test_a_suspect_of_an_open_system_waits(hub: Hub) -> None:
    hub.deliveries("crm", 1, crashes=2)
    hub.breaker("crm", state="open", opened_at=clock.now())
    assert claim_alone(HIGH, LEASE, clock.now()) is None


def _work(now: int) -> set[str]:
    with reading() as c:
        return queues_with_work(c, LIMITS, LEASE, now)


def test_knows_which_queues_have_work(hub: Hub) -> None:
    now = clock.now()
    assert _work(now) == set()
    hub.deliveries("crm", 1)
    hub.deliveries("operacao", 1, queue=RETRY, due_at=now + 60_000)
    hub.deliveries("atendimento", 1, queue=DEFAULT, crashes=2)
    assert _work(now + 1_000) == {HIGH, DEFAULT}
    assert _work(now + 60_000) == {HIGH, DEFAULT, RETRY}


def test_a_queue_whose_systems_take_nothing_has_no_work(hub: Hub) -> None:
    hub.deliveries("crm", 1)
    hub.deliveries("operacao", 1)
    hub.system("operacao", paused=True)
    now = clock.now()
    hub.breaker("crm", state="open", opened_at=now)
    assert _work(now) == set()
    assert _work(now + LIMITS.timeout_ms) == {HIGH}


def test_a_claim_that_fails_leaves_the_rows(hub: Hub) -> None:
    (id_,) = hub.deliveries("crm", 1)
    with pytest.raises(RuntimeError), transaction() as tx:
        tx.connection.execute(db.update(Delivery).values(lease="x"))
        raise RuntimeError
    assert [row.id for row in hub.claim().rows] == [id_]


def test_outcomes_make_the_row_claimable_on_the_queue_for_retries(hub: Hub) -> None:
    hub.deliveries("crm", 1)
    (row,) = hub.claim().rows
    hub.record(tried(row, 503))
    assert hub.claim(queues.RETRY).rows == []
    due = hub.delivery(row.id).due_at
    (again,) = hub.claim(queues.RETRY, due).rows
    assert (again.id, again.attempts) == (row.id, 1)
