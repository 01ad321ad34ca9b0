"""The weekly backup of routes and mappings, and the way back."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.mappings.actions import save_mapping
from app.mappings.cli import export_mappings, import_mappings
from app.mappings.seed import seed
from tests.mappings.cases import ANA


def run(app: Flask, command: Any, *words: str, exit_code: int = 0) -> str:
    result = app.test_cli_runner().invoke(command, words)
    assert result.exit_code == exit_code, result.output
    return str(result.output)


@pytest.fixture
def backup(app: Flask, tmp_path: Path) -> Path:
    """The file of a hub as it starts."""
    with app.app_context():
        seed(now=1)
    path = tmp_path / "mappings_backup.json"
    path.write_text(run(app, export_mappings))
    return path


def test_the_backup_comes_back(app: Flask, backup: Path) -> None:
    with app.app_context():
        save_mapping("lead.created", "crm", {"only": "name"}, by=ANA, now=2)
    shown = run(app, import_mappings, str(backup), "--dry-run")
    assert "lead.created → crm: 1.0.1 → 1.0.2" in shown
    assert "0 routes and 1 mappings would change" in shown
    assert "changed" in run(app, import_mappings, str(backup))
    again = json.loads(run(app, import_mappings, str(backup), "--json"))
    assert again == {"dry_run": False, "routes": [], "mappings": []}


def test_the_backup_is_readable_json_and_stable(app: Flask, backup: Path) -> None:
    data = json.loads(backup.read_text())
    assert set(data) == {"routes", "mappings"}
    assert run(app, export_mappings, "--json") == backup.read_text()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "body:"),
        ("[]", "body:"),
        ('{"mapings": []}', "mapings:"),
        ('{"mappings": [{"event_type": "a.b"}]}', "mappings.0.version:"),
    ],
)
def test_a_wrong_file_is_refused(app: Flask, tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text)
    output = run(app, import_mappings, str(path), exit_code=1)
    assert told in output
    assert "nothing was imported" in output


def test_the_help_names_the_old_command(app: Flask) -> None:
    assert "integrations:export-mappings" in run(app, export_mappings, "--help")
