"""Pages that live: addresses keep the choice, updates take nothing away, the keyboard leads on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.faults.running import RunningHub
from tests.house.running import until
from tests.journeys import eyes
from tests.journeys.complaints import Complaints
from tests.journeys.counted import Count, Hand
from tests.journeys.doors import PASSWORD, Doors, sign_in
from tests.partners.client import Partners

SETTINGS = {
    "RETRY_BASE_DELAY": "0.2",
    "RETRY_MAX_ATTEMPTS": "2",
    "LIVE_POLL": "1",
    "HUB_ADMIN_PASSWORD": PASSWORD,
}
ROWS = "table[data-rows] > tbody > tr"
CURRENT = "tr[data-current]"
# The width of a sheet between usual margins, in pixels.
A4 = 718


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub for all tests of this file; the CRM refuses what it is sent."""
    with Partners.start(own_ports=True) as partners:
        hub = RunningHub(tmp_path_factory.mktemp("lively"), partners, **SETTINGS)
        try:
            partners.mode("crm", "422")
            die(hub, 3)
            yield hub
        finally:
            hub.hub.clear_up()


def die(hub: RunningHub, count: int) -> None:
    """Send events whose messages the CRM refuses, and wait for their end."""
    query = "SELECT count(*) FROM dead_letters"
    before = hub.ask(query)[0][0]
    hub.send(count)
    until(lambda: hub.ask(query)[0][0] == before + count, 60)


@pytest.fixture
def gil(lively: RunningHub, browser: Browser) -> Iterator[Page]:
    """The page of the manager on a low screen, which scrolls; watched for errors."""
    context: BrowserContext = browser.new_context(
        locale="pt-BR", viewport={"width": 1280, "height": 500}
    )
    found, page = Complaints(context), context.new_page()
    sign_in(page, lively)
    yield page
    context.close()
    assert found.texts == []


def test_back_and_a_copied_link_bring_the_choice_back(lively: RunningHub, gil: Page) -> None:
    """Filters, tabs and ranges stand in the address and nowhere else."""
    gil.goto(f"{lively.url}/dlq")
    gil.get_by_label("Sistema").select_option("crm")
    gil.get_by_label("Período").select_option("7")
    gil.get_by_role("button", name="Filtrar").click()
    expect(gil).to_have_url(re.compile("system=crm.*days=7"))
    filtered = gil.url
    gil.get_by_role("link", name="Arquivadas").click()
    expect(gil).to_have_url(re.compile("state=archived"))
    gil.go_back()
    expect(gil.get_by_label("Período")).to_have_value("7")
    gil.locator(f"{ROWS} th a").first.click()
    expect(gil).to_have_url(re.compile(r"/dlq/\d+"))
    gil.go_back()
    expect(gil).to_have_url(filtered)
    expect(gil.locator(ROWS)).to_have_count(3)
    gil.goto(f"{lively.url}/sla")
    gil.get_by_role("link", name="7 dias").click()
    expect(gil).to_have_url(re.compile("range=7d"))

    other = gil.context.new_page()
    for address, chosen in ((filtered, "Abertas"), (gil.url, "7 dias")):
        other.goto(address)
        expect(other.locator("main [aria-current]", has_text=chosen)).to_be_visible()
    other.goto(filtered)
    expect(other.get_by_label("Sistema")).to_have_value("crm")
    expect(other.get_by_label("Período")).to_have_value("7")


def test_what_was_archived_comes_back_from_its_toast(lively: RunningHub, gil: Page) -> None:
    gil.goto(f"{lively.url}/dlq")
    rows = gil.locator(ROWS)
    expect(rows).to_have_count(3)
    rows.first.get_by_role("button", name="Arquivar").click()
    toast = gil.locator("#toasts")
    expect(toast).to_contain_text("arquivada")
    expect(rows).to_have_count(2)
    toast.get_by_role("button", name="Desfazer").click()
    expect(gil.locator("main")).to_contain_text("está aberta de novo")
    gil.goto(f"{lively.url}/dlq")
    expect(rows).to_have_count(3)


def test_the_runbook_on_paper(lively: RunningHub, gil: Page) -> None:
    """The document alone: its chapters, no frame, nothing folded away, as wide as the sheet."""
    gil.goto(f"{lively.url}/runbook")
    gil.set_viewport_size({"width": A4, "height": 1100})
    gil.emulate_media(media="print")
    for off_paper in ("nav.rail", "header.top", "main button"):
        expect(gil.locator(f"{off_paper}:visible")).to_have_count(0)
    expect(gil.locator("main h2").last).to_be_visible()
    expect(gil.locator("main details:not([open])")).to_have_count(0)
    assert gil.evaluate(eyes.TOO_WIDE) <= 0


def caret(field: Locator) -> int:
    """Where the next letter would go."""
    return int(field.evaluate("field => field.selectionStart"))


