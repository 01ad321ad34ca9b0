"""Pages that cannot be read, stored or planned: the run ends, and the next one may start."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import update

from app import clock
from app.db import transaction
from app.payloads import DEEPEST
from app.syncs.actions import work
from app.syncs.actions.take import MOST_LOST, lease_ms, take
from app.syncs.actions.work import run_slice
from app.syncs.models import SyncItem, SyncRun
from tests.syncs.world import World


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def schedule(number: int) -> dict[str, Any]:
    """An item as the CRM gives it."""
    what = {"service_type": "cuidador_diurno", "start_date": "2026-11-28"}
    return {"id": number, "client_id": 1, "contract_id": number, **what}


def pages(world: World, text: str, **details: Any) -> None:
    """What the source answers to each read."""
    world.partners.mode("crm", "answer", path_contains="pending-schedules", text=text, **details)


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("levels", [DEEPEST + 1, 300, 880])
@pytest.mark.parametrize("item", ["{}", '{{"n": {}}}', '{{"id": 7, "preferences": {}}}'])
def test_an_item_nested_too_deeply_fails_alone(world: World, levels: int, item: str) -> None:
    # One that the source knows, so that it can be confirmed.
    world.partners.seed(schedules=1)
    good = json.dumps(schedule(1))
    pages(world, f'{{"data": [{item.format(nested(levels))}, {good}]}}')
    run = world.start()
    world.until(lambda: world.run(run).done == 1)
    ended = world.run(run)
    assert (ended.status, ended.total, ended.failed) == ("failed", 2, 1)
    assert ended.error.startswith("1 de 2 itens não foi concluído: o item ")
    # The next one tells of it once more, under the same name.
    again = world.finish(world.start())
    assert (again.status, again.failed) == ("failed", 1)
    assert len([row for row in world.rows(SyncItem) if row.state == "failed"]) == 1


@pytest.mark.parametrize(
    "text",
    [nested(5_000), f'{{"data": {nested(5_000)}}}', f'{{"data": [{{"id": {"9" * 5_000}}}]}}',
     '{"data": "\\ud800"}'],
)  # fmt: skip
def test_a_page_that_cannot_be_read_ends_the_run(world: World, text: str) -> None:
    pages(world, text)
    run = world.whole()
    assert run.status == "failed"
    assert run.error.startswith("leitura interrompida: a resposta não ")


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("name", ["page_of", "store", "fetch"])
def test_whatever_goes_wrong_over_a_page_ends_the_run(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*_: object) -> None:
        raise RecursionError

    world.partners.seed(schedules=2)
    with monkeypatch.context() as broken:
        broken.setattr(work, name, fail)
        run = world.whole()
    assert (run.status, run.active_key) == ("failed", None)
    assert run.error == "leitura interrompida: erro interno (RecursionError)"
    assert world.whole().done == 2


@pytest.mark.usefixtures("any_database")
def test_whatever_goes_wrong_over_the_plan_ends_the_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.partners.seed(schedules=650)
    calls: list[int] = []
    deliver = work.deliver

    def fail_later(*given: Any) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise RecursionError
        deliver(*given)

    with monkeypatch.context() as broken:
        broken.setattr(work, "deliver", fail_later)
        run = world.whole()
    assert (run.status, run.active_key) == ("failed", None)
    assert run.error == "execução interrompida: erro interno (RecursionError)"
    # What had its delivery goes on; what had none is read by the next run.
    world.until(lambda: world.run(run.id).done == 500)
    assert world.run(run.id).status == "failed"
    assert world.whole().done == 150
    written = world.written("operacao", "schedules", "crm_contract_id")
    assert (len(written), set(written.values())) == (650, {1})


def lose(world: World, run_id: int, times: int) -> None:
    """So many workers take the run and die over it."""
    for _ in range(times):
        assert take(clock.now(), lease_ms(world.settings)) is not None
        with transaction() as tx:
            mine = update(SyncRun).where(SyncRun.id == run_id)
            tx.connection.execute(mine.values(lease_until=clock.now() - 1))


@pytest.mark.usefixtures("any_database")
def test_a_page_that_kills_its_workers_is_not_read_for_ever(world: World) -> None:
    world.partners.seed(schedules=250)
    run_id = world.start()
    assert run_slice(0.0)
    lose(world, run_id, MOST_LOST)
    run = world.finish(run_id)
    assert run.status == "failed"
    assert run.error == "leitura interrompida: o processo que a fazia terminou no meio 3 vezes"
    world.until(lambda: world.run(run_id).done == 200)
    assert len(world.calls("crm", "GET", "&page=2")) == 0
    assert world.whole().done == 50


def test_a_plan_that_kills_its_workers_is_not_tried_for_ever(world: World) -> None:
    world.partners.seed(schedules=2)
    run_id = world.start()
    assert run_slice(0.0)
    lose(world, run_id, MOST_LOST + 1)
    assert run_slice(0.0)
    run = world.run(run_id)
    assert (run.status, run.active_key) == ("failed", None)
    assert run.error == "execução interrompida: o processo que a fazia terminou no meio 3 vezes"
    assert world.whole().done == 2


def test_workers_lost_now_and_then_do_not_add_up(world: World) -> None:
    world.partners.seed(schedules=450)
    run_id = world.start()
    for _ in range(2):
        lose(world, run_id, MOST_LOST - 1)
        assert run_slice(0.0)
    lose(world, run_id, MOST_LOST - 1)
    run = world.finish(run_id)
    assert (run.status, run.total, run.error) == ("done", 450, "")


def test_a_lease_of_an_earlier_release_has_lost_nobody(world: World) -> None:
    world.partners.seed(schedules=1)
    run_id = world.start()
    with transaction() as tx:
        mine = update(SyncRun).where(SyncRun.id == run_id)
        over = {"lease": "9012345678901234", "lease_until": clock.now() - 1}
        tx.connection.execute(mine.values(**over, status="running"))
    assert world.finish(run_id).status == "done"


def test_a_source_that_gives_the_same_page_for_ever_is_left(world: World) -> None:
    world.partners.seed(schedules=1)
    pages(world, json.dumps({"data": [schedule(1)], "meta": {"last_page": 10**9}}))
    run_id = world.start()
    world.until(lambda: world.run(run_id).done == 1)
    run = world.finish(run_id)
    assert (run.status, run.total) == ("failed", 1)
    assert run.error == "leitura interrompida: a página 2 só repete o que já foi lido"
    assert len(world.calls("crm", "GET")) == 2


def test_a_source_without_end_is_read_for_so_many_pages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "MOST_PAGES", 3)
    world.partners.seed(schedules=5)
    for number in range(1, 6):
        text = json.dumps({"data": [schedule(number)], "meta": {"last_page": number + 1}})
        pages(world, text, times=1, add=True)
    run_id = world.start()
    world.until(lambda: world.run(run_id).done == 3)
    run = world.finish(run_id)
    assert (run.status, run.total) == ("failed", 3)
    assert run.error == "leitura interrompida: a fonte tem mais de 3 páginas"
    assert len(world.calls("crm", "GET")) == 3
