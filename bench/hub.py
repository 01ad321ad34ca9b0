"""The product as deployed: its own Procfile lines, its embedded Redis, its database."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select, text, update

from app import config, create_app, embedded_redis, schema
from app.access.actions.api_keys import generate_api_key
from app.access.actor import SYSTEM
from app.db import db, transaction
from app.deliveries.models import Attempt, Delivery
from app.events.actions.intake import accept
from app.events.rules import NewEvent
from app.payloads import dump_json
from app.supervisor import procfile
from app.supervisor.premises import web_answers
from app.systems.models import Endpoint, System
from app.systems.queries import snapshot
from bench.processes import ROOT, Process, free_port, until

PRODUCT = ROOT / ".venv" / "bin" / "python"
# Types that go to one system each, so that one event is one delivery.
TYPES = {
    "crm": "payment.failed",
    "operacao": "caregiver.available",
    "atendimento": "whatsapp.status",
}
# What app.server is for one worker, for an application that is not the product.
SERVER = (
    "python -m granian --interface wsgi --workers 1 --blocking-threads $HUB_WEB_THREADS"
    " --host $HUB_HOST --port $PORT --no-ws --log-level error"
)
FILLING = "conteúdo de uma mensagem como as que passam pela central todos os dias, "
AT_ONCE = 500


def payload(number: int) -> dict[str, Any]:
    """About 1 KiB of JSON."""
    return {"payment_id": number, "method": "pix", "amount": 129.9, "text": FILLING * 12}


class Hub:
    """One installation; close it to end its processes."""

    def __init__(self, folder: Path, database: str = "", **environ: str) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.port = free_port()
        self.environ = {**os.environ, **self._environ(database), **environ}
        self.settings = config.load(self.environ)
        with ExitStack() as stack:
            self._stack = stack
            self._open_redis()
            self.app: Flask = create_app(self.settings)
            schema.prepare(self.app)
            # Only a hub that could be opened is closed later; any other ends what it started here.
            self._stack = stack.pop_all()

    def _environ(self, database: str) -> dict[str, str]:
        return {
            "HUB_DATA_DIR": str(self.folder),
            "HUB_ENV_FILE": str(self.folder / "no.env"),
            "HUB_HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATABASE_URL": database,
            "REDIS_URL": embedded_redis.url(self.folder),
            "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
            "HUB_WEB_THREADS": str(config.Settings.model_fields["web_threads"].default),
            "HUB_ADMIN_PASSWORD": "uma senha so para medir",
            # What is measured is the work, not the limit.
            "RATE_LIMIT_PER_MINUTE": "100000000",
            "RATE_LIMIT_BURST": "1000000",
        }

    def _open_redis(self) -> None:
        words = embedded_redis.command(self.folder)
        redis = Process(words, self.environ, self.folder / "redis.log")
        self._stack.callback(redis.stop)
        listen = embedded_redis.socket_path(self.folder)
        until(lambda: embedded_redis.answers(listen), 10, "Redis answers")

    def start(self, line: str, app: str = "") -> Process:
        """One more process of a line of the Procfile, or another application on its web server."""
        command = f"{SERVER} {app}" if app else procfile.read([ROOT / "Procfile"])[line]
        words = procfile.words(command, self.environ)
        if PRODUCT.exists() and words[0] == sys.executable:
            words[0] = str(PRODUCT)
        process = Process(words, self.environ, self.folder / f"{line}.log")
        self._stack.callback(process.stop)
        if line == procfile.WEB:
            until(lambda: asyncio.run(web_answers("127.0.0.1", self.port)), 20, "the web answers")
        return process

    def start_all(self, *lines: str) -> None:
        """Several processes, and wait until each of them beats."""
        for line in lines:
            self.start(line)
        beating = len([line for line in lines if line != procfile.WEB])
        until(lambda: self.query("SELECT count(*) FROM heartbeats")[0][0] >= beating, 60,
              "all processes beat", 0.1)  # fmt: skip

    def aim(self, system: str, url: str, in_flight: int | None = None) -> None:
        """Send what goes to a system to this address."""
        with self.app.app_context(), transaction() as tx:
            c = tx.connection
            c.execute(update(Endpoint).where(Endpoint.system == system).values(url=url))
            c.execute(update(System).where(System.name == system).values(in_flight_limit=in_flight))
        snapshot.forget()

    def accept(self, count: int, system: str = "crm") -> None:
        """Take events in as the intake does, by the hundred; each becomes one delivery."""
        with self.app.app_context():
            for start in range(0, count, AT_ONCE):
                numbers = range(start, min(start + AT_ONCE, count))
                accept([_event(TYPES[system], number) for number in numbers])

    def api_key(self) -> str:
        """A key that may do everything."""
        with self.app.app_context():
            return generate_api_key(SYSTEM, "bench", ("*",)).key

    def run(self, *statements: str) -> None:
        """Write to the database behind the product's back (due times, many rows)."""
        with self.app.app_context(), transaction(durable=False) as tx:
            for statement in statements:
                tx.connection.execute(text(statement))

    def query(self, statement: str) -> Sequence[Any]:
        """Rows of a statement."""
        with self.app.app_context(), db.engine.connect() as c:
            return c.execute(text(statement)).all()

    def check_sent(self, expected: int, seconds: float = 10) -> None:
        """Every delivery has its outcome and its attempt: speed with lost work is no speed."""
        until(lambda: self._sent() == (expected, expected), seconds, f"{expected} outcomes", 0.05)

    def _sent(self) -> tuple[int, int]:
        sent = select(func.count()).select_from(Delivery).where(Delivery.status == "sent")
        tries = select(func.count()).select_from(Attempt).where(Attempt.outcome == "sent")
        with self.app.app_context(), db.engine.connect() as c:
            return c.execute(sent).scalar_one(), c.execute(tries).scalar_one()

    def close(self) -> None:
        """End its processes."""
        with self.app.app_context():
            db.engine.dispose()
        self._stack.close()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _event(event_type: str, number: int) -> NewEvent:
    content = payload(number)
    raw = dump_json(content)
    return NewEvent(event_type, "financeiro", content, raw, raw, "bench")
