"""What a browser complains about."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, ConsoleMessage


class Complaints:
    """What a browser complained about: console errors and violations of the policy."""

    def __init__(self, context: BrowserContext) -> None:
        self.texts: list[str] = []
        context.on("console", self._note)
        context.on("weberror", lambda error: self.texts.append(str(error.error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            what = str(message.location.get("url", ""))[:200]
            where = message.page.url if message.page else ""
            self.texts.append(f"{message.text} ({what} on {where})")
