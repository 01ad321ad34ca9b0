"""JSON door of the mappings: read, save, test and compare them; read and set the routes."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import AfterValidator, AliasChoices, BaseModel, Field

from app import clock
from app.access.guards import by, require
from app.db import reading
from app.errors import Invalid, NotFound
from app.mappings import actions, queries
from app.mappings.queries import SavedMapping, SavedRoute
from app.mappings.rules import MappingError, Transform, below, check, check_pair, compile_mapping
from app.payloads import dump_json
from app.web import answer, arguments, body

blueprint = Blueprint("mappings", __name__, url_prefix="/api")

SYSTEM = AliasChoices("target_system", "system")
# Printable ASCII: PostgreSQL refuses some of what else a query string can hold.
Name = Annotated[str, Field(max_length=80, pattern=r"^[\x21-\x7e]*$")]


def _carried(value: Any) -> Any:
    """As intake: 1e400 can be read, and is no number that JSON carries."""
    try:
        dump_json(value)
    except Invalid as refused:
        raise ValueError(*refused.details["body"]) from None
    return value


class Pair(BaseModel):
    """What a mapping belongs to."""

    event_type: Name
    target_system: Name = Field(validation_alias=SYSTEM)


class NewMapping(Pair):
    """Body of a save."""

    mapping: dict[str, Any]
    note: str = Field("", max_length=500)


class Trial(Pair):
    """Body of a test; without `mapping` the one in force is tried."""

    payload: Annotated[Any, AfterValidator(_carried)]
    mapping: dict[str, Any] | None = None


class Destinations(BaseModel):
    """Body of PUT /api/routes: where events of the type go from now on."""

    event_type: str
    target_systems: list[str] = Field(max_length=50)


class Filter(BaseModel):
    """Query of a list."""

    event_type: Name = ""
    target_system: Name = Field("", validation_alias=SYSTEM)
    page: int = Field(1, ge=1, le=1_000_000)
    per_page: int = Field(50, ge=1, le=200)

    def cut(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """The page asked for, with the contract's meta."""
        start = (self.page - 1) * self.per_page
        meta = {
            "current_page": self.page,
            "last_page": max(1, -(-len(rows) // self.per_page)),
            "per_page": self.per_page,
            "total": len(rows),
        }
        return {"data": rows[start : start + self.per_page], "meta": meta}


class Ends(BaseModel):
    """Query of a diff: the two versions."""

    old: Name = Field(alias="from")
    new: Name = Field(alias="to")


@blueprint.get("/mappings")
@require("mappings.read", "mappings:read")
def index() -> Response:
    """The mapping in force for each pair."""
    wanted = arguments(Filter)
    with reading() as connection:
        found = queries.all_newest(connection, wanted.event_type, wanted.target_system)
    return answer(wanted.cut([mapping_data(item) for item in found]))


@blueprint.post("/mappings")
@require("mappings.manage", "mappings:write")
def create() -> Response:
    """Save a new version."""
    new = body(NewMapping)
    saved = actions.save_mapping(
        new.event_type, new.target_system, new.mapping, by=by(), now=clock.now(), note=new.note
    )
    return answer({"data": mapping_data(saved)}, status=201)


@blueprint.post("/mappings/test")
@require("mappings.read", "mappings:read")
def test() -> Response:
    """What a payload becomes; nothing is stored or sent."""
    trial = body(Trial)
    version, transform = _transform(trial)
    result = trial.payload if transform is None else transform(trial.payload)
    data = {"original": trial.payload, "transformed": result, "mapping_version": version}
    return answer({"data": data})


@blueprint.get("/mappings/<event_type>/<system>")
@require("mappings.read", "mappings:read")
def show(event_type: str, system: str) -> Response:
    """The mapping in force for one pair."""
    _must_be_pair(event_type, system)
    with reading() as connection:
        found = queries.newest(connection, event_type, system)
    if found is None:
        raise NotFound("Mapping not found")
    return answer({"data": mapping_data(found)})


@blueprint.get("/mappings/<event_type>/<system>/versions")
@require("mappings.read", "mappings:read")
def versions(event_type: str, system: str) -> Response:
    """Every version of one pair, newest first."""
    _must_be_pair(event_type, system)
    wanted = arguments(Filter)
    with reading() as connection:
        found = queries.versions(connection, event_type, system)
    return answer(wanted.cut([mapping_data(item) for item in found]))


@blueprint.get("/mappings/<event_type>/<system>/diff")
@require("mappings.read", "mappings:read")
def diff(event_type: str, system: str) -> Response:
    """What changed between two versions of one pair."""
    _must_be_pair(event_type, system)
    ends = arguments(Ends)
    with reading() as connection:
        old, new, found = queries.difference(connection, event_type, system, ends.old, ends.new)
    data = {"event_type": event_type, "target_system": system}
    between = {"from": str(old.version), "to": str(new.version), "diff": found.as_data()}
    return answer({"data": data | between})


@blueprint.get("/routes")
@require("mappings.read", "mappings:read")
def routes() -> Response:
    """Where events go, inactive routes too."""
    wanted = arguments(Filter)
    with reading() as connection:
        found = queries.routes(connection, wanted.event_type)
    return answer({"data": [route_data(route) for route in found]})


@blueprint.put("/routes")
@require("mappings.manage", "mappings:write")
def set_routes() -> Response:
    """Send events of one type to exactly these systems."""
    wanted = body(Destinations)
    found = actions.set_routes(wanted.event_type, wanted.target_systems, by=by(), now=clock.now())
    return answer({"data": [route_data(route) for route in found]})


def mapping_data(item: SavedMapping) -> dict[str, Any]:
    """A saved mapping as JSON."""
    return {
        "id": item.id,
        "event_type": item.event_type,
        "target_system": item.system,
        "version": str(item.version),
        "mapping": item.document,
        "note": item.note,
        "created_at": clock.iso(item.created_at),
        "created_by": item.created_by,
    }


def route_data(route: SavedRoute) -> dict[str, Any]:
    """A route as JSON."""
    return {
        "event_type": route.event_type,
        "target_system": route.system,
        "active": route.active,
    }


def _must_be_pair(event_type: str, system: str) -> None:
    if check_pair(event_type, system):
        raise NotFound("Mapping not found")


def _transform(trial: Trial) -> tuple[str | None, Transform | None]:
    """The draft of the request, else the mapping in force, else none (as it is)."""
    if trial.mapping is not None:
        if problems := below("mapping", check(trial.mapping)):
            raise MappingError(problems)
        return None, compile_mapping(trial.mapping)
    with reading() as connection:
        found = queries.newest(connection, trial.event_type, trial.target_system)
    if found is None:
        return None, None
    return str(found.version), compile_mapping(found.document)
