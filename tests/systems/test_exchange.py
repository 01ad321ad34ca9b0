"""Backup of the endpoints on the command line, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from app.access.models import AuditEntry
from app.db import reading, transaction
from app.systems.cli import export_endpoints, import_endpoints
from app.systems.models import Endpoint
from app.systems.queries import snapshot


def export(app: Flask, *options: str) -> dict[str, Any]:
    result = app.test_cli_runner().invoke(export_endpoints, options)
    assert result.exit_code == 0, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def bring(app: Flask, folder: Path, data: Any, *options: str) -> tuple[int, str]:
    """Import `data`: exit code and everything said."""
    file = folder / "endpoints.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data))
    result = app.test_cli_runner().invoke(import_endpoints, [str(file), *options])
    return result.exit_code, result.output


def secrets() -> dict[str, tuple[str, ...]]:
    with reading() as connection:
        return {t.url: t.secrets for t in snapshot.targets(connection).values()}


def lose_everything() -> None:
    with transaction() as tx:
        tx.connection.execute(delete(Endpoint))
    snapshot.forget()


def test_an_export_with_secrets_brings_everything_back(seeded: Flask, tmp_path: Path) -> None:
    saved, before = export(seeded, "--with-secrets"), secrets()
    lose_everything()
    code, said = bring(seeded, tmp_path, saved)
    assert code == 0
    assert "6 endpoints mudaram" in said
    assert secrets() == before
    assert export(seeded, "--with-secrets") == saved


def test_an_export_leaves_secrets_out(seeded: Flask) -> None:
    saved = export(seeded)
    assert set(saved["endpoints"][0]) == {"system", "url", "status", "description"}
    assert "whsec_" not in json.dumps(saved)


def test_without_secrets_new_ones_are_made_and_told(seeded: Flask, tmp_path: Path) -> None:
    saved = export(seeded)
    lose_everything()
    code, said = bring(seeded, tmp_path, saved, "--json")
    assert code == 0
    told = {entry["url"]: (entry["secret"],) for entry in json.loads(said)["endpoints"]}
    assert told == secrets()


def test_a_second_import_changes_nothing(seeded: Flask, tmp_path: Path) -> None:
    before = secrets()
    assert "0 endpoints" in bring(seeded, tmp_path, export(seeded))[1]
    assert "0 endpoints" in bring(seeded, tmp_path, export(seeded, "--with-secrets"))[1]
    assert secrets() == before


def test_an_import_changes_what_differs(seeded: Flask, tmp_path: Path) -> None:
    saved = export(seeded)
    entry = saved["endpoints"][0] | {"status": "inactive", "secret": "a secret of their own"}
    old = secrets()[entry["url"]]
    assert "1 endpoints" in bring(seeded, tmp_path, {"endpoints": [entry]})[1]
    assert secrets()[entry["url"]] == ("a secret of their own", *old)
    assert export(seeded)["endpoints"][0]["status"] == "inactive"


def test_a_dry_run_writes_nothing(seeded: Flask, tmp_path: Path) -> None:
    saved = export(seeded)
    lose_everything()
    code, said = bring(seeded, tmp_path, saved, "--dry-run")
    assert code == 0
    assert "6 endpoints mudariam" in said
    assert "whsec_" not in said
    assert export(seeded) == {"endpoints": []}


def test_an_import_is_in_the_audit_trail_without_secrets(seeded: Flask, tmp_path: Path) -> None:
    saved = export(seeded, "--with-secrets")
    lose_everything()
    bring(seeded, tmp_path, saved)
    with reading() as connection:
        row = connection.execute(select(AuditEntry.action, AuditEntry.after_json)).one()
    assert row.action == "endpoints.imported"
    assert "crm" in row.after_json
    assert "whsec_" not in row.after_json


GOOD = {"system": "site", "url": "https://site.carinho.com.vc/in"}


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "[]",
        {"endpoints": [GOOD], "more": 1},
        {"endpoints": [GOOD, {**GOOD, "id": 1}]},
        {"endpoints": [GOOD, {**GOOD, "system": "unknown"}]},
        {"endpoints": [GOOD, {**GOOD, "url": "http://127.0.0.1/"}]},
        {"endpoints": [GOOD, {**GOOD, "url": "https://x/", "status": "dead"}]},
        {"endpoints": [GOOD, {**GOOD, "url": "https://x/", "secret": "short"}]},
        {"endpoints": [GOOD, GOOD]},
    ],
)
def test_a_bad_file_is_refused_as_a_whole(seeded: Flask, tmp_path: Path, data: Any) -> None:
    before = export(seeded)
    code, said = bring(seeded, tmp_path, data)
    assert code == 1
    assert "Nada foi importado" in said
    assert export(seeded) == before
