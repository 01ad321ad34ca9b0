"""SSRF: no address inside is called, at whichever place it enters or is used, however written."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from app import clock, config
from app.access.actor import SYSTEM
from app.config import Settings
from app.db import reading, transaction
from app.deliveries.http import Outgoing, Sender
from app.errors import HubError, Invalid
from app.messages.zapi import zapi
from app.monitoring.actions.channels import add_channel
from app.monitoring.actions.send_notice import send as send_notice
from app.monitoring.models import AlertChannel
from app.monitoring.rules.notices import Notice
from app.runbook.actions.procedures import backups
from app.syncs.actions.fetch import Refused, fetch
from app.systems.actions.endpoints import create_endpoint, update_endpoint
from app.systems.actions.exchange import import_endpoints
from app.systems.actions.trial import send_trial
from app.systems.calls import Call, Client
from app.systems.models import Endpoint, System
from app.systems.queries import snapshot
from app.systems.rules.addresses import check_url
from app.systems.rules.exchange import Exchange
from tests.security.payloads import INSIDE, ODD

EVERY = (*INSIDE, *ODD)


class Trap:
    """Something inside that must never hear from us: counts who connects."""

    def __init__(self) -> None:
        self.heard = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.heard += 1
            caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            caller.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    found = Trap()
    yield found
    assert found.heard == 0, "something inside was called"
    found.close()


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`resolver("a", "b")`: evil.test has these addresses, one after the other, then the last."""

    def set_answers(*addresses: str) -> None:
        left, real = list(addresses), socket.getaddrinfo

        def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            if host not in ("evil.test", b"evil.test"):
                return real(host, port, *args, **kwargs)
            return real(left.pop(0) if len(left) > 1 else left[0], port, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return set_answers


@pytest.mark.parametrize("url", EVERY, ids=ascii)
def test_every_form_is_refused_by_the_rule(url: str) -> None:
    assert check_url(url) != []


# -- where an address enters ----------------------------------------------------------------------


def test_create(seeded_app: Flask, client: FlaskClient, api_key) -> None:
    headers = {"X-API-Key": api_key("endpoints:write")}
    for url in EVERY:
        body = {"system": "crm", "url": url}
        answer = client.post("/api/endpoints", json=body, headers=headers)
        assert (url, answer.status_code) == (url, 422)


def test_create_and_edit_by_form(seeded_app: Flask, client: FlaskClient, login) -> None:
    login(client, 2)
    with seeded_app.app_context():
        kept = create_endpoint("crm", "https://8.8.8.8/ok", "", by=SYSTEM, now=clock.now()).id
    # Both forms call what `test_create` and `test_edit` try with every spelling.
    for url in EVERY[::6]:
        for path in ("/sistemas/crm/endpoints", f"/sistemas/endpoints/{kept}/alterar"):
            answer = client.post(path, data={"url": url}, headers={"Accept": "text/html"})
            assert (path, url, answer.status_code) == (path, url, 422)


def test_edit(seeded_app: Flask, app_context: None) -> None:
    kept = create_endpoint("crm", "https://8.8.8.8/ok", "", by=SYSTEM, now=clock.now()).id
    for url in EVERY:
        with pytest.raises(Invalid):
            update_endpoint(kept, url=url, description=None, by=SYSTEM, now=clock.now())
    with reading() as c:
        assert c.scalar(select(Endpoint.url).where(Endpoint.id == kept)) == "https://8.8.8.8/ok"


def test_import(seeded_app: Flask, app_context: None) -> None:
    for url in EVERY:
        exchange = Exchange.model_validate({"endpoints": [{"system": "crm", "url": url}]})
        with pytest.raises(Invalid):
            import_endpoints(exchange, by=SYSTEM, now=clock.now())


def test_restore(seeded_app: Flask, settings: Settings, app_context: None) -> None:
    name = backups.make_backup(by=SYSTEM, now=clock.now())
    path = settings.data_dir / "backups" / name
    content = json.loads(path.read_text())
    content["endpoints"]["endpoints"].append({"system": "crm", "url": "http://[::ffff:7f00:1]/"})
    path.write_text(json.dumps(content))
    with pytest.raises(Invalid):
        backups.restore(name, by=SYSTEM, now=clock.now(), why="test")


def test_alert_channel(seeded_app: Flask, app_context: None) -> None:
    for url in EVERY:
        with pytest.raises(Invalid):
            add_channel("webhook", url, "critical", by=SYSTEM, now=clock.now())
    with reading() as c:
        assert c.execute(select(AlertChannel.id)).all() == []


def test_no_screen_sets_the_mail_server_or_a_provider(app: Flask) -> None:
    """SMTP_HOST, ZAPI_BASE_URL and the systems' base URLs come from the environment alone."""
    told = json.dumps(app.test_client().get("/api/openapi.json").json).lower()
    for word in ("smtp", "zapi_base", "base_url", "smtp_host"):
        assert f'"{word}"' not in told


# -- where an address is used: a row that came by another way --------------------------------------


def _planted(url: str) -> int:
    """An endpoint that never passed the rule."""
    with transaction() as tx:
        row = {
            "system": "crm",
            "url": url,
            "status": "active",
            "description": "",
            "secret_sealed": "",
        }
        times = {"created_at": clock.now(), "updated_at": clock.now()}
        made = tx.connection.execute(insert(Endpoint).values(**row, **times))
        assert made.inserted_primary_key
    snapshot.forget()
    return int(made.inserted_primary_key[0])


def _inside(trap: Trap) -> list[str]:
    """Addresses of the trap, in the spellings that a resolver understands."""
    hosts = ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0.0.0.0",
             "[::ffff:127.0.0.1]", socket.gethostname())  # fmt: skip
    return [f"http://{host}:{trap.port}/" for host in hosts]


