"""The forms of the console, as a signed-in manager's browser finds them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from security.target import Target

MOST_PAGES = 150
# Doors that would end the attack: they restart what is attacked, sign the attacker out, or take
# the password, the level or the key.
FATAL = ("/workers/restart", "/logout", "/login", "/perfil", "/pessoas/", "/chaves/", "/queues/")


@dataclass(slots=True)
class Form:
    """Where a form goes, and what its fields hold at first."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[str, ...]:
        """Forms that differ only in what their address is about are the same kind."""
        first, *rest = self.action.strip("/").split("/")
        last = rest[-1] if len(rest) > 1 else ""
        return self.method, first, str(len(rest)), last, *sorted(self.fields)


class _Page(HTMLParser):
    """The forms and the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        elif tag == "form":
            self.forms.append(Form(said.get("method", "get").upper(), said.get("action", "")))
        elif self.forms and tag in ("input", "textarea", "button") and said.get("name"):
            self.forms[-1].fields.setdefault(said["name"], said.get("value") or "a")
        elif self.forms and tag == "select":
            self._select = said.get("name", "")
        elif self.forms and tag == "option" and self._select:
            self.forms[-1].fields.setdefault(self._select, said.get("value", ""))


def find(target: Target) -> list[Form]:
    """One form of each kind on one page of each kind, those left out that end the attack."""
    session = requests.Session()
    session.trust_env = False
    session.headers.update({"Cookie": target.cookie, "Accept": "text/html"})
    waiting, met, found = ["/", "/hoje", "/runbook"], {"/", "/hoje", "/runbook"}, {}
    for _ in range(MOST_PAGES):
        if not waiting:
            break
        path = waiting.pop(0)
        page = _Page()
        page.feed(session.get(target.url + path, timeout=30).text)
        for form in page.forms:
            form.action = form.action and _local(path, form.action)
            found.setdefault(form.kind, form)
        for link in filter(None, (_local(path, link) for link in page.links)):
            if _kind(link) not in met and not link.startswith((*FATAL, "/static", "/api")):
                met.add(_kind(link))
                waiting.append(link)
    return [
        form
        for form in found.values()
        if form.fields.keys() - {"csrf_token"} and form.action and not form.action.startswith(FATAL)
    ]


def _local(page: str, link: str) -> str:
    """The path of a link that stays here, else ''."""
    parts = urlsplit(urljoin(page, link))
    return "" if parts.scheme or parts.netloc else parts.path


def _kind(path: str) -> str:
    return re.sub(r"\d+", "0", path)
