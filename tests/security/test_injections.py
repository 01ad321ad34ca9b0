"""Texts that break out of where they are written: headers, log lines, spreadsheets, statements."""

from __future__ import annotations

import csv
import io
import logging
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock
from app.access.actor import SYSTEM
from app.deliveries.http import Outgoing, Sender
from app.logs import OneLine
from app.monitoring.actions.channels import add_channel
from app.systems.calls import Call, Client
from app.web.csv import guard, lines
from tests.pages import BROWSER
from tests.security.payloads import FORMULAS, LINES

SQL = (
    "'", "''", "\"", "' OR '1'='1", "1;DROP TABLE users", "') OR 1=1--", "%", "_", "%%%%%%%%%%",
    "\\", "' UNION SELECT password_hash FROM users--", "1 AND (SELECT 1)", "$$", "{{1}}", "${1}",
    "admin'/*", "'||(SELECT 1)||'", "\u02bc OR 1=1", "\x00", "a" * 5_000,
)  # fmt: skip


@pytest.mark.parametrize("text", LINES, ids=ascii)
def test_a_log_line_stays_one_printable_line(text: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "said %s", (text,), None)
    line = OneLine("%(levelname)s %(message)s").format(record)
    assert line.isprintable()
    assert line.startswith("INFO said a")


def test_a_traceback_stays_one_line() -> None:
    try:
        raise ValueError("a\nINFO forged\x1b[31m")
    except ValueError as problem:
        told = (ValueError, problem, problem.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), told)
    assert OneLine("%(message)s").format(record).isprintable()


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_a_spreadsheet_runs_nothing(text: str) -> None:
    assert guard(text).startswith("'") or text.startswith("%")
    rows = list(csv.reader(io.StringIO("".join(lines(["a"], [[text, "b"]]))[1:]), delimiter=";"))
    assert rows[1] == [guard(text), "b"]


@pytest.mark.parametrize("cell", [-5, 1.5, "a=1", "plain", None, "a\nb", "a;b", 'a"b'])
def test_ordinary_cells_stay(cell: object) -> None:
    assert guard(cell) == ("" if cell is None else str(cell))


@pytest.mark.parametrize("text", LINES[:6], ids=ascii)
def test_no_header_of_ours_is_broken(text: str) -> None:
    import asyncio

    async def go() -> str:
        async with Sender() as sender:
            out = Outgoing("http://192.0.2.1/", b"{}", {"X-Event-Type": text}, 0.2, 0.4)
            return (await sender.send(out)).error_class

    assert asyncio.run(go()) != ""
    assert Client((), 0.2, 0.4).send(Call("GET", "http://192.0.2.1/", {"X": text})).status is None


def test_no_answer_carries_a_foreign_header(seeded_app: Flask, client: FlaskClient, login) -> None:
    login(client, 3)
    for text in LINES:
        place = quote(text)
        for path in (f"/login?next=/{place}", f"/sistemas/{place}", f"/{place}",
                     f"/dlq?q={place}", f"/procedimentos/{place}"):  # fmt: skip
            answer = client.get(path, headers=BROWSER, buffered=True)
            assert answer.status_code < 500, path
            assert "X-Evil" not in answer.headers


@pytest.mark.parametrize(
    "target", ["a@b.test\r\nBcc: c@d.test", "a@b.test\nx", "a@b.test,c@d.test"]
)
def test_no_mail_goes_to_a_second_address(app: Flask, app_context: None, target: str) -> None:
    from app.errors import Invalid

    with pytest.raises(Invalid):
        add_channel("email", target, "critical", by=SYSTEM, now=clock.now())


SEARCHES = [
    ("/auditoria", ("q", "action", "actor", "after")),
    ("/events", ("q", "type", "source", "status", "from", "to", "after", "cursor")),
    ("/dlq", ("q", "system", "cause", "event_type", "sort", "state", "after", "days")),
    ("/api/events", ("type", "source", "status", "from", "to", "cursor")),
    ("/api/dlq", ("q", "system", "state", "cause", "event_type", "sort", "page")),
    ("/api/endpoints", ("system", "status", "page")),
    ("/api/mappings", ("event_type", "target_system", "page")),
    ("/api/sync/jobs", ("type", "status", "page")),
    ("/incidentes", ("state", "severity", "after", "q")),
    ("/alerts", ("after", "type", "subject")),
    ("/report/daily", ("day",)),
    ("/sla", ("day", "period", "measure")),
]


@pytest.mark.parametrize(("path", "names"), SEARCHES, ids=[path for path, _ in SEARCHES])
def test_no_filter_reaches_the_statement(
    seeded_app: Flask, client: FlaskClient, login, path: str, names: tuple[str, ...]
) -> None:
    login(client, 3)
    for name in names:
        for text in SQL:
            answer = client.get(path, query_string={name: text}, buffered=True)
            assert answer.status_code in (200, 404, 422), (name, text, answer.status_code)
            assert "sqlite" not in answer.text.lower()
            assert "SELECT" not in answer.text or "SELECT" in text
