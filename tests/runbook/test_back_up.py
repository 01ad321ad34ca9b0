"""Backups: made by hand and weekly, compared first, brought back; nothing secret in the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update

from app import clock, slow_statements
from app.access.actor import SYSTEM
from app.config import Settings
from app.db import reading, transaction
from app.errors import NotFound
from app.mappings.models import Route
from app.runbook.actions.procedures import backups
from app.runbook.queries.procedures.backups import list_backups, read_backup
from tests.pages import BROWSER, get, text_of


@pytest.fixture
def davi(seeded_app: Flask, client: FlaskClient, login: Callable[..., Any]) -> FlaskClient:
    login(client, 2)
    return client


def files(settings: Settings) -> list[Path]:
    return sorted((settings.data_dir / "backups").glob("*.json"))


def test_it_works(davi: FlaskClient, settings: Settings, app_context: None) -> None:
    run = davi.post("/procedimentos/backup", headers=BROWSER).location
    form = {"step": "make"}
    assert davi.post(f"{run}/acoes/backup", data=form, headers=BROWSER).status_code == 303
    (file,) = files(settings)
    content = json.loads(file.read_text())
    assert content["mappings"]["routes"]
    assert "secret" not in file.read_text()
    downloaded = davi.get(f"/procedimentos/backups/{file.name}")
    assert downloaded.data == file.read_bytes()
    page = text_of(get(davi, f"/procedimentos/backups/{file.name}/comparar"))
    assert "Nada mudaria" in page


def test_a_backup_of_the_week_is_said_and_another_can_be_made(
    davi: FlaskClient, settings: Settings, app_context: None
) -> None:
    """Whoever begins the run may want one of this moment: the button is there, whatever exists."""
    backups.make_backup(by=SYSTEM, now=clock.now() - clock.HOUR)
    run = davi.post("/procedimentos/backup", headers=BROWSER).location
    page = text_of(get(davi, run))
    assert "Há um backup desta semana; antes de uma mudança grande, faça outro." in page
    assert "Fazer backup agora" in page
    form = {"step": "make"}
    assert davi.post(f"{run}/acoes/backup", data=form, headers=BROWSER).status_code == 303
    assert len(files(settings)) == 2
    assert "Backup feito nesta execução." in text_of(get(davi, run))


def test_what_was_changed_is_shown_and_brought_back(
    davi: FlaskClient, settings: Settings, app_context: None
) -> None:
    name = backups.make_backup(by=SYSTEM, now=clock.now())
    with transaction() as tx:
        tx.connection.execute(update(Route).values(active=False))
    run = davi.post("/procedimentos/backup", headers=BROWSER).location
    number = run.rpartition("/")[2]
    page = get(davi, f"/procedimentos/backups/{name}/comparar?run={number}")
    assert "ativa" in text_of(page)
    form = {"name": name, "step": "restore", "confirmed": "1", "why": "rotas apagadas"}
    assert davi.post(f"{run}/acoes/restore", data=form, headers=BROWSER).status_code == 303
    with reading() as c:
        assert c.execute(text("SELECT count(*) FROM routes WHERE active")).scalar_one() > 0
    assert backups.compare(name, by=SYSTEM, now=clock.now()).is_empty


def test_weekly_makes_one_a_week(seeded_app: Flask, settings: Settings, app_context: None) -> None:
    for _ in range(2):
        backups.weekly()
    assert len(list_backups(settings.data_dir)) == 1
    (file,) = files(settings)
    old = clock.now() - 7 * clock.DAY
    file.rename(file.with_name(f"config-{old:013d}.json"))
    backups.weekly()
    assert len(list_backups(settings.data_dir)) == 2


@pytest.mark.parametrize("name", ["../hub.db", "config-1.json", "config-0000000000000.json"])
def test_no_other_file_is_read(settings: Settings, name: str) -> None:
    with pytest.raises(NotFound):
        read_backup(settings.data_dir, name)


def test_slow_statements_are_written_down_without_values(
    app: Flask, settings: Settings, app_context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_statements, "SLOW_MS", 0)
    with reading() as c:
        c.execute(text("SELECT :phone"), {"phone": "11987654321"})
    found = slow_statements.recent(settings.data_dir)
    assert any("SELECT" in one.statement for one in found)
    assert not any("11987654321" in one.statement for one in found)
