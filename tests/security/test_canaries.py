"""Canaries: a mark in every secret and every personal field, looked for everywhere afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import redis as redis_py
from flask import Flask
from flask.testing import FlaskClient

from app import queues
from app.access.actor import SYSTEM
from app.access.rules.abilities import MANAGEMENT
from app.db import reading
from app.deliveries import jobs
from app.deliveries.jobs.engine import engine
from app.logs import OneLine
from app.mappings.actions.exchange import export_all
from app.runbook.actions.procedures import backups
from app.systems.actions.exchange import export_endpoints
from tests.access.cast import PASSWORD, Cast, email
from tests.access.test_matrix import _guarded
from tests.pages import BROWSER

SECRETS = {
    "HUB_SECRET_KEY": "CANARY-secret-key-0123456789-abcdefghij",
    "ZAPI_INSTANCE_ID": "canaryinstance",
    "ZAPI_TOKEN": "CANARYzapitoken99",
    "ZAPI_CLIENT_TOKEN": "CANARYclienttoken99",
    "ZAPI_WEBHOOK_TOKEN": "CANARYwebhooktoken99",
    "SMTP_PASSWORD": "CANARYsmtppassword99",
    "CARINHO_CRM_API_KEY": "CANARYcrmkey99",
    "CARINHO_CRM_WEBHOOK_SECRET": "CANARYcrmsecret99",
    "CARINHO_SITE_WEBHOOK_SECRET": "CANARYsitesecret99",
}
PERSON = {
    "name": "Canariana Penosa",
    "phone": "5511987650123",
    "email": "canariana.penosa@exemplo.test",
    "cpf": "390.533.447-05",
}
# What may name a person: the message itself, for those who may see it.
MARKS = [PERSON["phone"], "11987650123", PERSON["email"], PERSON["cpf"], "39053344705"]


@pytest.fixture
def environ() -> dict[str, str]:
    return {**SECRETS, "SMTP_HOST": "127.0.0.1", "SMTP_PORT": "9", "RETRY_MAX_ATTEMPTS": "1",
            "RATE_LIMIT_PER_MINUTE": "1000000", "RATE_LIMIT_BURST": "1000000"}  # fmt: skip


class Lines(logging.Handler):
    """Everything that is logged, as the hub would write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(OneLine("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def lived(seeded_app: Flask, client: FlaskClient, api_key, log: Lines) -> str:
    """A hub through which the person went, in every way that fails; the key that was used."""
    key = api_key("*")
    headers = {"X-API-Key": key}
    for event_type in ("lead.created", "lead.updated", "client.registered", "feedback.received"):
        body = {"event_type": event_type, "source_system": "site", "payload": {**PERSON, "id": 7}}
        assert client.post("/api/events", json=body, headers=headers).status_code == 201
    # Requests that are refused, and one that nobody expected.
    client.post("/api/events", json={"payload": PERSON}, headers=headers)
    client.post("/webhooks/site/lead", json=PERSON, headers={"X-Signature": "0" * 64})
    client.post("/webhooks/whatsapp?token=wrong", json={"phone": PERSON["phone"]})
    client.get("/api/events", headers={"X-API-Key": key[:-1]})
    form = {"email": email(1), "password": PASSWORD}
    client.post("/login", data=form, headers=BROWSER)
    with seeded_app.app_context():
        for queue in queues.QUEUES:
            jobs.work(queue)
        jobs.repair()
        engine().finish()
        seeded_app.extensions.pop("engine", None)
        backups.make_backup(by=SYSTEM, now=1_700_000_000_000)
    return key


def _marked(text: str, marks: list[str]) -> list[str]:
    return [mark for mark in marks if mark.lower() in text.lower()]


def test_nothing_private_is_logged(lived: str, log: Lines) -> None:
    text = "\n".join(log.lines)
    private = [*SECRETS.values(), *MARKS, PERSON["name"], PASSWORD, lived]
    assert _marked(text, private) == []


def test_nothing_private_stands_in_redis(lived: str, redis: redis_py.Redis) -> None:
    found: list[Any] = []
    for key in redis.keys("*"):
        found += [key, redis.dump(key)]
    text = b"\n".join(each for each in found if each).decode("latin-1")
    assert _marked(text, [*SECRETS.values(), *MARKS, PERSON["name"], PASSWORD, lived]) == []


def test_no_page_holds_a_secret(lived: str, seeded_app: Flask, client: FlaskClient, login) -> None:
    login(client, MANAGEMENT)
    marks = [*SECRETS.values(), PASSWORD, lived]
    for method, path, *_ in _guarded():
        if method == "GET":
            accept = {"Accept": "*/*"} if path.startswith("/api") else BROWSER
            answer = client.get(path.replace("999999", "1"), headers=accept, buffered=True)
            assert _marked(answer.text, marks) == [], path


LISTS = (
    "/status", "/metrics", "/alerts", "/dashboard", "/queues", "/sla", "/report/daily",
    "/health/detailed", "/auditoria", "/auditoria.csv", "/dlq", "/dlq/export.csv", "/events",
    "/api/events", "/api/dlq", "/api/dlq/stats", "/api/events/stats", "/circuit-breakers",
    "/incidentes", "/syncs", "/hoje", "/procedimentos", "/sistemas", "/api/endpoints",
)  # fmt: skip


def test_no_list_or_export_names_the_person(
    lived: str, seeded_app: Flask, client: FlaskClient, login
) -> None:
    login(client, MANAGEMENT)
    for path in LISTS:
        for accept in (BROWSER, {"Accept": "*/*"}):
            answer = client.get(path, headers=accept, buffered=True)
            assert answer.status_code in (200, 503), path
            assert _marked(answer.text, MARKS) == [], path


def test_exports_and_backups_hold_no_secret(lived: str, seeded_app: Flask, settings) -> None:
    with seeded_app.app_context(), reading() as c:
        told = str(export_endpoints(c)) + str(export_all(c))
    for file in (settings.data_dir / "backups").glob("*"):
        told += file.read_text()
    assert _marked(told, [*SECRETS.values(), *MARKS, "whsec_"]) == []


def test_the_database_holds_no_secret_in_clear(lived: str, settings) -> None:
    kept = [value for name, value in SECRETS.items() if name != "ZAPI_INSTANCE_ID"]
    for file in settings.data_dir.glob("hub.db*"):
        text = file.read_bytes().decode("latin-1")
        assert _marked(text, [*kept, PASSWORD, lived]) == [], file


def test_an_error_page_says_nothing(seeded_app: Flask, client: FlaskClient, login) -> None:
    Cast(seeded_app)
    login(client, MANAGEMENT)

    def broken() -> str:
        raise RuntimeError(f"{SECRETS['ZAPI_TOKEN']} {PERSON['cpf']} /etc/secret SELECT 1")

    seeded_app.view_functions["runbook.help"] = broken
    for accept in (BROWSER, {"Accept": "*/*"}):
        answer = client.get("/ajuda", headers=accept)
        assert answer.status_code == 500
        for word in (SECRETS["ZAPI_TOKEN"], PERSON["cpf"], "RuntimeError", "Traceback", "SELECT"):
            assert word not in answer.text
