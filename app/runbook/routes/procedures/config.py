"""Backups of the configuration: download one, compare it with what is in force."""

from __future__ import annotations

from flask import Response, current_app, request

from app import clock, web
from app.access.guards import by, require
from app.access.whom import refusal
from app.numbers import whole
from app.runbook.actions.procedures import backups
from app.runbook.queries.procedures.backups import NAME, read_backup
from app.runbook.routes.door import blueprint
from app.runbook.rules.procedures.deeds import DEEDS

BACKUP = "/procedimentos/backups/<name>"


@blueprint.get(BACKUP)
@require("mappings.read", scope="mappings:read")
def download_backup(name: str) -> Response:
    """The file as it lies in the data folder; it holds no secret."""
    raw, _content = read_backup(current_app.extensions["settings"].data_dir, name)
    response = Response(raw, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.get(f"{BACKUP}/comparar")
@require("mappings.manage", scope="mappings:write")
def compare_backup(name: str) -> Response:
    """Exactly what restoring it would change."""
    found = backups.compare(name, by=by(), now=clock.now())
    match = NAME.match(name)
    data = {
        "mappings": found.mappings.as_data(),
        "endpoints": [
            {"system": one.system, "url": one.url, "outcome": one.outcome} for one in found.changed
        ],
    }
    return web.answer(
        {"data": data}, "runbook/procedures/compare.html", name=name, found=found,
        at=int(match[1]) if match else 0, deed=DEEDS["restore"], refusal=refusal,
        run_id=whole(request.args.get("run", "")),
    )  # fmt: skip
