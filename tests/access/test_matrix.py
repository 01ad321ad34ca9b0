"""Each role against each action: every door of the URL map, every level, keys, networks."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.access.rules.abilities import ABILITIES
from tests.access.cast import Cast
from tests.access.matrix import ROWS, rows_of

FAR = {"REMOTE_ADDR": "203.0.113.5"}
NEAR = {"REMOTE_ADDR": "127.0.0.1"}
REFUSED = (401, 403)
# What stands in a path; whatever else is a number that nothing has.
WORDS = {
    "name": "crm", "system": "crm", "service": "crm", "event_type": "lead.created",
    "day": "2026-01-01", "queue": "notifications", "measure": "dlq", "n": "7", "verb": "done",
    "shift": "morning", "switch": "pause", "level": "1", "state": "on", "channel": "email",
}  # fmt: skip


@pytest.fixture
def environ() -> dict[str, str]:
    return {"RATE_LIMIT_PER_MINUTE": "1000000", "RATE_LIMIT_BURST": "1000000"}


def _guarded() -> list[tuple[str, str, str, str, bool]]:
    """(method, path, ability, scope, network) of every door with a guard."""
    found = []
    for row in ROWS:
        method, path, ability, *rest = row.split()
        if ability != "open":
            found.append((method, _filled(path), ability, rest[0], "network" in rest))
    return found


def _filled(path: str) -> str:
    """The path with something in each of its places."""
    return re.sub(r"<(\w+)>", lambda place: WORDS.get(place[1], "999999"), path)


def test_every_door_has_a_row(app: Flask) -> None:
    now, written = rows_of(app), set(ROWS)
    assert sorted(now - written) == [], "doors without a row in tests/access/matrix.py"
    assert sorted(written - now) == [], "rows without a door"


def _wrong(ask: Callable[[str, str], int], allowed: Callable[[str, str, bool], bool]) -> list[str]:
    """Doors that answer otherwise than `allowed(ability, scope, network)` says."""
    found = []
    for method, path, ability, scope, network in _guarded():
        status = ask(method, path)
        if (status not in REFUSED) != allowed(ability, scope, network) or status == 500:
            found.append(f"{method} {path} {ability}: {status}")
    return found


def _status(
    client: FlaskClient, method: str, path: str, place: dict[str, str], headers: object = None
) -> int:
    """What the door answers; read to its end, for some stream."""
    answer = client.open(
        path, method=method, headers=headers, environ_overrides=place, buffered=True
    )
    return answer.status_code


@pytest.mark.parametrize("level", [1, 2, 3])
def test_each_level(seeded_app: Flask, level: int) -> None:
    cast = Cast(seeded_app)
    cast.person(3)

    def ask(method: str, path: str) -> int:
        # A client of its own, because some doors end the login.
        client = seeded_app.test_client()
        cast.login(client, level)
        return _status(client, method, path, FAR)

    assert _wrong(ask, lambda ability, *_: level >= ABILITIES[ability].level) == []


@pytest.mark.parametrize("held", ["*", "nothing:read"])
def test_keys(seeded_app: Flask, client: FlaskClient, api_key, held: str) -> None:
    headers = {"X-API-Key": api_key(held)}

    def ask(method: str, path: str) -> int:
        return _status(client, method, path, FAR, headers)

    assert _wrong(ask, lambda _, scope, __: held == "*" and scope != "-") == []


def test_a_key_with_just_the_scope(seeded_app: Flask, client: FlaskClient, api_key) -> None:
    scopes = {scope for *_, scope, _network in _guarded() if scope != "-"}
    keys = {scope: api_key(scope) for scope in sorted(scopes)}
    for held, key in keys.items():
        wrong = [
            f"{held}: {method} {path}: {status}"
            for method, path, _, scope, _network in _guarded()
            if method == "GET"
            for status in [_status(client, method, path, FAR, {"X-API-Key": key})]
            if (status not in REFUSED) != (scope == held)
        ]
        assert wrong == []


@pytest.mark.parametrize("place", [FAR, NEAR], ids=["far", "near"])
def test_nobody_and_trusted_networks(seeded_app: Flask, client: FlaskClient, place) -> None:
    def ask(method: str, path: str) -> int:
        return _status(client, method, path, place)

    assert _wrong(ask, lambda _, __, network: network and place is NEAR) == []


def test_a_browser_nobody_knows_is_sent_to_the_login(
    seeded_app: Flask, client: FlaskClient
) -> None:
    for method, path, *_ in _guarded():
        if method == "GET":
            answer = client.get(path, headers={"Accept": "text/html"})
            assert (path, answer.status_code) == (path, 303)
            assert answer.headers["Location"].startswith("/login")
