"""Every page there is: axe-core finds nothing, nothing complains, nothing scrolls sideways."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.faults.running import RunningHub
from tests.journeys import eyes, pages
from tests.journeys.day import BIA, BIAS_PASSWORD, Day, screen
from tests.journeys.doors import sign_in

WIDTHS = (WIDE, PHONE) = (1440, 360)
# So that no test takes all of the time that one may.
PARTS = 3
# Answers that only follow a post: questions, secrets shown once, forms that come back.
POSTS: tuple[tuple[str, dict[str, str], int], ...] = (
    ("/circuit-breakers/crm/reset", {}, 200),
    ("/dlq/retry", {"scope": "filter"}, 200),
    ("/workers/restart", {}, 200),
    ("/syncs/crm_operacao/run", {}, 200),
    ("/incidentes/<incident_id>/escalonar", {}, 200),
    ("/hoje/<checklist_id>/3", {"command": "not_applicable", "seen": "0"}, 422),
    ("/chaves", {"name": "Sistema Y", "scopes": "dlq:read"}, 201),
    ("/chaves", {"name": "", "scopes": "nada:nada"}, 422),
    ("/pessoas", {"email": "eva<width>@carinho.com.vc", "name": "Eva", "level": "2"}, 201),
    ("/pessoas", {"email": "eva<width>@carinho.com.vc", "name": "Eva", "level": "2"}, 409),
    ("/pessoas", {"email": "eva", "name": "", "level": "9"}, 422),
    ("/incidentes", {"title": ""}, 422),
    ("/hoje/modelo/morning", {"version": "0", "why": ""}, 422),
    ("/contatos/1", {"name": "", "email": "nada"}, 422),
    ("/contatos/regras", {"persists": "x"}, 422),
    ("/alerts/channels", {"kind": "email", "target": "nada"}, 422),
    ("/alerts/maintenance", {"system": "nada"}, 422),
    ("/perfil/senha", {"current": "x", "password": "y", "again": "z"}, 422),
    ("/perfil/duas-etapas", {"code": "1"}, 422),
    ("/mapeamentos/lead.created/crm", {"mapping": "{", "payload": "{}"}, 422),
    ("/mapeamentos/lead.created/crm/testar", {"mapping": '{"a": "b"}', "payload": "{}"}, 200),
    ("/rotas/nova", {"event_type": "Nada Assim", "system": "crm"}, 422),
    ("/dlq/<letter_id>/corrigir", {"payload": "{", "why": ""}, 422),
    ("/incidentes/<closed>/encerrar", {"confirmed": "1", "why": "de novo"}, 409),
)  # fmt: skip
TOPS = "grid => [...grid.children].map(card => card.getBoundingClientRect().top)"
SEND = """([path, fields]) => {
    const form = document.createElement('form');
    const token = document.querySelector('[name=csrf_token]').value;
    Object.assign(form, {method: 'post', action: path});
    for (const [name, value] of Object.entries({csrf_token: token, ...fields})) {
        form.append(Object.assign(document.createElement('input'), {type: 'hidden', name, value}));
    }
    document.body.append(form);
    form.submit();
}"""


def post(page: Page, path: str, fields: dict[str, str]) -> int:
    """Send a form as the page itself would; the status of the page that follows."""
    with page.expect_navigation() as following:
        page.evaluate(SEND, [path, fields])
    return following.value.status if following.value else 0


def outside(hub: RunningHub, page: Page, made: dict[str, Any]) -> list[str]:
    """What whoever is not signed in can see, and pages with buttons that Operação may not use."""
    found: list[str] = []
    for path in ("/login", "/feedback/<token>", "/feedback/nada"):
        page.goto(hub.url + pages.filled(path, made))
        found += eyes.wrong(page, path)
    page.goto(f"{hub.url}/login")
    page.get_by_label("E-mail").fill("nao")
    page.get_by_role("button", name="Entrar").click()
    expect(page).to_have_title(re.compile("Erro"))
    found += eyes.wrong(page, "/login with errors")
    sign_in(page, hub, BIA, BIAS_PASSWORD)
    for path in ("/auditoria", "/sla", "/contatos", "/queues", "/sistemas/crm", "/perfil"):
        page.goto(hub.url + path)
        found += eyes.wrong(page, f"{path} of level 1")
    return [*found, *second_step(hub, page)]


def second_step(hub: RunningHub, page: Page) -> list[str]:
    """Switching two-step login on, its codes, and the page that asks for one."""
    page.goto(f"{hub.url}/perfil/duas-etapas")
    page.get_by_text("Não consigo ler o código").click()
    secret = page.locator("main code").inner_text().replace(" ", "")
    page.get_by_label("2. Digite o código").fill(pyotp.TOTP(secret).now())
    page.get_by_label("3. Digite a sua senha").fill(BIAS_PASSWORD)
    page.get_by_role("button", name="Ligar").click()
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Verificação")
    found = list(eyes.wrong(page, "recovery codes"))
    page.context.clear_cookies()
    sign_in(page, hub, BIA, BIAS_PASSWORD)
    expect(page).to_have_url(re.compile("/login/code"))
    return [*found, *eyes.wrong(page, "/login/code")]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_wrong_with_it(day: Day, browser: Browser, width: int, part: int) -> None:
    found: list[str] = []
    with screen(browser, day, width) as page:
        for address in pages.addresses(day.hub, day.made)[part::PARTS]:
            page.goto(day.hub.url + address)
            expect(page.locator("h1")).to_have_count(1)
            found += eyes.wrong(page, address, dialogs=width == PHONE)
    assert found == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nor_with_what_follows_a_post(day: Day, browser: Browser, width: int) -> None:
    found: list[str] = []
    with screen(browser, day, width) as page:
        page.goto(f"{day.hub.url}/perfil/duas-etapas")
        for path, fields, status in POSTS:
            here = {name: value.replace("<width>", str(width)) for name, value in fields.items()}
            answered = post(page, pages.filled(path, day.made), here)
            found += [f"POST {path}: {answered}"] if answered != status else []
            found += eyes.wrong(page, f"POST {path}")
    assert found == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nor_when_the_hub_itself_fails(day: Day, browser: Browser, width: int) -> None:
    with screen(browser, day, width, meant="status of 50") as page:
        day.hub.write("ALTER TABLE quiet_hours RENAME TO lost")
        page.goto(f"{day.hub.url}/messages/templates")
        day.hub.write("ALTER TABLE lost RENAME TO quiet_hours")
        expect(page.get_by_text(re.compile("Código 50"))).to_be_visible()
        assert list(eyes.wrong(page, "a page that failed")) == []


def test_nor_outside(day: Day, browser: Browser) -> None:
    with screen(browser, day, PHONE, signed_in=False) as page:
        assert outside(day.hub, page, day.made) == []


@pytest.mark.parametrize("address", ["/syncs", "/procedimentos"])
def test_no_card_is_left_alone_in_the_last_row(day: Day, browser: Browser, address: str) -> None:
    with screen(browser, day, WIDE) as page:
        page.goto(day.hub.url + address)
        rows = Counter(page.locator(".grid").evaluate(TOPS))
    assert len(rows) > 1
    assert len(set(rows.values())) == 1


def test_the_eyes_see(page: Page) -> None:
    """A page with faults is not passed over: each of those looked for is found."""
    page.set_content("<html lang='pt-BR'><title>x</title><main><h1>x</h1></main>")
    page.evaluate(
        """() => {
            const box = document.createElement('div');
            box.innerHTML = '<img src="/static/img/ok.svg"><button></button>'
                + '<p class="poor">um texto</p><a href="#a" class="tiny">1</a>'
                + '<a href="#b" class="tiny">2</a>';
            box.className = 'wider';
            document.querySelector('main').append(box);
            const sheet = new CSSStyleSheet();
            sheet.replaceSync('.poor {color: #999; background: #aaa} .wider {width: 4000px}'
                + ' .tiny {display: inline-block; width: 9px; height: 9px; overflow: hidden}');
            document.adoptedStyleSheets = [sheet];
        }"""
    )
    found = " ".join(eyes.wrong(page, "here"))
    for fault in ("image-alt", "button-name", "light: color-contrast", "dark: color-contrast"):
        assert fault in found
    assert "wider than the screen" in found
    assert "target-size" in found
