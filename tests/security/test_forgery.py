"""CSRF: no other site makes a browser act here, whichever unsafe door it tries."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.access.cast import Cast
from tests.access.matrix import ROWS
from tests.access.test_matrix import FAR, NEAR, _filled
from tests.pages import token_less

UNSAFE = [
    (method, _filled(path), "network" in row)
    for row in ROWS
    for method, path, *_ in [row.split()]
    if method != "GET"
]
# Systems prove themselves by signature; no browser's session counts there.
BROWSERS = [door for door in UNSAFE if not door[1].startswith("/webhooks")]
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "CROSS-SITE"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost.evil.test"},
    {"Origin": "http://localhost:81"},
    {"Origin": "http://evil.test/http://localhost"},
    {"Origin": "localhost"},
]


def _statuses(app: Flask, headers: dict[str, str], token: bool) -> dict[str, int]:
    """What Gil's browser is answered at every unsafe door."""
    cast, found = Cast(app), {}
    client = app.test_client()
    for method, path, _ in BROWSERS:
        cast.login(client, 3)
        if not token:
            token_less(client)
        answer = client.open(path, method=method, headers=headers, environ_overrides=FAR)
        found[f"{method} {path}"] = answer.status_code
    return found


def test_there_is_something_to_check() -> None:
    assert len(BROWSERS) > 90


def test_without_the_token_no_door_opens(seeded_app: Flask) -> None:
    found = _statuses(seeded_app, {}, token=False)
    # Whoever holds the link of a feedback needs no session, and so has no token.
    wrong = {door: status for door, status in found.items() if status != 403}
    assert {door for door in wrong if "/feedback/" not in door} == set()


@pytest.mark.parametrize("headers", FOREIGN[:1] + FOREIGN[4:5])
def test_with_a_stolen_token_another_site_is_refused_at_every_door(
    seeded_app: Flask, headers: dict[str, str]
) -> None:
    found = _statuses(seeded_app, headers, token=True)
    assert {door: status for door, status in found.items() if status != 403} == {}


@pytest.mark.parametrize("place", [FAR, NEAR], ids=["far", "near"])
def test_every_spelling_of_another_site_is_refused(
    seeded_app: Flask, client: FlaskClient, login, place: dict[str, str]
) -> None:
    login(client, 3)
    for headers in FOREIGN:
        for path in ("/circuit-breakers/crm/reset", "/logout", "/api/events"):
            answer = client.post(path, headers=headers, environ_overrides=place)
            assert (headers, path, answer.status_code) == (headers, path, 403)


def test_our_own_pages_still_work(seeded_app: Flask, client: FlaskClient, login) -> None:
    login(client, 3)
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}, {}):
        answer = client.post("/circuit-breakers/crm/reset", headers=headers)
        assert answer.status_code in (200, 409)


def test_a_token_of_another_session_is_worth_nothing(seeded_app: Flask, login) -> None:
    mine, other = seeded_app.test_client(), seeded_app.test_client()
    login(mine, 3)
    login(other, 1)
    mine.environ_base["HTTP_X_CSRFTOKEN"] = other.environ_base["HTTP_X_CSRFTOKEN"]
    assert mine.post("/logout").status_code == 403


def test_a_method_is_not_smuggled(seeded_app: Flask, client: FlaskClient, login) -> None:
    login(client, 3)
    token_less(client)
    tricks = {
        "X-HTTP-Method-Override": "DELETE",
        "X-HTTP-Method": "PUT",
        "X-Method-Override": "PUT",
    }
    answer = client.get("/api/dlq/1?_method=DELETE", headers=tricks)
    assert answer.status_code == 404
