"""An incident from opening to report in a browser; a note being typed outlives the refresh."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.faults.running import RunningHub


@pytest.fixture
def patience() -> dict[str, str]:
    return {"LIVE_POLL": "1"}


def test_an_incident_is_opened_worked_escalated_and_closed(hub: RunningHub, desk: Page) -> None:
    desk.goto(f"{hub.url}/incidentes")
    desk.get_by_role("link", name="Abrir incidente").click()
    desk.get_by_label("O que está acontecendo").fill("CRM fora do ar")
    desk.get_by_label("O sistema está indisponível agora").check()
    desk.get_by_role("button", name="Abrir incidente").click()
    expect(desk.locator("#timer")).to_contain_text("Escala para Desenvolvimento em")
    one = desk.url

    # What another person writes arrives while this one is typing, and takes nothing away.
    note = desk.get_by_label("Anotar o que você viu ou fez")
    note.press_sequentially("liguei para o fornecedor")
    other = desk.context.new_page()
    other.goto(one)
    other.locator("#take button").click()
    other.close()
    expect(desk.locator("#timer")).to_contain_text("está cuidando")
    expect(note).to_have_value("liguei para o fornecedor")
    desk.get_by_role("button", name="Anotar").click()
    expect(desk.locator(".timeline")).to_contain_text("liguei para o fornecedor")

    desk.get_by_role("button", name="Escalonar", exact=True).click()
    dialog = desk.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancelar")).to_be_focused()
    dialog.get_by_label("Motivo").fill("o fornecedor não atende")
    dialog.get_by_role("button", name="Escalonar para Desenvolvimento").click()
    expect(desk.locator("#timer")).to_contain_text("O nível Desenvolvimento foi chamado")

    desk.get_by_role("button", name="Encerrar", exact=True).click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Causa e solução").fill("certificado vencido, renovado")
    dialog.get_by_role("button", name="Encerrar").click()
    desk.get_by_role("link", name="Relatório").click()
    expect(desk.locator("main")).to_contain_text("certificado vencido, renovado")
    expect(desk.locator(".timeline > li").first).to_contain_text("Incidente aberto")
