"""Each role against each action: buttons say why not and whom to ask; a forged post is refused."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.access.rules.abilities import ABILITIES, OPERATION, refusal
from tests.access.matrix import ROWS
from tests.access.test_matrix import _filled
from tests.journeys.day import BIA, BIAS_PASSWORD, Day, screen
from tests.journeys.doors import Doors, person, sign_in
from tests.journeys.pages import filled

DAN, DANS_PASSWORD = "dan@carinho.com.vc", "outra frase bem longa 7"
WHO = {1: (BIA, BIAS_PASSWORD), 2: (DAN, DANS_PASSWORD)}
# Where somebody without the ability meets it: a button that says why, or a page that does.
MET = {
    "dlq.edit": "/dlq/<letter_id>/ensaio",
    "dlq.delete": "/dlq?state=archived",
    "systems.manage": "/sistemas/<system>",
    "mappings.manage": "/mapeamentos/<event_type>/<system>",
    "messages.manage": "/messages/templates/welcome/email",
    "automations.manage": "/automations",
    "workers.manage": "/queues",
    "cleanup.run": "/procedimentos/execucoes/<cleanup>?passo=run",
    "keys.manage": "/chaves",
    "audit.read": "/auditoria",
    "checklists.manage": "/hoje/modelo/morning",
    "sla.manage": "/sla",
    "people.manage": "/pessoas",
}


@pytest.fixture(scope="module")
def dan(day: Day) -> None:
    """Somebody of Desenvolvimento."""
    person(day.hub, DAN, "Dan", 2, DANS_PASSWORD)


def beyond(level: int) -> Iterator[str]:
    """The abilities that a level does not have."""
    return (name for name, ability in ABILITIES.items() if ability.level > level)


@pytest.mark.parametrize("level", [1, 2])
def test_what_one_may_not(day: Day, dan: None, browser: Browser, level: int) -> None:
    with screen(browser, day, 1440, signed_in=False) as page:
        sign_in(page, day.hub, *WHO[level])
        doors = Doors(day.hub, page.context)
        run = doors.done("/procedimentos/cleanup").rpartition("/")[2]
        for ability in beyond(level):
            page.goto(day.hub.url + filled(MET[ability], day.made | {"cleanup": run}))
            told(page, ability)
        assert forged(doors, level) == []


def told(page: Page, ability: str) -> None:
    """The page says why and whom to ask; no button of it can be pressed."""
    why = refusal(ability)
    assert ABILITIES[ability].ask() in why
    if page.get_by_role("heading", level=1, name="Sem permissão").count():
        expect(page.locator("main")).to_contain_text(why)
        return
    button = page.locator(f'[aria-disabled="true"][data-reason="{why}"]').first
    expect(button).to_be_attached()
    expect(button).to_contain_text(why)
    before = page.url
    button.dispatch_event("click")
    expect(page).to_have_url(before)


def forged(doors: Doors, level: int) -> list[str]:
    """Posts with the right token of the wrong person that were not answered with a 403."""
    wrong = []
    for row in ROWS:
        method, path, ability, *_ = row.split()
        if method != "POST" or ability == "open" or ABILITIES[ability].level <= level:
            continue
        answer = doors.post(_filled(path))
        if answer.status != 403 or html.escape(refusal(ability), quote=False) not in answer.text():
            wrong.append(f"{path}: {answer.status}")
    return wrong


def test_everybody_of_operation_can_work(day: Day, browser: Browser) -> None:
    """What level 1 has is not shown as forbidden to it."""
    mine = {refusal(name) for name, found in ABILITIES.items() if found.level == OPERATION}
    with screen(browser, day, 1440, signed_in=False) as page:
        sign_in(page, day.hub, *WHO[1])
        for path in ("/hoje", "/dlq", "/circuit-breakers", "/incidentes/<incident_id>", "/syncs"):
            page.goto(day.hub.url + filled(path, day.made))
            reasons = page.locator("[data-reason]").evaluate_all(
                "found => found.map(each => each.dataset.reason)"
            )
            assert mine.isdisjoint(reasons)
