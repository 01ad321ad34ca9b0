"""The console's pages of systems and endpoints."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock
from app.access.models import AuditEntry
from app.db import reading
from app.secrets import unseal
from app.systems.models import Endpoint
from app.systems.queries import snapshot
from app.systems.rules.signing import verify_standard
from tests.partners.client import Partners

HTML = {"Accept": "text/html"}


@pytest.fixture
def environ() -> dict[str, str]:
    return {"HUB_ALLOWED_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def davi(seeded_app: Flask, client: FlaskClient, login) -> FlaskClient:
    login(client, 2)
    return client


@pytest.fixture
def ana(seeded_app: Flask, client: FlaskClient, login) -> FlaskClient:
    login(client, 1)
    return client


def _first(app: Flask, system: str) -> int:
    with app.app_context(), reading() as c:
        return c.execute(select(Endpoint.id).where(Endpoint.system == system)).scalar_one()


def _audited(app: Flask) -> list[tuple[str, str | None]]:
    with app.app_context(), reading() as c:
        query = select(AuditEntry.action, AuditEntry.why).order_by(AuditEntry.id)
        return [
            (action, why) for action, why in c.execute(query) if not action.startswith("session")
        ]


def test_the_nine_systems_are_listed(davi: FlaskClient) -> None:
    page = davi.get("/sistemas", headers=HTML).get_data(as_text=True)
    for words in ("WhatsApp", "Documentos", "99,9 %", "não recebe eventos", "1 de 1"):
        assert words in page
    assert len(davi.get("/sistemas").json["data"]) == 9


def test_an_unknown_system_is_not_found(davi: FlaskClient) -> None:
    assert davi.get("/sistemas/erp", headers=HTML).status_code == 404
    assert davi.post("/sistemas/erp/pausar", headers=HTML).status_code == 404


def test_operators_look_and_do_not_touch(ana: FlaskClient) -> None:
    page = ana.get("/sistemas/crm", headers=HTML).get_data(as_text=True)
    assert "Peça a Desenvolvimento" in page
    assert ana.post("/sistemas/crm/pausar", headers=HTML).status_code == 403


def test_a_pause_takes_a_reason_and_ends(app: Flask, davi: FlaskClient) -> None:
    url = "/sistemas/crm/pausar"
    assert "Pausar os envios para CRM?" in davi.post(url, headers=HTML).get_data(as_text=True)
    missing = davi.post(url, data={"confirmed": "1"}, headers=HTML).get_data(as_text=True)
    assert "Escreva o motivo" in missing
    davi.post(url, data={"confirmed": "1", "why": "manutenção"}, headers=HTML)
    assert "Pausado" in davi.get("/sistemas/crm", headers=HTML).get_data(as_text=True)
    davi.post("/sistemas/crm/retomar", headers=HTML)
    assert "Saindo" in davi.get("/sistemas/crm", headers=HTML).get_data(as_text=True)
    assert _audited(app) == [("system.updated", "manutenção"), ("system.updated", None)]


@pytest.mark.parametrize(("given", "stored"), [("40", 40), ("", None)])
def test_the_limit(davi: FlaskClient, given: str, stored: int | None) -> None:
    davi.post("/sistemas/crm/limite", data={"limit": given}, headers=HTML)
    assert davi.get("/api/systems/crm").json["data"]["in_flight_limit"] == stored


@pytest.mark.parametrize("given", ["0", "-1", "2001", "muitos"])
def test_an_odd_limit_is_refused(davi: FlaskClient, given: str) -> None:
    assert davi.post("/sistemas/crm/limite", data={"limit": given}).status_code == 422


def test_an_endpoint_is_made_and_its_secret_shown_once(app: Flask, davi: FlaskClient) -> None:
    form = {"url": "https://novo.carinho.com.vc/eventos", "description": "novo"}
    page = davi.post("/sistemas/site/endpoints", data=form, headers=HTML)
    secret = re.search(r'<code id="secret">(whsec_[^<]+)</code>', page.get_data(as_text=True))
    assert page.status_code == 201
    assert secret
    with app.app_context(), reading() as c:
        sealed = c.execute(
            select(Endpoint.secret_sealed).where(Endpoint.system == "site")
        ).scalar_one()
        assert unseal(sealed) == secret[1].replace("&#43;", "+")
    assert secret[1] not in davi.get("/sistemas/site", headers=HTML).get_data(as_text=True)
    again = davi.post("/sistemas/site/endpoints", data=form, headers=HTML)
    assert again.status_code == 422
    assert "já tem um endpoint" in again.get_data(as_text=True)


def test_a_bad_address_is_said_at_its_field(davi: FlaskClient) -> None:
    page = davi.post("/sistemas/crm/endpoints", data={"url": "ftp://x"}, headers=HTML)
    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.get_data(as_text=True)


def test_change_switch_off_and_on(app: Flask, davi: FlaskClient) -> None:
    one = _first(app, "crm")
    url = f"/sistemas/endpoints/{one}"
    form = {"url": "https://crm2.carinho.com.vc/e", "description": "d"}
    davi.post(f"{url}/alterar", data=form, headers=HTML)
    davi.post(f"{url}/desativar", headers=HTML)
    data = davi.get(f"/api/endpoints/{one}").json["data"]
    assert (data["url"], data["status"]) == (form["url"], "inactive")
    davi.post(f"{url}/ativar", headers=HTML)
    assert davi.get(f"/api/endpoints/{one}").json["data"]["status"] == "active"
    assert davi.post(f"{url}/alterar", data={"url": "x"}, headers=HTML).status_code == 422


def test_a_secret_is_changed_only_after_a_question(app: Flask, davi: FlaskClient) -> None:
    url = f"/sistemas/endpoints/{_first(app, 'crm')}/segredo"
    assert "24 horas" in davi.post(url, headers=HTML).get_data(as_text=True)
    assert _audited(app) == []
    assert "whsec_" in davi.post(url, data={"confirmed": "1"}, headers=HTML).get_data(as_text=True)
    assert _audited(app) == [("endpoint.secret_rotated", None)]


def test_a_test_event_arrives_signed(app: Flask, davi: FlaskClient, partners: Partners) -> None:
    address = f"{partners.url('crm')}/api/v1/webhooks/events"
    one = _first(app, "crm")
    davi.post(f"/sistemas/endpoints/{one}/alterar", data={"url": address}, headers=HTML)
    page = davi.post(f"/sistemas/endpoints/{one}/testar", headers=HTML).get_data(as_text=True)
    assert "HTTP " in page
    (seen,) = partners.book("crm")
    with app.app_context(), reading() as c:
        secrets = snapshot.targets(c)[one].secrets
    headers = {name.lower(): value for name, value in dict(seen["headers"]).items()}
    assert verify_standard(seen["body"].encode(), headers, secrets, clock.now())
    assert json.loads(seen["body"])["_meta"]["event_type"] == "hub.test"
    assert ("endpoint.tested", None) in _audited(app)


def test_a_test_tells_what_went_wrong(app: Flask, davi: FlaskClient, partners: Partners) -> None:
    one = _first(app, "crm")
    closed = "http://127.0.0.1:9/eventos"
    davi.post(f"/sistemas/endpoints/{one}/alterar", data={"url": closed}, headers=HTML)
    page = davi.post(f"/sistemas/endpoints/{one}/testar", headers=HTML).get_data(as_text=True)
    assert "não aceitou" in page
    assert "Não foi possível conectar" in page
    assert davi.post("/api/endpoints/999/test").status_code == 404
