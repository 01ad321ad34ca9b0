"""A hub in the middle of a shift, an operator at work on its checklist."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.faults.running import RunningHub
from tests.journeys.complaints import Complaints
from tests.journeys.counted import Hand
from tests.journeys.doors import PASSWORD, person, sign_in
from tests.partners.client import Partners

# Far from the hours at which one checklist makes room for the next.
NOON = 12
DAVI, DAVIS_PASSWORD = "davi@carinho.com.vc", "correto cavalo bateria"


def zone_where(hour: int) -> str:
    """A zone in which it is about that hour of the day."""
    ahead = (hour - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


@contextmanager
def whole_shift(folder: Path, hour: int, **settings: str) -> Iterator[RunningHub]:
    """A hub where it is about that hour; Davi may sign in."""
    shown = {"LIVE_POLL": "1", "HUB_TIMEZONE": zone_where(hour), "HUB_ADMIN_PASSWORD": PASSWORD}
    with Partners.start(own_ports=True) as partners:
        hub = RunningHub(folder, partners, **shown, **settings)
        try:
            person(hub, DAVI, "Davi", 1, DAVIS_PASSWORD)
            yield hub
        finally:
            hub.hub.clear_up()


@contextmanager
def at_work(hub: RunningHub, browser: Browser) -> Iterator[Page]:
    """The page of Davi, signed in, watched for errors."""
    context = browser.new_context(locale="pt-BR")
    found, page = Complaints(context), context.new_page()
    sign_in(page, hub, DAVI, DAVIS_PASSWORD)
    yield page
    context.close()
    # The browser notes a refused command as an error; it is one that was meant to be refused.
    assert [text for text in found.texts if "409" not in text] == []


def answer(hand: Hand, n: int) -> None:
    """Say that an item is done, with a reason where the data disagrees."""
    note = hand.page.locator(f"#f-note-{n}")
    if note.get_attribute("required") is not None:
        note.fill("conferido com a equipe")
    hand.click(hand.page.locator(f"#done-{n}"))
    expect(hand.page.locator(f"#said-{n}")).to_contain_text("Feito por")
