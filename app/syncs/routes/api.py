"""JSON door of the syncs: runs, one run with its items, how each stands, start."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from pydantic import BaseModel, Field

from app import clock
from app.access.guards import by, require
from app.db import reading
from app.syncs.actions import start as starting
from app.syncs.queries import board, runs
from app.syncs.queries.runs import ItemFilter, RunFilter
from app.web import answer, arguments, body

blueprint = Blueprint("syncs_api", __name__, url_prefix="/api/sync")
# No identifier is larger than the database's integers.
ONE = "/jobs/<int(max=9223372036854775807):run_id>"


class StartWanted(BaseModel):
    """Body of POST /api/sync/start; `type` is a sync's name or `full`."""

    type: str = Field(max_length=60)
    why: str = Field("", max_length=500)


@blueprint.get("/jobs")
@require("syncs.read", scope="sync:read")
def index() -> Response:
    """Runs, newest first."""
    wanted = arguments(RunFilter)
    with reading() as c:
        return answer(runs.runs(c, wanted).as_json(runs.run_json))


@blueprint.post("/start")
@require("syncs.run", scope="sync:write")
def start() -> Response:
    """Ask for a run, or with `full` for all four in order; 409 where one is under way."""
    wanted = body(StartWanted)
    syncs = starting.named(wanted.type)
    ids = starting.start(syncs, by=by(), why=wanted.why.strip() or None, now=clock.now())
    with reading() as c:
        jobs = [runs.run_json(runs.one(c, id_)) for id_ in ids]
    data = {"message": "Sync started", "data": jobs[0], "jobs": jobs}
    response = answer(data, status=202)
    response.headers["Location"] = f"/api/sync/jobs/{ids[0]}"
    return response


@blueprint.get("/stats")
@require("syncs.read", scope="sync:read")
def stats() -> Response:
    """How each sync stands: last and next run, usual duration, failures."""
    with reading() as c:
        zone = current_app.extensions["settings"].zone
        return answer({"data": board.stats(c, zone, clock.now())})


@blueprint.get(ONE)
@require("syncs.read", scope="sync:read")
def show(run_id: int) -> Response:
    """One run with its items, those in trouble first."""
    wanted = arguments(ItemFilter)
    with reading() as c:
        run = runs.one(c, run_id)
        page = runs.items(c, run_id, wanted)
        letters = runs.letters(c, page.rows)
    found = page.as_json(lambda row: runs.item_json(row, letters.get(row.id)))
    return answer({"data": {**runs.run_json(run), "items": found["data"]}, "meta": found["meta"]})
