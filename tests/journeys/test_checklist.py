"""The daily checklists in a browser: a morning from the first item to the signature; two people."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.faults.running import RunningHub
from tests.journeys.counted import Count, Hand
from tests.journeys.shift import NOON, answer, at_work, whole_shift


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub in its morning shift, for all tests of this file; the last of them signs."""
    with whole_shift(tmp_path_factory.mktemp("morning"), NOON) as found:
        yield found


@pytest.fixture
def colleague(hub: RunningHub, browser: Browser) -> Iterator[Page]:
    """The page of Davi, a second operator, on a machine of his own."""
    with at_work(hub, browser) as page:
        yield page


def test_two_operators_and_a_note_half_written(
    hub: RunningHub, desk: Page, colleague: Page
) -> None:
    """What one ticks the other sees within seconds, and nobody's text or answer is lost."""
    gil, davi = desk, colleague
    for page in (gil, davi):
        page.goto(f"{hub.url}/hoje")
    gil.locator("#f-note-5").fill("fila conferi")
    gil.locator("#f-note-5").press("End")
    answer(Hand(davi), 3)
    expect(gil.locator("#said-3")).to_contain_text("Feito por Davi")
    # The poll came and went: text, caret and focus are where they were.
    gil.keyboard.type("da às 8")
    expect(gil.locator("#f-note-5")).to_have_value("fila conferida às 8")
    expect(gil.locator("#f-note-5")).to_be_focused()

    # Both answer one item: the first one's answer stays, the second is told.
    davi.locator("#na-1").get_by_role("button", name="Não se aplica").last.click()
    davi.locator("#f-na-1").fill("para mim não se aplica")
    gil.locator("#failed-1").click()
    expect(gil.locator("#said-1")).to_contain_text("Falhou, diz")
    davi.locator("#na-1-ask").get_by_role("button", name="Não se aplica").click()
    expect(davi.locator("#refused")).to_contain_text("já respondeu este item: falhou")
    expect(davi.locator("#said-1")).to_contain_text("Falhou, diz")

    # A failure leads on in one click; undoing leaves its trace.
    expect(gil.locator("#incident-1")).to_be_visible()
    gil.locator("#undo-1").get_by_role("button").click()
    expect(gil.locator("#done-1")).to_be_visible()
    expect(gil.locator("#ticks-1")).to_contain_text("Resposta desfeita")
    expect(gil.locator("#f-note-5")).to_have_value("fila conferida às 8")
    davi.locator("#undo-3").get_by_role("button").click()
    expect(davi.locator("#done-3")).to_be_visible()


def test_without_javascript(hub: RunningHub, desk: Page, browser: Browser) -> None:
    """The same doors as plain forms: an answer, the question for the reason, the undoing."""
    context = browser.new_context(java_script_enabled=False, locale="pt-BR")
    context.add_cookies(desk.context.cookies())
    page = context.new_page()
    page.goto(f"{hub.url}/hoje")
    page.locator("#na-2").get_by_role("button", name="Não se aplica").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Verificar se há alertas")
    page.get_by_label(re.compile("Escreva por que")).fill("feriado")
    page.get_by_role("button", name="Não se aplica").click()
    expect(page.locator("#said-2")).to_contain_text("feriado")
    page.locator("#undo-2").get_by_role("button").click()
    expect(page.locator("#done-2")).to_be_visible()
    context.close()


def test_a_morning(hub: RunningHub, colleague: Page, counted: Count) -> None:
    """Five ticks, a look at the hand-over, the signature; then it is paper and history."""
    page, hand = colleague, Hand(colleague)
    # Whoever operates lands on today's checklist.
    expect(page.get_by_role("heading", name="Verificação matinal")).to_be_visible()
    expect(page.locator("#sheet")).to_contain_text("0 de 5")
    sign = page.get_by_role("button", name="Concluir e assinar")
    expect(sign).to_have_attribute("aria-disabled", "true")
    for n in range(1, 6):
        expect(page.locator(f"#item-{n}")).to_contain_text("verificado")
        answer(hand, n)
    note = page.get_by_label("O que o próximo turno precisa saber")
    expect(page.get_by_role("button", name="Assinar como Davi")).to_be_focused()
    note.fill(f"{note.input_value()}\nRever o CRM às 14:00.")
    hand.click(page.get_by_role("button", name="Assinar como Davi"))
    expect(page.locator("#sheet")).to_contain_text("Assinado por Davi")
    counted("2.1 morning checklist", hand)

    page.get_by_role("link", name="Folha para imprimir").click()
    page.emulate_media(media="print")
    expect(page.get_by_text("Rever o CRM às 14:00.")).to_be_visible()
    expect(page.get_by_text("Assinatura:")).to_be_visible()
    for off_paper in ("nav", "header.top", "button"):
        expect(page.locator(f"{off_paper}:visible")).to_have_count(0)
