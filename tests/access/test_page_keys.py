"""The page of API keys: make, replace with an overlap, revoke, remind."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app import clock
from app.access.actions.api_keys import generate_api_key, rotate_api_key, touch_api_key
from app.access.actor import SYSTEM
from app.access.models import ApiKey, AuditEntry
from app.access.queries import owner_of
from app.access.rules.age import key_state
from app.clock import DAY
from app.db import reading, transaction
from app.errors import Conflict, NotFound

HTML = {"Accept": "text/html"}


@pytest.fixture
def davi(client: FlaskClient, login) -> FlaskClient:
    login(client, 2)
    return client


@pytest.fixture
def key(app: Flask):
    with app.app_context():
        return generate_api_key(SYSTEM, "Sistema X", ["events:write"])


def _shown(page: str) -> str:
    found = re.search(r'<code id="api-key">([^<]+)</code>', page)
    assert found
    return found[1]


def test_a_key_is_made_and_shown_once(app: Flask, davi: FlaskClient) -> None:
    form = {"name": "CRM", "scopes": "events:write, dlq:*", "days": "30"}
    made = davi.post("/chaves", data=form, headers=HTML)
    text = _shown(made.get_data(as_text=True))
    with app.app_context():
        found = owner_of(text)
    assert found
    assert found.actor.scopes == ("events:write", "dlq:*")
    page = davi.get("/chaves", headers=HTML).get_data(as_text=True)
    assert text not in page
    assert text[:16] in page


def test_a_wrong_form_says_why(davi: FlaskClient) -> None:
    page = davi.post("/chaves", data={"name": "", "scopes": "tudo"}, headers=HTML)
    assert page.status_code == 422
    assert "Escreva permissões" in page.get_data(as_text=True)


def test_use_is_shown_by_address(app: Flask, davi: FlaskClient, key) -> None:
    with app.app_context():
        touch_api_key(key.id, "192.0.2.1")
        with transaction() as tx:
            tx.connection.execute(update(ApiKey).values(last_used_at=0))
        touch_api_key(key.id, "192.0.2.2")
    (row,) = davi.get("/chaves").json["data"]
    assert {use["address"] for use in row["uses"]} == {"192.0.2.1", "192.0.2.2"}


def test_both_keys_work_during_the_overlap(app: Flask, davi: FlaskClient, key) -> None:
    url = f"/chaves/{key.id}/trocar"
    assert "ainda vale" in davi.post(url, headers=HTML).get_data(as_text=True)
    page = davi.post(url, data={"confirmed": "1", "days": "7"}, headers=HTML)
    with app.app_context():
        old, new = owner_of(key.key), owner_of(_shown(page.get_data(as_text=True)))
        assert old
        assert new
        assert old.actor.scopes == new.actor.scopes
        with transaction() as tx:
            tx.connection.execute(
                update(ApiKey).where(ApiKey.id == key.id).values(expires_at=clock.now())
            )
        assert owner_of(key.key) is None
    rows = {row["id"]: row["state"] for row in davi.get("/chaves").json["data"]}
    assert rows[key.id] == "expired"


@pytest.mark.parametrize(
    ("made_for", "form", "days"),
    [(1, {}, 1), (None, {}, None), (1, {"valid": "90"}, 90), (1, {"valid": "0"}, None)],
)
def test_a_new_key_lasts_as_long_as_the_old_one(
    app: Flask,
    davi: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    made_for: int | None,
    form: dict[str, str],
    days: int | None,
) -> None:
    """Its own length from now, or what was asked for."""
    made_at = clock.now()
    monkeypatch.setattr(clock, "now", lambda: made_at)
    ends = clock.now() + made_for * DAY if made_for else None
    with app.app_context():
        old = generate_api_key(SYSTEM, "Sistema X", ["events:write"], ends)
    monkeypatch.setattr(clock, "now", lambda: made_at + clock.HOUR)
    url = f"/chaves/{old.id}/trocar"
    words = f"A nova vale por {days} dia" if days else "A nova vale até ser revogada"
    assert words in davi.post(url, data=form, headers=HTML).text
    new = davi.post(url, data={**form, "confirmed": "1"}).json["data"]
    assert new["expires_at"] == (clock.iso(clock.now() + days * DAY) if days else None)
    (entry,) = _rotations(app)
    assert entry["new_expires_at"] == (clock.now() + days * DAY if days else None)


def _rotations(app: Flask) -> list[dict[str, Any]]:
    query = select(AuditEntry.after_json).where(AuditEntry.action == "api_key.rotated")
    with app.app_context(), reading() as c:
        return [json.loads(told) for told in c.execute(query).scalars()]


def test_the_form_says_how_long_the_old_one_was_made_for(app: Flask, davi: FlaskClient) -> None:
    with app.app_context():
        generate_api_key(SYSTEM, "Curta", ["events:write"], clock.now() + DAY)
        generate_api_key(SYSTEM, "Sem fim", ["events:write"])
    page = davi.get("/chaves", headers=HTML).text
    assert "1 dia, como a antiga" in page
    assert "sem prazo, como a antiga" in page


@pytest.mark.parametrize(
    ("back", "page"),
    [("/procedimentos/execucoes/7", "/procedimentos/execucoes/7"), ("//evil.example", "/")],
)
def test_it_comes_back_to_where_it_was_asked_from(
    davi: FlaskClient, key, back: str, page: str
) -> None:
    form = {"confirmed": "1", "back": back}
    shown = davi.post(f"/chaves/{key.id}/trocar", data=form, headers=HTML).text
    assert f'href="{page}">Copiei a chave' in shown
    ended = davi.post(f"/chaves/{key.id}/revogar", data={**form, "why": "fim"}, headers=HTML)
    assert (ended.status_code, ended.location) == (303, page)


def test_a_replaced_key_is_not_replaced_again(app: Flask, key) -> None:
    with app.app_context():
        rotate_api_key(SYSTEM, key.id, DAY)
        with pytest.raises(Conflict):
            rotate_api_key(SYSTEM, key.id, DAY)
        with pytest.raises(NotFound):
            rotate_api_key(SYSTEM, 99, DAY)


def test_revoking_takes_a_reason(app: Flask, davi: FlaskClient, key) -> None:
    url = f"/chaves/{key.id}/revogar"
    assert davi.post(url, data={"confirmed": "1"}, headers=HTML).status_code == 200
    with app.app_context():
        assert owner_of(key.key)
    davi.post(url, data={"confirmed": "1", "why": "vazou"}, headers=HTML)
    with app.app_context():
        assert owner_of(key.key) is None
    assert davi.post("/chaves/99/revogar", headers=HTML).status_code == 404


def test_the_quarter_reminds(app: Flask, davi: FlaskClient, key) -> None:
    assert "mais de 90 dias" not in davi.get("/chaves", headers=HTML).get_data(as_text=True)
    with app.app_context(), transaction() as tx:
        tx.connection.execute(update(ApiKey).values(created_at=clock.now() - 91 * DAY))
    assert "mais de 90 dias" in davi.get("/chaves", headers=HTML).get_data(as_text=True)


@pytest.mark.parametrize(
    ("status", "age", "ends", "replaced", "state"),
    [
        ("active", 1, None, None, "active"),
        ("active", 80, None, None, "ageing"),
        ("active", 90, None, None, "old"),
        ("active", 90, 100, 2, "replaced"),
        ("active", 90, -1, 2, "expired"),
        ("revoked", 1, -1, 2, "revoked"),
    ],
)
def test_states(status: str, age: int, ends: int | None, replaced: int | None, state: str) -> None:
    now = 1000 * DAY
    until = None if ends is None else now + ends * DAY
    assert key_state(status, now - age * DAY, until, replaced, now) == state
