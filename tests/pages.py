"""How a test asks for a page: as a browser, as htmx, as curl."""

from __future__ import annotations

import html
import re

from flask.testing import FlaskClient

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
HTMX = {"Accept": "text/html", "HX-Request": "true", "HX-Request-Type": "partial"}
CURL = {"Accept": "*/*"}
XSS = "<script>alert(1)</script>"


def text_of(page: str) -> str:
    """The words of a page, without its tags."""
    bare = re.sub(r"<[^>]+>", " ", page)
    return " ".join(html.unescape(bare).split())


def get(client: FlaskClient, url: str, status: int = 200) -> str:
    """A page as a browser sees it."""
    response = client.get(url, headers=BROWSER)
    assert response.status_code == status, response.text[:500]
    assert response.content_type.startswith("text/html")
    return response.text


def token_less(client: FlaskClient) -> None:
    """The client forgets its form token."""
    client.environ_base.pop("HTTP_X_CSRFTOKEN", None)
