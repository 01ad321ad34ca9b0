"""Without JavaScript: every page has its content, every form can be sent."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, expect

from tests.journeys import pages
from tests.journeys.day import Day, screen
from tests.journeys.doors import Doors

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