def test_an_update_takes_nothing_away(lively: RunningHub, gil: Page, counted: Count) -> None:
    """Somebody else acts while one is in the middle of a word."""
    doors = Doors(lively, gil.context)
    incident = doors.done("/incidentes", title="CRM fora do ar", severity="high")
    gil.goto(lively.url + incident)
    note = gil.get_by_label("Anotar o que você viu ou fez")
    note.press_sequentially("liguei o fornecedor")
    for _ in "o fornecedor":
        note.press("ArrowLeft")
    gil.locator("#severity").select_option("low", force=True)
    gil.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
    panels = gil.locator("main details[open]").count()
    note.focus()
    gil.evaluate("scrollTo(0, 120)")
    scrolled = gil.evaluate("scrollY")

    hand = Hand(gil)
    doors.done(f"{incident}/nota", why="o CRM respondeu 503")
    expect(gil.locator(".timeline")).to_contain_text("o CRM respondeu 503")
    counted("a change that arrives while one types", hand)
    expect(note).to_be_focused()
    assert caret(note) == len("liguei ")
    gil.keyboard.type("para ")
    expect(note).to_have_value("liguei para o fornecedor")
    expect(gil.locator("#severity")).to_have_value("low")
    assert gil.locator("main details[open]").count() == panels
    assert gil.evaluate("scrollY") == scrolled


def test_rows_that_are_chosen_stay_so(lively: RunningHub, gil: Page) -> None:
    """The list waits while rows are ticked; what came meanwhile is offered, not pushed in."""
    gil.goto(f"{lively.url}/dlq")
    shown = gil.locator(ROWS).count()
    for box in gil.locator("[data-pick]").all()[:2]:
        box.check()
    expect(gil.locator("#bulk")).to_contain_text("2 selecionadas")
    die(lively, 2)
    gil.locator("[data-refresh]").click()
    expect(gil.locator("#newer")).to_contain_text("2 novas – mostrar")
    expect(gil.locator("[data-pick]:checked")).to_have_count(2)
    expect(gil.locator("#bulk")).to_contain_text("2 selecionadas")
    expect(gil.locator(ROWS)).to_have_count(shown)
    gil.get_by_role("button", name="Limpar seleção").click()
    gil.locator("#newer").click()
    expect(gil.locator(ROWS)).to_have_count(shown + 2)


def test_new_rows_wait(lively: RunningHub, gil: Page) -> None:
    """Twelve events come in while somebody reads further down: no line of the list moves."""
    lively.send(25)
    gil.goto(f"{lively.url}/events")
    row = gil.locator(ROWS).nth(12)
    row.scroll_into_view_if_needed()
    place, name = row.bounding_box(), row.get_attribute("id")
    newest = lively.send(12)[-1]
    expect(gil.locator("#newer")).to_contain_text("12 novas – mostrar")
    assert gil.locator(ROWS).nth(12).get_attribute("id") == name
    assert gil.locator(f"#{name}").bounding_box() == place
    gil.locator("#newer").click()
    expect(gil.locator(ROWS).first).to_have_attribute("id", f"event-{newest}")


def arrived(page: Page, address: str) -> None:
    """The page is there, and its scripts listen."""
    expect(page).to_have_url(re.compile(address))
    page.wait_for_load_state()


def test_the_keyboard_leads_everywhere(lively: RunningHub, gil: Page) -> None:
    """Help, search, pages, rows, commands, the palette; none of it while one types."""
    gil.goto(f"{lively.url}/hoje")
    gil.keyboard.press("?")
    expect(gil.locator("#keys")).to_be_visible()
    gil.keyboard.press("Escape")
    expect(gil.locator("#keys")).to_be_hidden()
    # A quick hand: the first key still finds the focus in the dialog that has just closed.
    gil.locator("#keys button").dispatch_event("keydown", {"key": "g"})
    gil.keyboard.press("m")
    arrived(gil, "/dlq")
    gil.keyboard.press("/")
    search = gil.get_by_label("Procurar no motivo")
    expect(search).to_be_focused()
    gil.keyboard.type("gjx?")
    expect(search).to_have_value("gjx?")
    expect(gil.locator(CURRENT)).to_have_count(0)
    search.fill("")
    search.blur()

    for key in "jjk":
        gil.keyboard.press(key)
    expect(gil.locator(ROWS).first).to_have_attribute("data-current", "")
    gil.keyboard.press("x")
    expect(gil.locator(CURRENT).locator("[data-pick]")).to_be_checked()
    gil.keyboard.press("x")
    retried = str(gil.locator(CURRENT).get_attribute("id"))
    lively.partners.mode("crm", "ok")
    gil.keyboard.press("r")
    expect(gil.locator(f"#{retried}")).to_be_hidden()
    gil.keyboard.press("j")
    gil.keyboard.press("Enter")
    arrived(gil, r"/dlq/\d+$")

    gil.keyboard.press("Control+k")
    expect(gil.locator("#palette-box")).to_be_focused()
    gil.keyboard.type("disjun")
    gil.keyboard.press("Enter")
    arrived(gil, "/circuit-breakers")


def test_the_keyboard_can_be_switched_off(lively: RunningHub, gil: Page) -> None:
    gil.goto(f"{lively.url}/perfil")
    keys = gil.get_by_role("main").get_by_role("group", name="Atalhos do teclado")
    keys.get_by_role("button", name="Desligados").click()
    expect(keys.get_by_role("button", name="Desligados")).to_have_attribute("aria-pressed", "true")
    for key in ("?", "Control+k", "g", "m"):
        gil.keyboard.press(key)
    expect(gil.locator("dialog[open]")).to_have_count(0)
    expect(gil).to_have_url(re.compile("/perfil"))
