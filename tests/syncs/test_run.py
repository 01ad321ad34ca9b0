"""A run: the four syncs as the contract has them, and what becomes of their items."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from app import clock
from tests.syncs.world import World, body


def test_schedules_go_from_the_crm_to_operacao(world: World) -> None:
    world.partners.seed(schedules=3)
    run = world.whole("crm_operacao")
    assert (run.status, run.total, run.done, run.failed) == ("done", 3, 3, 0)
    assert world.partners.rows("crm", "pending_schedules") == []
    confirmed = world.partners.rows("crm", "confirmed_pending_schedules")
    schedules = world.partners.rows("operacao", "schedules")
    # Several are on their way at once: which comes first is nobody's promise.
    assert {row["confirmation"]["operacao_schedule_id"] for row in confirmed} == {
        row["id"] for row in schedules
    }
    sent = [body(call) for call in world.calls("operacao", "POST")]
    assert {each["crm_contract_id"] for each in sent} == {row["contract_id"] for row in confirmed}
    assert set(sent[0]) == {
        "client_id", "crm_contract_id", "service_type", "start_date", "end_date", "preferences",
    }  # fmt: skip


def test_services_become_invoices_once(world: World) -> None:
    world.partners.seed(services=4)
    run = world.whole("operacao_financeiro")
    assert (run.status, run.done) == ("done", 4)
    today = clock.to_datetime(clock.now(), world.settings.zone).date()
    (read, *_) = world.calls("operacao", "GET")
    assert f"start_date={today - timedelta(days=7)}&end_date={today}" in read["path"]
    invoices = world.partners.rows("financeiro", "invoices")
    assert {row["due_date"] for row in invoices} == {str(today + timedelta(days=3))}
    assert set(invoices[0]["items"][0]) == {"description", "hours", "unit_price", "total"}
    billed = world.partners.rows("operacao", "services")
    assert {row["invoice_id"] for row in billed} == {row["id"] for row in invoices}
    again = world.whole("operacao_financeiro")
    assert (again.status, again.total, again.skipped) == ("done", 0, 4)
    assert len(world.partners.rows("financeiro", "invoices")) == 4


def test_billing_setups_go_to_financeiro(world: World) -> None:
    world.partners.seed(billing=2)
    assert world.whole("crm_financeiro").done == 2
    sent = body(world.calls("financeiro", "POST")[0])
    assert set(sent) == {
        "crm_client_id", "crm_contract_id", "billing_type", "amount", "payment_method",
    }  # fmt: skip
    (first, _) = world.partners.rows("crm", "confirmed_pending_billing_setups")
    given = {row["id"] for row in world.partners.rows("financeiro", "billing_setups")}
    assert first["confirmation"]["financeiro_id"] in given


def test_caregivers_go_to_the_crm_as_events(world: World) -> None:
    world.partners.seed(caregivers=2)
    assert world.whole("cuidadores_crm").done == 2
    (event, _) = world.partners.rows("crm", "events")
    assert event["event_type"] == "caregiver.updated"
    assert {"caregiver_id", "changes", "timestamp"} <= set(event)
    assert world.partners.rows("cuidadores", "pending_updates") == []


def test_full_runs_the_four_in_order(any_database: str, world: World) -> None:
    world.partners.seed(schedules=1, services=1, billing=1, caregivers=1)
    last = world.start("full")
    assert world.finish(last).status == "done"
    runs = [world.run(last - 3 + n) for n in range(4)]
    assert [run.job_type for run in runs] == [
        "sync.crm_operacao", "sync.operacao_financeiro", "sync.crm_financeiro",
        "sync.cuidadores_crm",
    ]  # fmt: skip
    for before, after in pairwise(runs):
        assert before.finished_at <= after.started_at


def test_calls_carry_the_contracts_headers(world: World) -> None:
    world.partners.seed(schedules=1)
    world.whole()
    (write,) = world.calls("operacao", "POST")
    (confirm,) = world.calls("crm", "POST")
    (read,) = world.calls("crm", "GET")
    for call in (write, confirm, read):
        headers = {name.lower(): value for name, value in call["headers"].items()}
        assert headers["x-source-system"] == "integracoes"
        assert headers["x-request-id"]
        assert ("idempotency-key" in headers) is (call["method"] != "GET")
    assert {name.lower(): v for name, v in read["headers"].items()}["x-api-key"] == (
        "the key of the crm"
    )


def test_nothing_to_do_is_done(world: World) -> None:
    run = world.whole()
    assert (run.status, run.total, run.event_id, run.active_key) == ("done", 0, None, None)


def test_a_thousand_items_come_in_pages(world: World) -> None:
    world.partners.seed(schedules=1_000)
    run = world.whole()
    assert (run.status, run.total, run.done) == ("done", 1_000, 1_000)
    assert len(world.calls("crm", "GET", "pending-schedules")) == 5
    written = world.written("operacao", "schedules", "crm_contract_id")
    assert len(written) == 1_000
    assert set(written.values()) == {1}
    (event,) = [world.event_row(run.event_id)]
    assert (event.status, event.open_count, event.failed_count) == ("done", 0, 0)
    world.consistent()
