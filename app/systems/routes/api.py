"""JSON door of the systems: pause and limit them; make, change and switch their endpoints."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from app import clock
from app.access.guards import by, require
from app.db import reading
from app.paging import AnyRow
from app.systems.actions import endpoints as actions
from app.systems.actions.systems import update_system
from app.systems.actions.trial import SHOWN, Trial, send_trial
from app.systems.queries.endpoints import EndpointFilter, find_endpoint, list_endpoints
from app.systems.queries.systems import find_system, list_systems
from app.web import answer, arguments, body

endpoints = Blueprint("endpoints", __name__, url_prefix="/api/endpoints")
systems = Blueprint("systems_api", __name__, url_prefix="/api/systems")
# No identifier is larger than the database's integers.
ONE = "/<int(max=9223372036854775807):endpoint_id>"


class EndpointDraft(BaseModel):
    """Body of POST /api/endpoints."""

    system: str
    url: str
    description: str = Field("", max_length=200)


class EndpointChange(BaseModel):
    """Body of PUT /api/endpoints/{id}; what is left out stays."""

    url: str | None = None
    description: str | None = Field(None, max_length=200)


class SystemChange(BaseModel):
    """Body of PUT /api/systems/{name}; what is left out stays, a limit of null is the setting's.

    `why` goes into the audit trail.
    """

    paused: bool = False
    in_flight_limit: int | None = Field(None, ge=1, le=2000)
    why: str = Field("", max_length=500)


@systems.get("")
@require("systems.read", scope="systems:read")
def all_systems() -> Response:
    """The nine systems."""
    with reading() as connection:
        return answer({"data": [system_data(row) for row in list_systems(connection)]})


@systems.get("/<name>")
@require("systems.read", scope="systems:read")
def one_system(name: str) -> Response:
    """One system."""
    return _system(name)


@systems.put("/<name>")
@require("systems.manage", scope="systems:write")
def change_system(name: str) -> Response:
    """Pause, resume, limit."""
    wanted = body(SystemChange)
    changes = wanted.model_dump(exclude_unset=True, exclude={"why"})
    update_system(name, changes, by=by(), now=clock.now(), why=wanted.why or None)
    return _system(name)


@endpoints.get("")
@require("systems.read", scope="endpoints:read")
def index() -> Response:
    """Endpoints by system, a page at a time."""
    with reading() as connection:
        return answer(list_endpoints(connection, arguments(EndpointFilter)).as_json(endpoint_data))


@endpoints.post("")
@require("systems.manage", scope="endpoints:write")
def create() -> Response:
    """Make an endpoint; the only answer that holds its secret."""
    draft = body(EndpointDraft)
    made = actions.create_endpoint(
        draft.system, draft.url, draft.description, by=by(), now=clock.now()
    )
    return _told(made.id, status=201, secret=made.secret)


@endpoints.get(ONE)
@require("systems.read", scope="endpoints:read")
def show(endpoint_id: int) -> Response:
    """One endpoint."""
    return _told(endpoint_id)


@endpoints.put(ONE)
@require("systems.manage", scope="endpoints:write")
def change(endpoint_id: int) -> Response:
    """Change URL or description."""
    wanted = body(EndpointChange)
    actions.update_endpoint(
        endpoint_id,
        url=wanted.url,
        description=wanted.description,
        by=by(),
        now=clock.now(),
    )
    return _told(endpoint_id)


@endpoints.post(f"{ONE}/activate")
@require("systems.manage", scope="endpoints:write")
def activate(endpoint_id: int) -> Response:
    """Let deliveries go there again."""
    actions.activate_endpoint(endpoint_id, by=by(), now=clock.now())
    return _told(endpoint_id)


@endpoints.post(f"{ONE}/deactivate")
@require("systems.manage", scope="endpoints:write")
def deactivate(endpoint_id: int) -> Response:
    """Plan no more deliveries to it."""
    actions.deactivate_endpoint(endpoint_id, by=by(), now=clock.now())
    return _told(endpoint_id)


@endpoints.post(f"{ONE}/rotate-secret")
@require("systems.manage", scope="endpoints:write")
def rotate_secret(endpoint_id: int) -> Response:
    """Give it a new secret, told once; the old one counts for another 24 h."""
    secret = actions.rotate_secret(endpoint_id, by=by(), now=clock.now())
    return _told(endpoint_id, secret=secret)


@endpoints.post(f"{ONE}/test")
@require("systems.manage", scope="endpoints:write")
def test(endpoint_id: int) -> Response:
    """Send a signed test event now and tell what came back."""
    return answer({"data": trial_data(send_trial(endpoint_id, by=by(), now=clock.now()))})


def trial_data(trial: Trial) -> dict[str, Any]:
    """What a test event met with, as JSON."""
    return {
        "url": trial.url,
        "accepted": trial.answer.accepted,
        "status": trial.answer.status,
        "latency_ms": trial.answer.latency_ms,
        "error_class": trial.answer.error_class,
        "error": trial.answer.error,
        "body": trial.answer.body[:SHOWN].decode(errors="replace"),
    }


def system_data(row: AnyRow) -> dict[str, Any]:
    """A system as JSON."""
    return {**row._mapping, "updated_at": clock.iso(row.updated_at)}


def endpoint_data(row: AnyRow) -> dict[str, Any]:
    """An endpoint as JSON."""
    return {
        "id": row.id,
        "system": row.system,
        "url": row.url,
        "status": row.status,
        "description": row.description,
        "previous_secret_until": clock.iso(row.previous_until),
        "created_at": clock.iso(row.created_at),
        "updated_at": clock.iso(row.updated_at),
    }


def _system(name: str) -> Response:
    """The system as it now is."""
    with reading() as connection:
        return answer({"data": system_data(find_system(connection, name))})


def _told(endpoint_id: int, status: int = 200, **more: Any) -> Response:
    """The endpoint as it now is."""
    with reading() as connection:
        row = find_endpoint(connection, endpoint_id)
    return answer({"data": {**endpoint_data(row), **more}}, status=status)
