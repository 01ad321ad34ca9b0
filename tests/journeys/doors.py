"""The console's doors without the browser's hands: posts and pages with a context's own login."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape

from playwright.sync_api import APIResponse, BrowserContext, Page, expect

from app import embedded_redis
from tests.faults.running import RunningHub
from tests.house.running import ROOT

GIL, PASSWORD = "gestao@carinho.com.vc", "uma senha longa de gestora 42"
LOGIN = re.compile(r"/login(\?|$)")
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def sign_in(page: Page, hub: RunningHub, email: str = GIL, password: str = PASSWORD) -> None:
    """Through the form, as a person does."""
    page.goto(f"{hub.url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Senha").fill(password)
    page.get_by_role("button", name="Entrar").click()
    expect(page).not_to_have_url(LOGIN)
    page.wait_for_load_state()


def person(hub: RunningHub, email: str, name: str, level: int, password: str) -> None:
    """Make somebody who can sign in."""
    command = [sys.executable, "-m", "flask", "--app", "app", "integrations", "create-user"]
    who = ["--email", email, "--name", name, "--level", str(level), "--password", password]
    environ = hub.hub.environ | {"REDIS_URL": embedded_redis.url(hub.data)}
    subprocess.run([*command, *who], env=environ, cwd=ROOT, capture_output=True, check=True)


def heard(page: str) -> str:
    """The words of a page's main part, shortened."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())[:800]


class Doors:
    """Asks and posts with the cookies of a browser's context."""

    def __init__(self, hub: RunningHub, context: BrowserContext) -> None:
        self.hub = hub
        self.request = context.request
        self.token = self.token_of("/perfil")

    def get(self, path: str) -> APIResponse:
        return self.request.get(self.hub.url + path, headers={"Accept": "text/html"})

    def token_of(self, path: str) -> str:
        """The form token of a page."""
        found = TOKEN.search(self.get(path).text())
        return unescape(found[1]) if found else ""

    def post(self, path: str, **form: str | int) -> APIResponse:
        """Post a form, confirmed, as a browser without scripts would; the answer itself."""
        return self.request.post(
            self.hub.url + path,
            form={"csrf_token": self.token, "confirmed": "1", **form},
            headers={"Accept": "text/html"},
            max_redirects=0,
        )

    def done(self, path: str, **form: str | int) -> str:
        """Post what must be accepted; where it leads to ("" for a page that shows a secret)."""
        answer = self.post(path, **form)
        assert answer.status in (201, 303), (path, answer.status, heard(answer.text()))
        return answer.headers.get("location", "")
