"""What is wrong with a page that is on the screen: axe-core, sideways scroll, strange hosts."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from typing import Any, Literal

from playwright.sync_api import BrowserContext, Page

Scheme = Literal["light", "dark"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# All else that axe looks at is the same in both schemes.
COLOURS = ["color-contrast", "link-in-text-block"]
AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
LOOK = """([dialog, tags, only]) => axe.run(dialog ?? document, {
    runOnly: only ? {type: 'rule', values: only} : {type: 'tag', values: tags},
    rules: only ? {} : {'target-size': {enabled: true}},
    resultTypes: ['violations'],
}).then(found => found.violations.flatMap(each =>
    each.nodes.map(node => [each.id, node.target.join(' '), node.failureSummary])))"""
# What is folded away is looked at, too; an opened menu would hide what lies under it.
UNFOLD = "document.querySelectorAll('main details').forEach(each => { each.open = true; })"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
DIALOGS = "main dialog:not([open])"
# As many questions of a page as differ; the rest of them are the same macro with other words.
MOST_DIALOGS = 1


def wrong(page: Page, where: str, dialogs: bool = False) -> Iterator[str]:
    """Everything that is wrong with the page as it stands, in light and in dark.

    With `dialogs` its first question is opened and looked at, too.
    """
    # What follows a click may stand there before its styles do.
    page.wait_for_load_state()
    page.evaluate(UNFOLD)
    page.evaluate(AXE)
    if (over := page.evaluate(TOO_WIDE)) > 0:
        yield f"{where}: {over} px wider than the screen"
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        yield from (f"{where} {scheme}: {said}" for said in _axe(page, None, scheme))
        for dialog in page.locator(DIALOGS).all()[: MOST_DIALOGS * dialogs]:
            dialog.evaluate("box => box.showModal()")
            opened = page.locator("dialog[open]").element_handle()
            yield from (f"{where} {scheme} dialog: {said}" for said in _axe(page, opened, scheme))
            page.evaluate("document.querySelector('dialog[open]').close()")
    page.emulate_media(color_scheme="light")


def _axe(page: Page, dialog: Any, scheme: Scheme) -> list[str]:
    only = COLOURS if scheme == "dark" else None
    return [" | ".join(each) for each in page.evaluate(LOOK, [dialog, TAGS, only])]


class Strangers:
    """Requests that left for another host."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.urls: list[str] = []
        self._home = home
        context.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith((self._home, "data:", "blob:")):
            self.urls.append(url)
