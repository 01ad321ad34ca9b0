"""Alerts are told on channels, each notice with whether it arrived."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app import clock, queues
from app.access.actor import SYSTEM
from app.db import reading, transaction
from app.deliveries.jobs.engine import Engine
from app.deliveries.models import Delivery
from app.errors import Invalid, NotFound
from app.events.models import Event
from app.monitoring.actions.channels import add_channel, remove_channel
from app.monitoring.actions.watch import CLEAR_MS, watch
from app.monitoring.models import AlertEntry, AlertRow
from app.monitoring.queries.channels import notices
from app.monitoring.rules.alerts import Alert
from app.systems.actions import breakers
from app.systems.rules.defaults import CARRIERS

WARNING = Alert("warning", "dead_letter_queue", "12 mensagens", 12, 10)
CRITICAL = Alert("critical", "dead_letter_queue", "60 mensagens", 60, 50)


class Receiver(HTTPServer):
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], Any]] = []
        self.answer = 200
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/alerta"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((dict(self.headers), json.loads(body)))
        self.send_response(server.answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def environ() -> dict[str, str]:
    return {"HUB_ALLOWED_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def engine(well: Flask) -> Iterator[Engine]:
    with transaction() as tx:
        breakers.ensure(tx, CARRIERS)
    engine = Engine(well.extensions["settings"])
    yield engine
    engine.finish()


def _told() -> list[tuple[str, str | None]]:
    """What was told and how its delivery stands, the oldest first."""
    with reading() as c:
        return [(row.what, row.status) for row in notices(c)][::-1]


def _drain(engine: Engine, holds: Callable[[], object]) -> None:
    for _ in range(200):
        engine.drain(queues.NOTIFICATIONS, 0.05)
        if holds():
            return
    raise AssertionError("did not come true")


def test_a_webhook_gets_the_alert_once(engine: Engine, receiver: Receiver) -> None:
    now = clock.now()
    add_channel("webhook", receiver.url, "warning", by=SYSTEM, now=now)
    watch([WARNING], now)
    watch([WARNING], now + 1)
    _drain(engine, lambda: _told() == [("raised", "sent")])
    ((headers, body),) = receiver.got
    assert headers["Idempotency-Key"].startswith("msg_")
    assert (body["what"], body["level"], body["message"]) == ("raised", "warning", "12 mensagens")
    assert body["url"].endswith(f"/alerts/{body['alert_id']}")
    with reading() as c:
        assert c.execute(select(Event.status)).scalars().all() == ["done"]


def test_worse_and_the_end_are_told_too(engine: Engine, receiver: Receiver) -> None:
    now = clock.now()
    add_channel("webhook", receiver.url, "critical", by=SYSTEM, now=now)
    watch([WARNING], now)
    assert _told() == []
    watch([CRITICAL], now + 1)
    watch([WARNING], now + 2)
    watch([], now + 2 + CLEAR_MS)
    assert _told() == [("worse", "pending"), ("closed", "pending")]


def test_a_refusal_is_told(engine: Engine, receiver: Receiver) -> None:
    receiver.answer = 410
    add_channel("webhook", receiver.url, "warning", by=SYSTEM, now=clock.now())
    watch([WARNING], clock.now())
    _drain(engine, lambda: _told() == [("raised", "failed")])


def test_the_end_of_its_sleep_is_told_once(engine: Engine, receiver: Receiver) -> None:
    """Whoever put it aside and forgot it hears of it again, if it is still there."""
    now = clock.now()
    add_channel("webhook", receiver.url, "warning", by=SYSTEM, now=now)
    watch([WARNING], now)
    with transaction() as tx:
        tx.connection.execute(update(AlertRow).values(snoozed_until=now + clock.HOUR))
    watch([WARNING], now + clock.HOUR - 1)
    # Sent before the next one is due: notices that wait together are promised no order.
    _drain(engine, lambda: _told() == [("raised", "sent")])
    watch([WARNING], now + clock.HOUR)
    watch([WARNING], now + clock.HOUR + 1)
    _drain(engine, lambda: _told() == [("raised", "sent"), ("still", "sent")])
    assert [body["what"] for _, body in receiver.got] == ["raised", "still"]
    with reading() as c:
        assert c.execute(select(AlertRow.snoozed_until)).scalar_one() is None
        kinds = c.execute(select(AlertEntry.kind).order_by(AlertEntry.id)).scalars().all()
    assert kinds == ["opened_warning", "awake"]


def test_nothing_is_told_of_what_sleeps(well: Flask, receiver: Receiver) -> None:
    now = clock.now()
    watch([WARNING], now)
    add_channel("webhook", receiver.url, "warning", by=SYSTEM, now=now)
    with transaction() as tx:
        tx.connection.execute(update(AlertRow).values(snoozed_until=now + clock.HOUR))
    watch([], now + CLEAR_MS)
    assert _told() == []


def test_without_a_mail_server_a_notice_says_so(well: Flask) -> None:
    add_channel("email", "Plantao@Carinho.com.vc", "warning", by=SYSTEM, now=clock.now())
    watch([WARNING], clock.now())
    assert _told() == [("raised", None)]
    with reading() as c:
        assert c.execute(select(Delivery.id)).all() == []


class TestWithMail:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SMTP_HOST": "127.0.0.1", "HUB_PUBLIC_URL": "http://hub.test"}

    def test_an_e_mail_is_a_delivery(self, well: Flask) -> None:
        add_channel("email", "plantao@carinho.com.vc", "critical", by=SYSTEM, now=clock.now())
        watch([CRITICAL], clock.now())
        assert _told() == [("raised", "pending")]
        with reading() as c:
            row = c.execute(select(Delivery.kind, Delivery.body)).one()
        mail = json.loads(row.body)
        assert (row.kind, mail["to"]) == ("email", "plantao@carinho.com.vc")
        assert mail["subject"] == "[Hub] Alerta crítico: 60 mensagens"
        assert "http://hub.test/alerts/" in mail["text"]


@pytest.mark.parametrize(
    ("kind", "target", "level", "wrong"),
    [
        ("email", "ninguém", "warning", "target"),
        ("webhook", "http://10.0.0.1/x", "warning", "target"),
        ("webhook", "ftp://example.com", "warning", "target"),
        ("webhook", "https://example.com/" + "x" * 500, "warning", "target"),
        ("sms", "https://example.com", "warning", "kind"),
        ("webhook", "https://example.com", "normal", "level"),
    ],
)
def test_refusals(well: Flask, kind: str, target: str, level: str, wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        add_channel(kind, target, level, by=SYSTEM, now=clock.now())
    assert set(refused.value.details) == {wrong}


def test_the_page(well: Flask, client: FlaskClient, login: Callable[..., Any]) -> None:
    html = {"Accept": "text/html"}
    login(client, 3)
    form = {"kind": "webhook", "target": "http://10.0.0.1/", "level": "warning"}
    refused = client.post("/alerts/channels", data=form, headers=html)
    assert refused.status_code == 422 and "Há um problema" in refused.text
    form["target"] = "https://example.com/alerta"
    assert client.post("/alerts/channels", data=form, headers=html).status_code == 303
    page = client.get("/alerts/channels", headers=html).text
    assert "https://example.com/alerta" in page
    (channel,) = client.get("/alerts/channels").get_json()["data"]
    assert client.post(f"/alerts/channels/{channel['id']}/remove").status_code == 200
    with pytest.raises(NotFound):
        remove_channel(channel["id"], by=SYSTEM, now=clock.now())


def test_only_management_sets_channels(
    well: Flask, client: FlaskClient, login: Callable[..., Any]
) -> None:
    login(client, 2)
    form = {"kind": "email", "target": "a@b.com", "level": "warning"}
    assert client.post("/alerts/channels", data=form).status_code == 403
