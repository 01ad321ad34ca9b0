"""Faults in the middle: each item is written once, stays visible, and gets through in the end."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import update

from app import clock, queues
from app.access.actor import SYSTEM
from app.db import transaction
from app.deliveries import jobs
from app.deliveries.actions.dead_letters import archive, retry
from app.deliveries.models import Delivery
from app.errors import Conflict
from app.syncs.actions import repair
from app.syncs.actions.store import Sorted, store
from app.syncs.actions.take import lease_ms, take
from app.syncs.actions.work import run_slice
from app.syncs.models import SyncItem, SyncRun
from app.syncs.rules.table import SYNCS
from app.syncs.rules.timing import STALLED_MS
from tests.syncs.world import World


def once(world: World, count: int) -> None:
    """The target holds each schedule exactly once, and the source waits for none."""
    written = world.written("operacao", "schedules", "crm_contract_id")
    assert len(written) == count
    assert set(written.values()) <= {1}
    assert world.partners.rows("crm", "pending_schedules") == []


@pytest.mark.parametrize("mode", ["lost", "503", "bad_json"])
def test_a_write_that_failed_once_is_repeated_with_its_key(world: World, mode: str) -> None:
    world.partners.seed(schedules=3)
    world.partners.mode("operacao", mode, method="POST", times=1)
    run_id = world.start()
    world.until(lambda: world.run(run_id).done == 3)
    assert world.run(run_id).status == "done"
    once(world, 3)
    keys = [call["headers"].get("Idempotency-Key") for call in world.calls("operacao", "POST")]
    assert (len(keys), len(set(keys))) == (4, 3)


@pytest.mark.usefixtures("any_database")
def test_a_confirm_that_was_lost_is_repeated_without_a_write(world: World) -> None:
    world.partners.seed(schedules=3)
    world.partners.mode("crm", "lost", path_contains="/confirm/", times=2)
    run_id = world.start()
    world.until(lambda: world.run(run_id).done == 3)
    assert len(world.calls("operacao", "POST")) == 3
    assert len(world.calls("crm", "POST", "/confirm/")) == 5
    once(world, 3)
    world.consistent()


def test_a_run_with_an_item_that_was_refused_has_failed(any_database: str, world: World) -> None:
    world.partners.seed(schedules=3)
    world.partners.poison("operacao", '"crm_contract_id":7002', status=422)
    run = world.whole()
    assert (run.status, run.done, run.failed, run.total) == ("failed", 2, 1, 3)
    assert run.error.startswith("1 de 3 itens não foi concluído: ")
    (item,) = [item for item in world.items(run.id) if item.state == "failed"]
    assert (item.source_id, item.troubled) == ("2", True)
    assert "422" in item.error
    (letter,) = world.dead_letters()
    assert (letter.event_type, letter.system, letter.state) == (
        "sync.crm_operacao", "operacao", "open",
    )  # fmt: skip
    assert world.event_row(run.event_id).status == "failed"
    # The next run leaves it to the person who decides on the dead letter.
    again = world.whole()
    assert (again.status, again.total, again.skipped) == ("done", 0, 1)
    world.partners.mode("operacao", "ok")
    retry(letter.id, by=SYSTEM, why=None, now=clock.now())
    world.until(lambda: world.run(run.id).status == "done")
    assert world.run(run.id).error == "1 item foi concluído em novas tentativas"
    once(world, 3)
    world.consistent()


def test_a_target_that_goes_down_in_the_middle_comes_back(any_database: str, world: World) -> None:
    world.partners.seed(schedules=30)
    world.system("operacao", in_flight_limit=4)
    world.partners.mode("operacao", "ok", method="POST", times=8)
    world.partners.mode("operacao", "refuse", add=True)
    run_id = world.start()
    world.until(lambda: world.breaker("operacao").state != "closed")
    world.partners.mode("operacao", "ok")
    world.until(lambda: world.run(run_id).done == 30)
    assert world.run(run_id).status == "done"
    once(world, 30)
    world.consistent()


def test_a_run_does_not_wait_for_a_target_that_stays_down(world: World) -> None:
    world.partners.seed(schedules=10)
    world.system("operacao", in_flight_limit=2)
    world.partners.mode("operacao", "refuse")
    run_id = world.start()
    world.until(lambda: world.breaker("operacao").state == "open")
    assert world.run(run_id).status == "running"
    assert repair.end_stalled(clock.now() + STALLED_MS + 1_000) == 1
    run = world.run(run_id)
    assert (run.status, run.failed, run.active_key) == ("failed", 10, None)
    world.partners.mode("operacao", "ok")
    world.until(lambda: world.run(run_id).status == "done")
    once(world, 10)
    world.consistent()


def test_a_source_that_is_down_fails_the_run_with_the_reason(world: World) -> None:
    world.partners.mode("crm", "503")
    run = world.whole()
    assert run.status == "failed"
    assert run.error == ("leitura interrompida: CRM: o sistema está com erro interno (HTTP 503)")
    world.partners.mode("crm", "ok")
    assert world.whole().status == "done"


def test_a_source_that_goes_down_between_two_pages_loses_nothing(world: World) -> None:
    world.partners.seed(schedules=250)
    world.partners.mode("crm", "503", path_contains="pending-schedules", times=1)
    world.partners.mode("crm", "ok", path_contains="pending-schedules", times=1, add=True)
    first = world.whole()
    assert first.status == "failed"
    second = world.start()
    # An item that was slow for once makes the run wait for it, no more.
    world.until(lambda: world.run(second).status == "done")
    once(world, 250)


@pytest.mark.parametrize("mode", ["bad_json", "cut_chunk", "redirect"])
def test_a_source_that_answers_nonsense_fails_the_run(world: World, mode: str) -> None:
    world.partners.mode("crm", mode)
    run = world.whole()
    assert run.status == "failed"
    assert run.error.startswith("leitura interrompida: ")


def test_an_open_breaker_of_the_source_is_tested_by_the_run(world: World) -> None:
    now = clock.now()
    world.breaker("crm", state="open", opened_at=now - 10_000)
    assert world.whole().status == "done"
    world.whole()
    assert world.breaker("crm").state == "closed"
    # Its probe is under way elsewhere, for longer than this run takes.
    until = clock.now() + round(world.settings.delivery_lease * 1000)
    world.breaker("crm", state="half_open", probe="another", probe_until=until)
    run = world.whole()
    assert "disjuntor de CRM está aberto" in run.error


def test_a_paused_source_is_not_asked(world: World) -> None:
    world.system("crm", paused=True)
    assert "CRM está em pausa" in world.whole().error
    assert world.calls("crm") == []


def test_a_worker_killed_between_write_and_confirm_repeats_nothing(
    any_database: str, world: World
) -> None:
    world.partners.seed(schedules=5)
    run_id = world.start()
    while not world.run(run_id).planned:
        assert run_slice(0.0)
    # Claimed and written, but the worker dies before it writes down what came of it.
    claimed = world.claim(queues.LOW).rows
    assert len(claimed) == 5
    for row in claimed:
        _send(world, row)
    assert len(world.partners.rows("operacao", "schedules")) == 5
    world.change([row.id for row in claimed], due_at=clock.now() - 1)
    jobs.repair()
    world.finish(run_id)
    assert len(world.calls("operacao", "POST")) == 10
    once(world, 5)


def _send(world: World, row: object) -> None:
    """The call of a claimed row, as the engine makes it, without its record."""
    from app.deliveries.rules.call import Call as Kept
    from app.deliveries.rules.call import headers_of_call
    from app.systems.calls import Call, client

    kept = Kept.read(row.body)  # type: ignore[attr-defined]
    headers = headers_of_call(row, kept, "")  # type: ignore[arg-type]
    url = kept.url(world.partners.url("operacao"))
    assert client().send(Call(kept.method, url, headers, kept.content())).accepted


def test_a_worker_killed_while_reading_is_taken_over(world: World) -> None:
    world.partners.seed(schedules=450)
    run_id = world.start()
    now = clock.now()
    lease = lease_ms(world.settings)
    held = take(now, lease)
    assert held is not None
    # The first page was stored, then the worker died.
    assert take(now + 1_000, lease) is None
    assert run_slice(0.0) is False
    with transaction() as tx:
        over = update(SyncRun).where(SyncRun.id == run_id)
        tx.connection.execute(over.values(lease_until=clock.now() - 1))
    run = world.finish(run_id)
    assert (run.status, run.total) == ("done", 450)
    once(world, 450)


def test_a_worker_killed_after_a_page_goes_on_with_the_next(world: World) -> None:
    world.partners.seed(schedules=450)
    run_id = world.start()
    assert run_slice(0.0)
    run = world.run(run_id)
    assert (run.cursor, run.total, run.lease) == (2, 200, None)
    run = world.finish(run_id)
    assert (run.status, run.total, run.failed, run.error) == ("done", 450, 0, "")
    assert len(world.calls("crm", "GET", "page=1")) == 1
    once(world, 450)


def test_a_lease_from_a_clock_that_stepped_back_is_over(world: World) -> None:
    run_id = world.start()
    assert take(clock.now() + clock.HOUR, 30_000) is not None
    assert world.finish(run_id).status == "done"


def test_a_second_start_is_refused(world: World) -> None:
    world.start()
    with pytest.raises(Conflict, match="sync-crm-operacao já está em andamento"):
        world.start()
    with pytest.raises(Conflict):
        world.start("full")
    world.start("crm_financeiro")


def test_of_many_starts_at_once_one_wins(any_database: str, world: World) -> None:
    started, refused = [], []

    def start(_: int) -> None:
        try:
            started.append(world.start())
        except Conflict:
            refused.append(1)

    world.at_once(8, start)
    assert (len(started), len(refused)) == (1, 7)


def test_two_workers_share_a_run(any_database: str, world: World) -> None:
    world.partners.seed(schedules=600)
    run_id = world.start()
    stop = threading.Event()

    def work(_: int) -> None:
        while not stop.is_set() and run_slice(0.0):
            pass

    world.at_once(3, work)
    stop.set()
    run = world.finish(run_id)
    assert (run.status, run.total) == ("done", 600)
    once(world, 600)


@pytest.mark.usefixtures("any_database")
def test_something_that_is_no_item_is_shown_and_stops_nobody(world: World) -> None:
    world.partners.seed(services=2)
    for row in world.partners.rows("operacao", "services"):
        assert row["id"]
    (strange,) = [{"id": 9, "extras": 5}]
    from app.syncs.rules.items import NoItem, found
    from app.syncs.rules.table import SYNCS

    assert isinstance(found(SYNCS["operacao_financeiro"], strange), NoItem)
    assert isinstance(found(SYNCS["operacao_financeiro"], {"client_id": 1}), NoItem)
    assert isinstance(found(SYNCS["operacao_financeiro"], "text"), NoItem)
    assert isinstance(found(SYNCS["crm_operacao"], {"id": 1, "client_id": float("nan")}), NoItem)


def test_what_the_source_lists_again_is_only_confirmed(world: World) -> None:
    world.partners.seed(schedules=2)
    assert world.whole().done == 2
    # As if the confirms had not been kept there: the same items wait once more.
    world.partners.reset()
    world.partners.seed(schedules=2)
    second = world.whole()
    assert (second.status, second.done) == ("done", 2)
    assert world.partners.rows("operacao", "schedules") == []
    assert world.partners.rows("crm", "pending_schedules") == []
    assert (world.count(SyncItem), world.count(Delivery)) == (2, 6)


def test_what_changed_after_it_was_confirmed_is_written_anew(world: World) -> None:
    world.partners.seed(schedules=1)
    assert world.whole().done == 1
    world.partners.reset()
    world.partners.seed(schedules=1, seed=2)
    assert world.whole().done == 1
    assert len(world.partners.rows("operacao", "schedules")) == 1
    assert {item.state for item in world.rows(SyncItem)} == {"done"}
    assert world.count(SyncItem) == 2


def test_what_the_source_put_right_is_written_and_what_it_did_not_is_told_again(
    world: World,
) -> None:
    wrong = {"id": 9, "client_id": 1, "hours": 2, "extras": 5}
    sync = SYNCS["operacao_financeiro"]

    def read(item: dict[str, Any]) -> Sorted:
        run_id = world.start("operacao_financeiro")
        with transaction() as tx:
            result = store(tx, world.run(run_id), sync, [item], clock.now())
            mine = update(SyncRun).where(SyncRun.id == run_id)
            tx.connection.execute(mine.values(active_key=None, status="done"))
        return result

    assert (read(wrong).failed, read(wrong).failed) == (1, 1)
    assert world.count(SyncItem) == 1
    right = read({**wrong, "extras": []})
    assert (len(right.fresh), right.skipped, right.failed) == (1, 0, 0)


def test_what_a_person_put_aside_is_written_once_the_source_changes_it(world: World) -> None:
    world.partners.seed(schedules=1)
    world.partners.poison("operacao", '"crm_contract_id":7001', status=422)
    assert world.whole().status == "failed"
    (letter,) = world.dead_letters()
    archive(letter.id, by=SYSTEM, why="dados errados no CRM", now=clock.now())
    assert world.whole().skipped == 1
    world.partners.reset()
    world.partners.seed(schedules=1, seed=2)
    assert world.whole().done == 1
    assert len(world.partners.rows("operacao", "schedules")) == 1
