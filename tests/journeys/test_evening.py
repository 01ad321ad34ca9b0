"""An evening shift in a browser: an incident from opening to report; the checklist, handed over."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.faults.running import RunningHub
from tests.house.running import until
from tests.journeys.complaints import Complaints
from tests.journeys.counted import Count, Hand
from tests.journeys.doors import sign_in
from tests.journeys.shift import answer, at_work, whole_shift

EVENING = 20
TROUBLE = {"RETRY_BASE_DELAY": "0.2", "RETRY_MAX_ATTEMPTS": "2"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub in its evening shift, for all tests of this file."""
    with whole_shift(tmp_path_factory.mktemp("evening"), EVENING, **TROUBLE) as found:
        yield found


@pytest.fixture
def gil(hub: RunningHub, page: Page, complaints: Complaints) -> Page:
    """The page of the manager, signed in."""
    sign_in(page, hub)
    return page


def test_an_incident_is_opened_worked_escalated_and_closed(hub: RunningHub, gil: Page) -> None:
    gil.goto(f"{hub.url}/incidentes")
    gil.get_by_role("link", name="Abrir incidente").click()
    gil.get_by_label("O que está acontecendo").fill("CRM fora do ar")
    gil.get_by_label("O sistema está indisponível agora").check()
    gil.get_by_role("button", name="Abrir incidente").click()
    expect(gil.locator("#timer")).to_contain_text("Escala para Desenvolvimento em")
    one = gil.url

    # What another person writes arrives while this one is typing, and takes nothing away.
    note = gil.get_by_label("Anotar o que você viu ou fez")
    note.press_sequentially("liguei para o fornecedor")
    other = gil.context.new_page()
    other.goto(one)
    other.locator("#take button").click()
    # A page that is closed on its way to the next may take the click along, or never close.
    expect(other.locator("#timer")).to_contain_text("está cuidando")
    other.wait_for_load_state()
    other.close()
    expect(gil.locator("#timer")).to_contain_text("está cuidando")
    expect(note).to_have_value("liguei para o fornecedor")
    gil.get_by_role("button", name="Anotar").click()
    expect(gil.locator(".timeline")).to_contain_text("liguei para o fornecedor")

    # Before the scripts listen, the question comes as a page of its own.
    gil.wait_for_load_state()
    gil.get_by_role("button", name="Escalonar", exact=True).click()
    dialog = gil.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancelar")).to_be_focused()
    dialog.get_by_label("Motivo").fill("o fornecedor não atende")
    dialog.get_by_role("button", name="Escalonar para Desenvolvimento").click()
    expect(gil.locator("#timer")).to_contain_text("O nível Desenvolvimento foi chamado")
    gil.wait_for_load_state()

    gil.get_by_role("button", name="Encerrar", exact=True).click()
    dialog = gil.get_by_role("dialog")
    dialog.get_by_label("Causa e solução").fill("certificado vencido, renovado")
    dialog.get_by_role("button", name="Encerrar").click()
    gil.get_by_role("link", name="Relatório").click()
    expect(gil.locator("main")).to_contain_text("certificado vencido, renovado")
    expect(gil.locator(".timeline > li").first).to_contain_text("Incidente aberto")


def test_an_evening(hub: RunningHub, browser: Browser, gil: Page, counted: Count) -> None:
    """Three ticks, one against the data, and the signature; then it is history and paper."""
    hub.partners.mode("crm", "422")
    hub.send(2)
    until(lambda: hub.ask("SELECT count(*) FROM dead_letters") == [(2,)], 60)
    with at_work(hub, browser) as page:
        hand = Hand(page)
        expect(page.get_by_role("heading", name="Verificação vespertina")).to_be_visible()
        expect(page.locator("#sheet")).to_contain_text("0 de 3")
        expect(page.locator("#item-1")).to_contain_text("100 % · esperado: menos de 5 %")
        for n in (2, 3):
            answer(hand, n)
        against_the_data(page)
        answer(hand, 1)
        expect(page.locator("#item-1")).to_contain_text("os dados dizem que ainda falha")
        hand_over(page, gil)
        hand.click(page.get_by_role("button", name="Assinar como Davi"))
        expect(page.locator("#sheet")).to_contain_text("Assinado por Davi")
        counted("2.2 evening checklist", hand)
        kept(page)


def against_the_data(page: Page) -> None:
    """Without a reason nothing is written down."""
    page.locator("#done-1").click()
    note = page.get_by_label("Motivo para marcar como feito, se os dados dizem que falha")
    expect(note).to_be_focused()
    assert note.evaluate("field => field.validity.valueMissing")
    expect(page.locator("#said-1")).to_have_count(0)


def hand_over(page: Page, gil: Page) -> None:
    """Prefilled with what is open; what is written is not lost when something else happens."""
    note = page.get_by_label("O que o próximo turno precisa saber")
    expect(note).to_have_value(re.compile("- Verificação falhando – Verificar taxa de erro do dia"))
    expect(note).to_have_value(re.compile("- Mensagens com erro esperando decisão: 2."))
    note.fill(f"{note.input_value()}\n- O CRM troca o certificado às 7:00.")
    gil.goto(page.url)
    gil.locator("#undo-3").get_by_role("button").click()
    expect(page.locator("#done-3")).to_be_visible()
    gil.locator("#done-3").click()
    expect(page.locator("#said-3")).to_contain_text("Feito por Gestão")
    expect(note).to_have_value(re.compile("O CRM troca o certificado às 7:00"))


def kept(page: Page) -> None:
    """The day in the history, and as paper: who, when, the note, a line to sign on."""
    page.get_by_role("link", name="Dias anteriores").click()
    row = page.get_by_role("row", name="Verificação vespertina")
    expect(row).to_contain_text("Assinado")
    expect(row).to_contain_text("3 de 3")
    expect(row).to_contain_text("Davi")
    row.get_by_role("rowheader").get_by_role("link").click()
    page.emulate_media(media="print")
    sheet = page.get_by_role("region", name="Verificação vespertina")
    for text in ("Davi: feito", "conferido com a equipe", "O CRM troca o certificado às 7:00",
                 "Assinado por Davi", "Assinatura:"):  # fmt: skip
        expect(sheet).to_contain_text(text)
    expect(page.locator("nav:visible")).to_have_count(0)
