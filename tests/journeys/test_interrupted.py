"""Interrupted while writing: the server killed, the login over; nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.faults.running import EVERYONE, RunningHub
from tests.house.running import until
from tests.journeys.complaints import Complaints
from tests.journeys.doors import Doors, person, sign_in

EVA, PASSWORD, NEXT = "eva@carinho.com.vc", "correto cavalo bateria", "outra frase bem longa 7"
# What a browser notes when nobody answers.
AWAY = re.compile("net::ERR_|Failed to fetch")
# Starting a whole hub again, and up to one wait of the page between two looks.
PATIENTLY = 90_000


@pytest.fixture
def patience() -> dict[str, str]:
    return {"LIVE_POLL": "1"}


def half_a_note(page: Page, hub: RunningHub) -> None:
    """Open an incident and begin to write."""
    page.goto(f"{hub.url}/incidentes/novo")
    page.get_by_label("O que está acontecendo").fill("CRM fora do ar")
    page.get_by_role("button", name="Abrir incidente").click()
    page.get_by_label("Anotar o que você viu ou fez").press_sequentially("liguei para o fo")


def finish_the_note(page: Page) -> None:
    """Write on where the caret stands, and save."""
    page.keyboard.type("rnecedor")
    note = page.get_by_label("Anotar o que você viu ou fez")
    expect(note).to_have_value("liguei para o fornecedor")
    page.get_by_role("button", name="Anotar").click()
    expect(page.locator(".timeline")).to_contain_text("liguei para o fornecedor")


def answers(hub: RunningHub) -> bool:
    try:
        return requests.get(f"{hub.url}/health", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_the_server_is_killed(hub: RunningHub, desk: Page, complaints: Complaints) -> None:
    half_a_note(desk, hub)
    button = desk.get_by_role("button", name="Anotar")
    expect(desk.locator("#offline")).to_be_hidden()

    # kill -9 of the supervisor and of all that it started.
    hub.hub.clear_up()
    banner = desk.locator("#offline")
    expect(banner).to_contain_text("Sem conexão com o servidor desde")
    expect(button).to_be_disabled()
    desk.keyboard.type("")
    hub.hub.start()
    expect(banner).to_be_hidden(timeout=PATIENTLY)
    expect(button).to_be_enabled()
    finish_the_note(desk)

    # kill -9 of the web process alone: the supervisor brings it back, the page notices by itself.
    until(lambda: set(hub.hub.pids()) == set(EVERYONE), 60)
    note = desk.get_by_label("Anotar o que você viu ou fez")
    note.press_sequentially("ele responde")
    hub.reborn("web", hub.kill("web"))
    # Whoever sends before it listens again gets the browser's own page.
    until(lambda: answers(hub), 60)
    expect(banner).to_be_hidden(timeout=PATIENTLY)
    expect(note).to_have_value("ele responde")
    expect(button).to_be_enabled(timeout=PATIENTLY)
    button.click()
    expect(desk.locator(".timeline")).to_contain_text("ele responde", timeout=PATIENTLY)
    # What could not be reached meanwhile is what was killed.
    complaints.texts = [text for text in complaints.texts if not AWAY.search(text)]


def ended_elsewhere(doors: Doors, eva: Doors, user: int) -> str:
    eva.done("/perfil/sessoes/encerrar")
    return PASSWORD


def password_changed(doors: Doors, eva: Doors, user: int) -> str:
    eva.done("/perfil/senha", current=PASSWORD, password=NEXT, again=NEXT)
    return NEXT


def disabled_for_a_while(doors: Doors, eva: Doors, user: int) -> str:
    doors.done(f"/pessoas/{user}/desativar", why="férias")
    doors.done(f"/pessoas/{user}/ativar", why="voltou")
    return NEXT


WAYS: tuple[Callable[[Doors, Doors, int], str], ...] = (
    ended_elsewhere,
    password_changed,
    disabled_for_a_while,
)


def test_the_login_ends_elsewhere(
    hub: RunningHub, desk: Page, browser: Browser, complaints: Complaints
) -> None:
    """Signed out on another machine, password changed, disabled: a banner, and the note stays."""
    person(hub, EVA, "Eva", 1, PASSWORD)
    ((user,),) = hub.ask("SELECT id FROM users WHERE email = ?", EVA)
    context, password = browser.new_context(locale="pt-BR"), PASSWORD
    page = context.new_page()
    sign_in(page, hub, EVA, password)
    for way in WAYS:
        other = browser.new_context(locale="pt-BR")
        sign_in(other.new_page(), hub, EVA, password)
        half_a_note(page, hub)
        password = way(Doors(hub, desk.context), Doors(hub, other), user)
        other.close()
        expect(page.locator("#expired")).to_contain_text("Sua sessão terminou.")
        note = page.get_by_label("Anotar o que você viu ou fez")
        expect(note).to_have_value("liguei para o fo")

        # No command can take the text away meanwhile; in another tab one signs in again.
        expect(page.get_by_role("button", name="Anotar")).to_be_disabled()
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Entrar em outra aba").click()
        sign_in(opened.value, hub, EVA, password)
        opened.value.close()
        page.bring_to_front()
        expect(page.locator("#expired")).to_be_hidden()
        note.focus()
        note.press("End")
        finish_the_note(page)
    context.close()


def test_a_form_that_asks_nothing_of_the_server(
    hub: RunningHub, desk: Page, browser: Browser, complaints: Complaints
) -> None:
    """It learns of the end of the login only when it is sent, and still loses nothing."""
    desk.goto(f"{hub.url}/incidentes/novo")
    desk.get_by_label("O que está acontecendo").fill("CRM fora do ar")
    desk.get_by_label("O que você já sabe").fill("começou às 8h10, depois da troca do certificado")
    other = browser.new_context(locale="pt-BR")
    sign_in(other.new_page(), hub)
    Doors(hub, other).done("/perfil/sessoes/encerrar")
    other.close()
    desk.get_by_role("button", name="Abrir incidente").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Sua sessão terminou")
    expect(desk.locator("main")).to_contain_text("depois da troca do certificado")
    with desk.expect_popup() as opened:
        desk.get_by_role("link", name="Entrar em outra aba").click()
    sign_in(opened.value, hub)
    opened.value.close()
    # The form is of the old login: shown once more, sent once more.
    desk.get_by_role("button", name="Enviar de novo").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Envie de novo")
    desk.get_by_role("button", name="Enviar de novo").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("CRM fora do ar")
    expect(desk.locator(".timeline")).to_contain_text("depois da troca do certificado")
    # The two refusals, as the browser notes them.
    complaints.texts = [text for text in complaints.texts if "status of 40" not in text]