def test_test_send(seeded_app: Flask, app_context: None, trap: Trap) -> None:
    for url in _inside(trap):
        answer = send_trial(_planted(url), by=SYSTEM, now=clock.now()).answer
        assert answer.status is None
        assert answer.error_class in ("blocked_address", "dns", "invalid_url"), (url, answer)


def _sent(url: str, seconds: float = 2.0) -> str:
    async def go() -> str:
        async with Sender() as sender:
            return (await sender.send(Outgoing(url, b"{}", {}, seconds, seconds))).error_class

    return asyncio.run(go())


def test_send(trap: Trap) -> None:
    for url in _inside(trap):
        assert _sent(url) in ("blocked_address", "dns", "invalid_url"), url


def test_sync_source(seeded_app: Flask, settings: Settings, app_context: None, trap: Trap) -> None:
    for url in _inside(trap)[:4]:
        with transaction() as tx:
            tx.connection.execute(update(System).where(System.name == "crm").values(base_url=url))
        snapshot.forget()
        with pytest.raises(Refused):
            fetch(settings, "crm", "/api/leads", {})


def test_provider(app: Flask, settings: Settings, trap: Trap) -> None:
    there = settings.model_copy(update={"zapi_instance_id": "i", "zapi_token": "t"})
    systems = {**settings.systems}
    there = there.model_copy(
        update={"systems": {**systems, "whatsapp": config.SystemSettings(url=_inside(trap)[0])}}
    )
    app.extensions["settings"] = there
    with app.app_context(), pytest.raises(HubError):
        zapi().status()


def test_alert_webhook(app: Flask, app_context: None, trap: Trap) -> None:
    for url in _inside(trap):
        row: Any = SimpleNamespace(id=1, created_at=1_000, body=Notice(url, {}).as_body())
        assert send_notice(row).error_class in ("blocked_address", "dns", "invalid_url"), url


# -- tricks between the check and the call ---------------------------------------------------------


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1"])
def test_a_name_that_points_inside(trap: Trap, resolver: Callable[..., None], inside: str) -> None:
    resolver(inside)
    url = f"http://evil.test:{trap.port}/"
    assert Client((), 1, 2).send(Call("GET", url)).error_class == "blocked_address"
    assert _sent(url) == "blocked_address"


def test_a_name_that_changes_its_mind(trap: Trap, resolver: Callable[..., None]) -> None:
    """Rebinding: an ordinary address when first asked for, then one inside."""
    url = f"http://evil.test:{trap.port}/"
    resolver("203.0.113.9", "127.0.0.1")
    client = Client((), 0.2, 0.5)
    assert {client.send(Call("GET", url)).error_class for _ in range(3)} == {"blocked_address"}
    resolver("192.0.2.1", "127.0.0.1")
    assert {_sent(url) for _ in range(3)} == {"blocked_address"}


def test_a_proxy_of_the_environment(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    monkeypatch.setenv("NO_PROXY", "")
    for url in ("http://10.255.255.1/", "http://192.0.2.1/"):
        assert Client((), 0.2, 0.5).send(Call("GET", url)).error_class == "blocked_address"
        assert _sent(url, 0.5) == "blocked_address"


def test_a_redirect_to_the_inside(trap: Trap, partners) -> None:
    partners.mode("crm", "redirect")
    allowed = tuple(config.load({"HUB_ALLOWED_NETWORKS": "127.0.0.0/8"}).allowed_networks)
    url = partners.environment()["CARINHO_CRM_URL"]
    answer = Client(allowed, 1, 2).send(Call("GET", f"{url}/api/leads"))
    assert answer.status is not None
    assert 300 <= answer.status < 400
    assert urlsplit(url).hostname == "127.0.0.1"


def test_a_backup_outside_the_folder_is_not_read(
    seeded_app: Flask, client: FlaskClient, login, tmp_path: Path
) -> None:
    login(client, 3)
    (tmp_path / "private.json").write_text('{"mine": true}')
    for name in ("../private.json", "..%2fprivate.json", "%2e%2e/private.json", "private.json",
                 "/etc/passwd", "....//private.json", "private.json%00.json"):  # fmt: skip
        answer = client.get(f"/procedimentos/backups/{name}")
        assert answer.status_code in (403, 404, 308), name
        assert b"mine" not in answer.data
