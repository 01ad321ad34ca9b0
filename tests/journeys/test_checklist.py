"""The daily checklists in a browser: a morning from the first item to the signature; two people."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app import clock, embedded_redis
from tests.faults.running import RunningHub
from tests.house.running import ROOT
from tests.journeys.complaints import Complaints
from tests.journeys.counted import Count

DAVI, DAVIS_PASSWORD = "davi@carinho.com.vc", "correto cavalo bateria"


def at_noon() -> str:
    """A zone in which it is about noon, so that the morning's checklist is the present one."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


@pytest.fixture
def patience() -> dict[str, str]:
    return {"LIVE_POLL": "1", "HUB_TIMEZONE": at_noon()}


@pytest.fixture
def colleague(hub: RunningHub, browser: Browser) -> Iterator[Page]:
    """The page of Davi, a second operator, on a machine of his own."""
    command = [sys.executable, "-m", "flask", "--app", "app", "integrations", "create-user"]
    who = ["--email", DAVI, "--name", "Davi", "--level", "1", "--password", DAVIS_PASSWORD]
    environ = hub.hub.environ | {"REDIS_URL": embedded_redis.url(hub.data)}
    subprocess.run([*command, *who], env=environ, cwd=ROOT, capture_output=True, check=True)
    context: BrowserContext = browser.new_context(locale="pt-BR")
    found, page = Complaints(context), context.new_page()
    page.goto(f"{hub.url}/login")
    page.get_by_label("E-mail").fill(DAVI)
    page.get_by_label("Senha").fill(DAVIS_PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    yield page
    context.close()
    # The browser notes a refused command as an error; it is one that was meant to be refused.
    assert [text for text in found.texts if "409" not in text] == []


def answer(page: Page, n: int) -> None:
    """Say that an item is done, with a reason where the data disagrees."""
    note = page.locator(f"#f-note-{n}")
    if note.get_attribute("required") is not None:
        note.fill("conferido com a equipe")
    page.locator(f"#done-{n}").click()
    expect(page.locator(f"#said-{n}")).to_contain_text("Feito por")


def test_a_morning(hub: RunningHub, colleague: Page, counted: Count) -> None:
    """Five ticks, a look at the hand-over, the signature; then it is paper and history."""
    page, began = colleague, clock.monotonic()
    # Whoever operates lands on today's checklist.
    expect(page.get_by_role("heading", name="Verificação matinal")).to_be_visible()
    expect(page.locator("#sheet")).to_contain_text("0 de 5")
    sign = page.get_by_role("button", name="Concluir e assinar")
    expect(sign).to_have_attribute("aria-disabled", "true")
    for n in range(1, 6):
        expect(page.locator(f"#item-{n}")).to_contain_text("verificado")
        answer(page, n)
    page.get_by_role("link", name="Concluir e assinar").click()
    note = page.get_by_label("O que o próximo turno precisa saber")
    note.fill(f"{note.input_value()}\nRever o CRM às 14:00.")
    page.get_by_role("button", name="Assinar como Davi").click()
    expect(page.locator("#sheet")).to_contain_text("Assinado por Davi")
    counted("2.1 morning checklist, beside its 5 ticks", 2, clock.monotonic() - began)

    page.get_by_role("link", name="Folha para imprimir").click()
    page.emulate_media(media="print")
    expect(page.get_by_text("Rever o CRM às 14:00.")).to_be_visible()
    expect(page.get_by_text("Assinatura:")).to_be_visible()
    for off_paper in ("nav", "header.top", "button"):
        expect(page.locator(f"{off_paper}:visible")).to_have_count(0)


def test_two_operators_and_a_note_half_written(
    hub: RunningHub, desk: Page, colleague: Page
) -> None:
    """What one ticks the other sees within seconds, and nobody's text or answer is lost."""
    gil, davi = desk, colleague
    for page in (gil, davi):
        page.goto(f"{hub.url}/hoje")
    gil.locator("#f-note-5").fill("fila conferi")
    gil.locator("#f-note-5").press("End")
    answer(davi, 3)
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
