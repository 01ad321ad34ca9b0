"""Without JavaScript: the work gets done, every page has its content, every form can be sent."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, expect

from tests.journeys import pages
from tests.journeys.day import Day, screen
from tests.journeys.doors import Doors, sign_in

# Every way to send every form of a page: [method, address, [[name, value], …]].
FORMS = """[...document.querySelectorAll('form')].flatMap(form => {
    const ways = [...form.elements].filter(each => each.type === 'submit' && !each.disabled);
    return ways.map(way => {
        const sent = [...new FormData(form)].filter(([, value]) => typeof value === 'string');
        if (way.name) sent.push([way.name, way.value]);
        const to = way.getAttribute('formaction') ?? form.getAttribute('action') ?? '';
        const path = new URL(to, location).pathname;
        return [form.method, path, sent];
    });
})"""
# These can end the login that the walk needs.
ENDS = re.compile(r"/logout|/perfil/|/pessoas/\d+/")
# Done, asked about, told what is missing, or somebody was there before.
ANSWERS = (200, 201, 202, 303, 409, 422)


def ways_of(page: Page) -> dict[str, tuple[str, str, list[tuple[str, str]]]]:
    """The ways to send the forms of a page, one of each kind."""
    found = {}
    for method, path, fields in page.evaluate(FORMS):
        sent = [(name, value) for name, value in fields]
        names = sorted({name for name, _ in sent})
        found[f"{method} {re.sub(r'[0-9]+', '1', path)} {names}"] = (method, path, sent)
    return found


def send(doors: Doors, method: str, path: str, sent: list[tuple[str, str]]) -> int:
    """Send a form as it stands; the status."""
    url, accept = doors.hub.url + path, {"Accept": "text/html"}
    if method == "get":
        return doors.request.get(f"{url}?{urlencode(sent)}", headers=accept).status
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = doors.request.post(url, data=urlencode(sent), headers=accept | kind, max_redirects=0)
    return answer.status


def test_the_work_gets_done(day: Day, browser: Browser) -> None:
    """An item answered, a breaker reset, a cause retried, a procedure worked, a sync run."""
    day.hub.partners.mode("crm", "ok")
    with screen(browser, day, 1440, scripts=False) as page:
        answer_an_item(page, day.hub.url)
        reset_the_breaker(page, day.hub.url)
        retry_a_cause(page, day.hub.url)
        work_a_procedure(page, day.hub.url)
        run_a_sync(page, day.hub.url)


def answer_an_item(page: Page, url: str) -> None:
    page.goto(f"{url}/hoje")
    page.locator("#na-3").get_by_role("button", name="Não se aplica").last.click()
    page.get_by_label(re.compile("Escreva por que")).fill("feriado")
    page.get_by_role("button", name="Não se aplica").click()
    expect(page.locator("#said-3")).to_contain_text("feriado")


def reset_the_breaker(page: Page, url: str) -> None:
    page.goto(f"{url}/circuit-breakers")
    card = page.locator("#breaker-crm")
    card.get_by_role("button", name="Religar", exact=True).click()
    page.get_by_label("Motivo").fill("o CRM voltou")
    page.get_by_role("button", name="Religar disjuntor").click()
    expect(card).to_contain_text("Mensagens saem normalmente")


def retry_a_cause(page: Page, url: str) -> None:
    """The server asks with the exact number, and does exactly so many."""
    page.goto(f"{url}/dlq?system=crm")
    group = page.get_by_role("button", name=re.compile("Reprocessar este grupo")).first
    count = re.findall(r"\d+", group.inner_text())[0]
    group.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Reprocessar {count} mensage")
    page.get_by_role("button", name=re.compile(f"Reprocessar {count} mensage")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Reprocessamento em lote")
    expect(page.locator("main")).to_contain_text(f"de {count}")


def work_a_procedure(page: Page, url: str) -> None:
    page.goto(f"{url}/procedimentos")
    page.locator("#procedure-cleanup").get_by_role("button", name="Começar").click()
    expect(page.locator("#passo-count")).to_contain_text("Iriam agora: 0 eventos")
    page.get_by_role("button", name="Encerrar como resolvido").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Relatório")


def run_a_sync(page: Page, url: str) -> None:
    page.goto(f"{url}/syncs")
    card = page.locator("#run-cuidadores_crm")
    card.get_by_role("button", name="Executar agora").last.click()
    page.get_by_label("Motivo").fill("faltam cadastros")
    page.get_by_role("button", name="Executar agora").click()
    expect(page).to_have_url(re.compile(r"/syncs/runs/\d+$"))


def test_coming_and_going(day: Day, browser: Browser) -> None:
    """The login leads on to what was asked for; filters, theme and the way out are plain forms."""
    with screen(browser, day, 1440, signed_in=False, scripts=False) as page:
        page.goto(f"{day.hub.url}/events?status=done")
        sign_in(page, day.hub)
        page.goto(f"{day.hub.url}/events?status=done")
        page.get_by_label("Tipo").select_option("lead.updated")
        page.get_by_role("button", name="Filtrar").click()
        expect(page).to_have_url(re.compile("type=lead.updated.*status=done"))
        page.locator("summary", has_text="conta e preferências").click()
        page.get_by_role("button", name="Escuro").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.locator("summary", has_text="conta e preferências").click()
        page.get_by_role("button", name="Sair").click()
        expect(page).to_have_url(re.compile("/login"))
        page.goto(f"{day.hub.url}/events")
        expect(page).to_have_url(re.compile("/login"))


def test_every_form_of_every_page(day: Day, browser: Browser) -> None:
    found: dict[str, Any] = {}
    with screen(browser, day, 1440, scripts=False) as page:
        for address in pages.addresses(day.hub, day.made):
            page.goto(day.hub.url + address)
            expect(page.locator("h1")).to_have_count(1)
            assert len(page.locator("main").inner_text()) > 40, address
            found = ways_of(page) | found
        doors = Doors(day.hub, page.context)
        assert len(found) > 60
        wrong = [
            f"{kind}: {status}"
            for kind, (method, path, sent) in found.items()
            if not ENDS.match(path) and (status := send(doors, method, path, sent)) not in ANSWERS
        ]
        assert wrong == []
