"""The WhatsApp page: state, QR code, and what a person may ask of the provider."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from app.access.models import AuditEntry
from app.messages.actions import connection
from tests.automations.office import PHONE, Office
from tests.partners.client import Partners

HTML = {"Accept": "text/html"}
URL = "/whatsapp-connection"


def test_it_shows_the_state(office: Office, client: FlaskClient, login: Any) -> None:
    login(client, 1)
    assert client.get(URL).get_json()["connected"] is None
    connection.check()
    office.receive("lead.created", {"phone": PHONE})
    office.work()
    page = client.get(URL, headers=HTML)
    assert page.status_code == 200 and "Conectado" in page.text
    told = client.get(URL).get_json()
    assert (told["connected"], told["messages"]["enviada"]) == (True, 1)


def test_a_code_is_shown_and_renewed_a_few_times(
    office: Office, client: FlaskClient, login: Any, partners: Partners
) -> None:
    login(client, 1)
    assert "não há código" in client.get(f"{URL}/qr", headers=HTML).text
    partners.disconnect_whatsapp(restorable=False)
    first = client.get(f"{URL}/qr", headers=HTML).text
    assert "data:image/png;base64," in first and "turn=2" in first
    last = client.get(f"{URL}/qr?turn=3", headers=HTML).text
    assert "turn=4" not in last and "Mostrar outro código" in last
    assert client.get(f"{URL}/qr?turn=4").status_code == 422


def test_the_session_is_restored(
    office: Office, client: FlaskClient, login: Any, partners: Partners
) -> None:
    login(client, 1)
    partners.disconnect_whatsapp()
    connection.check()
    assert client.get(URL).get_json()["connected"] is False
    answer = client.post(f"{URL}/restore-session", headers=HTML, data={})
    assert answer.status_code == 303
    assert client.get(URL).get_json()["connected"] is True
    assert "whatsapp.restore-session" in {row.action for row in office.rows(AuditEntry)}


def test_what_waits_is_dropped_only_after_a_question(
    office: Office, client: FlaskClient, login: Any, partners: Partners
) -> None:
    login(client, 1)
    partners.disconnect_whatsapp(restorable=False)
    office.receive("lead.created", {"phone": PHONE})
    office.work()
    shown = client.get(f"{URL}/queue", headers=HTML).text
    assert "1 à espera" in shown and PHONE not in shown
    (waiting,) = client.get(f"{URL}/queue").get_json()["data"]
    assert waiting["phone"].endswith(PHONE[-4:]) and waiting["text"]
    asked = client.post(f"{URL}/purge", headers=HTML, data={})
    assert asked.status_code == 200 and "Descartar" in asked.text
    assert len(partners.rows("whatsapp", "waiting")) == 1
    client.post(f"{URL}/purge", headers=HTML, data={"confirmed": "1"})
    assert partners.rows("whatsapp", "waiting") == []
    assert "Nada espera na Z-API" in client.get(f"{URL}/queue", headers=HTML).text


def test_refused(office: Office, client: FlaskClient, login: Any, partners: Partners) -> None:
    assert client.get(URL).status_code == 401
    login(client, 1)
    assert client.post(f"{URL}/unknown", data={}).status_code == 404
    partners.mode("whatsapp", "503")
    assert client.post(f"{URL}/restart", data={}).status_code == 503
    assert client.get(f"{URL}/queue").status_code == 503
    assert "não disse o que espera" in client.get(f"{URL}/queue", headers=HTML).text
