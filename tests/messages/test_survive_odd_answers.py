"""Whatever the provider says of a time or a text, each page of the connection still stands."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app import clock
from app.access.models import AuditEntry
from app.db import transaction
from app.messages.actions import connection
from app.messages.models import WhatsAppState
from app.messages.zapi import ZApi
from app.systems.rules.answer import Answer
from tests.automations.office import Office

HTML = {"Accept": "text/html"}
URL = "/whatsapp-connection"
DUE = 1_800_000_000
ODD = [
    "1e17", "9223372036854775", "9223372036854775807", "-62135596801", "0", "-1", "5", "NaN",
    "1e999", "-1e999", "true", '"soon"', '"1800000000"', "null", "[]", "{}", "1" * 400,
]  # fmt: skip
STATUS = '{"connected": true, "smartphoneConnected": true, "error": %s}'


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Raw JSON that the provider answers with, by the first word of the path."""
    said = {
        "status": STATUS % "null",
        "me": f'{{"due": {DUE}, "paymentStatus": "PAYED"}}',
        "restart": '{"value": true}',
    }

    def call(_: ZApi, method: str, path: str, values: Any = None) -> Answer:
        return Answer(200, said[path.partition("/")[0]].encode(), {}, 1)

    monkeypatch.setattr(ZApi, "_call", call)
    return said


@pytest.fixture
def ana(office: Office, client: FlaskClient, login: Any) -> FlaskClient:
    login(client, 1)
    return client


def both(client: FlaskClient, path: str = URL) -> Any:
    """The page stands; its JSON."""
    page = client.get(path, headers=HTML)
    assert page.status_code == 200, page.text
    told = client.get(path)
    assert told.status_code == 200, told.text
    return told.get_json()


@pytest.mark.parametrize("due", [str(DUE), f"{DUE}.0", f"{DUE}000"])
def test_the_due_date_is_read_in_seconds_or_ms(
    ana: FlaskClient, say: dict[str, str], due: str
) -> None:
    say["me"] = f'{{"due": {due}}}'
    connection.check()
    assert both(ana)["account_due_at"] == clock.iso(DUE * 1000)


@pytest.mark.parametrize("due", ODD)
def test_a_due_date_that_is_none_is_not_known(
    office: Office, ana: FlaskClient, say: dict[str, str], due: str
) -> None:
    say["me"] = f'{{"due": {due}}}'
    assert ana.post(f"{URL}/restart").status_code == 200
    assert both(ana)["account_due_at"] is None
    assert "whatsapp.restart" in {row.action for row in office.rows(AuditEntry)}


@pytest.mark.parametrize("due_at", [10**18, 2**63 - 1, -62_135_596_801_000, -(2**63), 0])
def test_a_date_that_was_stored_before_does_no_harm(
    ana: FlaskClient, say: dict[str, str], due_at: int
) -> None:
    connection.check()
    with transaction() as tx:
        odd = {"due_at": due_at, "since": due_at, "checked_at": due_at}
        tx.connection.execute(update(WhatsAppState).values(**odd))
    assert both(ana)["account_due_at"] is None
    for path in ("/hoje", "/alerts", "/status"):
        assert ana.get(path, headers=HTML).status_code == 200, path
        assert ana.get(path).status_code == 200, path


@pytest.mark.parametrize("created", ODD)
def test_what_waits_may_have_any_age(ana: FlaskClient, say: dict[str, str], created: str) -> None:
    row = f'{{"Phone": "5511987654321", "Message": "oi", "Created": {created}}}'
    say["queue"] = f'{{"messages": [{row}], "hasMore": false}}'
    (waiting,) = both(ana, f"{URL}/queue")["data"]
    assert (waiting["text"], waiting["created_at"]) == ("oi", None)


@pytest.mark.parametrize("text", ['"\\ud83d"', '"a\\u0000b"', "1e999", "[[1]]", '{"a": "\\udfff"}'])
def test_any_text_can_be_stored_and_shown(ana: FlaskClient, say: dict[str, str], text: str) -> None:
    say["status"] = STATUS % text
    say["me"] = f'{{"due": {DUE}, "paymentStatus": {text}}}'
    say["queue"] = f'{{"messages": [{{"Phone": {text}, "Message": {text}}}, {text}, 7]}}'
    say["qr-code"] = say["phone-code"] = f'{{"value": {text}}}'
    assert ana.post(f"{URL}/restart").status_code == 200
    both(ana)
    both(ana, f"{URL}/qr")
    assert both(ana, f"{URL}/queue")["data"]


@pytest.mark.parametrize("queue", ['{"messages": 5}', '{"messages": {"a": 1}}', '{"hasMore": 1}'])
def test_a_queue_of_another_shape_is_empty(
    ana: FlaskClient, say: dict[str, str], queue: str
) -> None:
    say["queue"] = queue
    assert both(ana, f"{URL}/queue")["data"] == []
