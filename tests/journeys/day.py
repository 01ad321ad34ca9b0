"""One bad day of a hub that several tests look at, and the screens they look at it on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, StorageState

from tests.faults.running import RunningHub
from tests.journeys import eyes, world
from tests.journeys.complaints import Complaints
from tests.journeys.doors import PASSWORD, Doors, person, sign_in
from tests.journeys.shift import NOON, zone_where
from tests.partners.client import Partners

BIA, BIAS_PASSWORD = "bia@carinho.com.vc", "correto cavalo bateria"
HEIGHT = 800


@dataclass(frozen=True)
class Day:
    """One bad day for all tests of this file: the hub, what to put into addresses, a login."""

    hub: RunningHub
    made: dict[str, Any]
    login: StorageState


@contextmanager
def bad_day(folder: Path, browser: Browser) -> Iterator[Day]:
    """Begin one and end it."""
    with Partners.start(own_ports=True) as partners:
        zone = {"HUB_TIMEZONE": zone_where(NOON)}
        hub = RunningHub(folder, partners, HUB_ADMIN_PASSWORD=PASSWORD, **world.TROUBLES, **zone)
        try:
            context = browser.new_context(locale="pt-BR")
            sign_in(context.new_page(), hub)
            made = world.build(Doors(hub, context))
            person(hub, BIA, "Bia", 1, BIAS_PASSWORD)
            login = context.storage_state()
            context.close()
            yield Day(hub, made, login)
        finally:
            hub.hub.clear_up()


@contextmanager
def screen(
    browser: Browser,
    day: Day,
    width: int,
    signed_in: bool = True,
    scripts: bool = True,
    meant: str = "status of 4",
) -> Iterator[Page]:
    """A page of so many pixels, watched for errors, violations and requests to other hosts.

    `meant`: how the browser notes a page that was meant to be refused.
    """
    context = browser.new_context(
        locale="pt-BR",
        viewport={"width": width, "height": HEIGHT},
        storage_state=day.login if signed_in else None,
        java_script_enabled=scripts,
    )
    heard, strangers = Complaints(context), eyes.Strangers(context, day.hub.url)
    yield context.new_page()
    context.close()
    unmeant = [text for text in heard.texts if meant not in text]
    assert (unmeant, strangers.urls) == ([], [])
