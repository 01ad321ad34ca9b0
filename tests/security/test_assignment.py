"""Mass assignment: what a request may not set it cannot set, by form, JSON or file."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError
from sqlalchemy import select

from app import clock
from app.access.actor import SYSTEM
from app.access.models import ApiKey, User
from app.db import reading
from app.events.models import Event
from app.mappings.rules.exchange import Exchange as Mappings
from app.systems.actions.endpoints import create_endpoint
from app.systems.models import Endpoint, System
from app.systems.rules.exchange import Exchange as Endpoints
from tests.access.cast import PASSWORD

# Names of columns that nobody outside sets.
EXTRA: dict[str, Any] = {
    "id": 999, "level": 3, "active": 1, "status": "done", "verified": True, "created_at": 1,
    "updated_at": 1, "created_by": "Gil", "received_via": "api:x", "secret": "mine" * 8,
    "secret_sealed": "mine", "password_hash": "mine", "totp_secret": "mine", "email": "x@y.test",
    "must_enrol": False, "scopes_json": '["*"]', "key_hash": "mine", "user_id": 1, "by": "Gil",
    "previous_secret_until": 9, "base_url": "https://evil.test", "api_key": "mine",
    "attempts": 0, "role": "admin", "is_admin": True,
}  # fmt: skip


def _row(model: Any, id_: Any, column: str = "id") -> dict[str, Any]:
    with reading() as c:
        query = select(model.__table__).where(model.__table__.c[column] == id_)
        return dict(c.execute(query).one()._mapping)


def test_a_person_stays_who_they_are(app: Flask, client: FlaskClient, login) -> None:
    known = login(client, 1)
    with app.app_context():
        before = _row(User, known.id)
    for path, form in (
        ("/preferences", {"theme": "dark"}),
        ("/perfil/senha", {"current": PASSWORD, "new": "outra senha bem longa 9", "again": "x"}),
        ("/perfil/sessoes/encerrar", {}),
    ):
        for sent in ({"data": {**EXTRA, **form}}, {"json": {**EXTRA, **form}}):
            client.post(path, headers={"Accept": "application/json"}, **sent)
    with app.app_context():
        after = _row(User, known.id)
    for name in ("id", "email", "name", "level", "active", "totp_secret", "created_at"):
        assert after[name] == before[name], name


def test_an_endpoint_keeps_its_secret_system_and_state(
    seeded_app: Flask, client: FlaskClient, api_key, app_context: None
) -> None:
    headers = {"X-API-Key": api_key("endpoints:write")}
    body = {**EXTRA, "system": "crm", "url": "https://8.8.8.8/x"}
    made = client.post("/api/endpoints", json=body, headers=headers).json["data"]
    assert made["id"] != 999
    assert made["secret"] != EXTRA["secret"]
    before = _row(Endpoint, made["id"])
    assert (before["system"], before["status"]) == ("crm", "active")
    change = {**EXTRA, "system": "site", "status": "inactive", "description": "new"}
    client.put(f"/api/endpoints/{made['id']}", json=change, headers=headers)
    after = _row(Endpoint, made["id"])
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"description", "updated_at"}


def test_a_system_keeps_its_address_and_key(
    seeded_app: Flask, client: FlaskClient, api_key, app_context: None
) -> None:
    before = _row(System, "crm", "name")
    headers = {"X-API-Key": api_key("systems:write")}
    client.put("/api/systems/crm", json={**EXTRA, "in_flight_limit": 7}, headers=headers)
    after = _row(System, "crm", "name")
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"in_flight_limit", "updated_at"}


def test_an_event_sets_nothing_but_itself(
    seeded_app: Flask, client: FlaskClient, api_key, app_context: None
) -> None:
    headers = {"X-API-Key": api_key("events:write")}
    body = {**EXTRA, "event_type": "lead.created", "source_system": "site", "payload": {}}
    for made in (
        client.post("/api/events", json=body, headers=headers).json["data"],
        client.post("/api/events/batch", json=[body], headers=headers).json["data"][0]["data"],
    ):
        row = _row(Event, made["id"])
        assert row["id"] != 999
        assert row["created_at"] > 1_000
        assert row["received_via"] == "api:Sistema X"
        assert row["status"] != "done"


def test_a_key_is_what_its_form_says(app: Flask, client: FlaskClient, login) -> None:
    login(client, 2)
    form = {**EXTRA, "name": "Site", "scopes": "events:write"}
    made = client.post("/chaves", data=form, headers={"Accept": "application/json"})
    assert made.status_code == 201
    with app.app_context(), reading() as c:
        (row,) = c.execute(select(ApiKey.__table__)).all()
    assert row.scopes_json == '["events:write"]'
    assert row.id != 999
    assert row.key_hash != "mine"


@pytest.mark.parametrize("name", sorted(set(EXTRA) - {"status", "secret"}))
def test_a_file_with_more_than_it_may_hold_is_refused(name: str) -> None:
    entry = {"system": "crm", "url": "https://8.8.8.8/", name: EXTRA[name]}
    with pytest.raises(ValidationError):
        Endpoints.model_validate({"endpoints": [entry]})
    with pytest.raises(ValidationError):
        Endpoints.model_validate({"endpoints": [], name: EXTRA[name]})
    with pytest.raises(ValidationError):
        Mappings.model_validate({"mappings": [], "routes": [], name: EXTRA[name]})


def test_an_edit_of_another_persons_row_is_refused(
    seeded_app: Flask, client: FlaskClient, login
) -> None:
    login(client, 1)
    with seeded_app.app_context():
        kept = create_endpoint("crm", "https://8.8.8.8/ok", "", by=SYSTEM, now=clock.now()).id
    for path in ("/pessoas/1/nivel", "/pessoas/1/senha", f"/sistemas/endpoints/{kept}/alterar"):
        assert client.post(path, data={**EXTRA, "confirmed": "1"}).status_code == 403
