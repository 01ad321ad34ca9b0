"""The CRM goes down and comes back; an operator sees it, resets the breaker, retries the cause."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.faults.running import RunningHub
from tests.house.running import until


@pytest.fixture
def patience() -> dict[str, str]:
    """Three messages die of two attempts each, and the sixth failure opens the breaker."""
    return {
        "RETRY_BASE_DELAY": "0.3",
        "RETRY_MAX_ATTEMPTS": "2",
        "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "6",
        "CIRCUIT_BREAKER_TIMEOUT": "600",
        "LIVE_POLL": "1",
    }


def test_the_crm_goes_down_and_its_messages_come_back(hub: RunningHub, desk: Page) -> None:
    partners = hub.partners
    partners.mode("crm", "503")
    events = hub.send(3)

    # The overview says it by itself: dead letters, and an open breaker with its effect.
    desk.goto(f"{hub.url}/dashboard")
    expect(desk.locator("#gauge-dead_letters")).to_contain_text("3")
    expect(desk.get_by_role("region", name="Alertas")).to_contain_text(
        "Disjuntor aberto: mensagens para CRM estão paradas"
    )
    assert partners.counters("crm")["received"] == 6
    assert len({entry["webhook_id"] for entry in partners.book("crm")}) == 3

    # The CRM returns; the operator closes the breaker, saying why.
    partners.mode("crm", "ok")
    desk.goto(f"{hub.url}/circuit-breakers")
    card = desk.locator("#breaker-crm")
    card.get_by_role("button", name="Religar", exact=True).click()
    dialog = card.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancelar")).to_be_focused()
    dialog.get_by_label("Motivo").fill("o CRM voltou, confirmado com a equipe")
    dialog.get_by_role("button", name="Religar disjuntor").click()
    expect(desk.locator("#breaker-crm")).to_contain_text("Mensagens saem normalmente")

    # One decision for the cause brings all three back.
    desk.goto(f"{hub.url}/dlq")
    desk.get_by_role("button", name="Reprocessar este grupo (3)").click()
    desk.get_by_role("dialog").get_by_role("button", name="Reprocessar 3 mensagens").click()
    hub.delivered(events)

    # Each message once: the same id on every attempt, accepted a single time.
    assert sorted(partners.messages("crm").values()) == [1, 1, 1]

    # The bands are green again, and the history is there to read.
    desk.goto(f"{hub.url}/dashboard")
    for gauge in desk.locator("#gauges > *").all():
        expect(gauge).to_contain_text("Normal")
    desk.goto(f"{hub.url}/events/{events[0]}")
    expect(desk.locator("main")).to_contain_text("503")
    until(lambda: hub.ask("SELECT count(*) FROM dead_letters WHERE state='resolved'") == [(3,)])
    actions = [row[0] for row in hub.ask("SELECT action FROM audit_entries ORDER BY id")]
    assert any("breaker" in action for action in actions)
    assert any("dead_letter" in action or "dlq" in action for action in actions)
