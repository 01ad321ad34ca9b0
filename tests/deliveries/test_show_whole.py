"""Personal data of an event and of a dead letter: one rule for page, part and JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock
from app.access.models import AuditEntry
from tests.deliveries import letters
from tests.deliveries.hub import Hub
from tests.pages import BROWSER, CURL, HTMX

MAIL, PHONE = "ana@exemplo.com.br", "5511999991234"
EVENT, LETTER = "event:1", "dead_letter:1"
JSON = (
    ("/api/events/1", EVENT, CURL),
    ("/events/1", EVENT, CURL),
    ("/api/dlq/1", LETTER, CURL),
    ("/dlq/1", LETTER, CURL),
    ("/dlq/1/ensaio", LETTER, CURL),
)
DOORS = (
    *JSON,
    ("/events/1", EVENT, BROWSER),
    ("/events/1", EVENT, HTMX),
    ("/dlq/1", LETTER, BROWSER),
    ("/dlq/1", LETTER, HTMX),
    ("/dlq/1/ensaio", LETTER, BROWSER),
)
Ask = Callable[..., str]


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """An event whose only delivery was refused, with an answer that repeats what was sent."""
    hub.event("payment.failed", {"name": "Ana Souza", "email": MAIL, "phone": PHONE})
    (claimed,) = letters.take()
    answer = f'{{"name": "Ana Souza", "error": "{MAIL}"}}'.encode()
    url = f"https://crm.example/leads?phone={PHONE}"
    tried = letters.tried(claimed, 422)._replace(response_body=answer, url=url)
    letters.record([tried], letters.ONCE, letters.NEVER, "w", clock.now())
    return hub


@pytest.fixture
def ask(hub: Hub, client: FlaskClient, api_key: Callable[..., str]) -> Ask:
    """`ask(path, headers, "events:read", …)`: what a key with these scopes reads there."""

    def ask(path: str, headers: dict[str, str], *granted: str) -> str:
        answer = client.get(path, headers={**headers, "X-API-Key": api_key(*granted)})
        assert answer.status_code == 200
        return answer.text

    return ask


def looks(hub: Hub) -> list[tuple[str, str]]:
    """(kind of who looked, at what)."""
    found = hub.rows(AuditEntry, AuditEntry.action == "personal_data.seen")
    return [(look.actor_kind, look.target) for look in found]


@pytest.mark.parametrize(("path", "target", "headers"), DOORS)
def test_a_key_without_the_scope_gets_masks(
    hub: Hub, ask: Ask, path: str, target: str, headers: dict[str, str]
) -> None:
    told = ask(path, headers, "events:*", "dlq:*")
    assert not [word for word in ("Souza", MAIL, PHONE) if word in told]
    assert looks(hub) == []


@pytest.mark.parametrize(("path", "target", "headers"), DOORS)
def test_a_key_with_it_gets_all_and_is_audited(
    hub: Hub, ask: Ask, path: str, target: str, headers: dict[str, str]
) -> None:
    assert PHONE in ask(path, headers, "events:*", "dlq:*", "personal_data:read")
    assert looks(hub) == [("key", target)]


@pytest.mark.parametrize(("path", "target", "headers"), DOORS)
def test_a_person_is_audited_once_in_a_while(
    hub: Hub,
    client: FlaskClient,
    login: Callable[..., Any],
    path: str,
    target: str,
    headers: dict[str, str],
) -> None:
    login(client, 1)
    for _ in range(2):
        assert PHONE in client.get(path, headers=headers).text
    assert looks(hub) == [("user", target)]


def test_a_page_left_open_is_one_look(
    hub: Hub,
    client: FlaskClient,
    login: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    login(client, 1)
    client.get("/events/1", headers=BROWSER)
    later = clock.now() + clock.HOUR
    monkeypatch.setattr(clock, "now", lambda: later)
    client.get("/events/1", headers=HTMX)
    assert looks(hub) == [("user", EVENT)]
    client.get("/events/1", headers=CURL)
    assert looks(hub) == [("user", EVENT)] * 2


@pytest.mark.parametrize("path", ["/events", "/dlq", "/api/events", "/api/dlq"])
def test_lists_hold_no_content_and_need_no_look(hub: Hub, ask: Ask, path: str) -> None:
    told = ask(path, CURL, "events:*", "dlq:*", "personal_data:read")
    assert not [word for word in ("Souza", MAIL, PHONE) if word in told]
    assert looks(hub) == []


def test_who_sees_masks_cannot_send_them_as_a_correction(hub: Hub, ask: Ask) -> None:
    page = "/dlq/1/ensaio"
    assert 'id="correct"' not in ask(page, BROWSER, "dlq:*")
    assert 'id="correct"' in ask(page, BROWSER, "dlq:*", "personal_data:read")
