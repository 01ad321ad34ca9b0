"""The console's pages of where events go, and in which shape."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.engine import Connection

from app import web
from app.access.guards import require, sees_whole
from app.access.rules.masking import content
from app.db import reading
from app.errors import NotFound
from app.events.models import Event
from app.mappings import queries
from app.mappings.queries import SavedMapping
from app.mappings.routes.api import Name, mapping_data, route_data
from app.mappings.rules import check_pair
from app.paging import AnyRow
from app.systems.queries.systems import list_systems

blueprint = Blueprint("mapping_pages", __name__)
PAIR = "/mapeamentos/<event_type>/<system>"


class Ends(BaseModel):
    """Which versions are compared; '' is the newest and the one before it."""

    old: Name = Field("", alias="de")
    new: Name = Field("", alias="para")


@blueprint.get("/rotas")
@require("mappings.read", scope="mappings:read")
def routes() -> Response:
    """Event types and the systems that get them."""
    return routes_page({})


def routes_page(errors: dict[str, str], status: int = 200, **draft: str) -> Response:
    """The matrix; with what a form could not take."""
    with reading() as c:
        found, names = queries.routes(c), _labels(c)
        versions = {(m.event_type, m.system): str(m.version) for m in queries.all_newest(c)}
    active = {(route.event_type, route.system) for route in found if route.active}
    types = sorted({route.event_type for route in found})
    data = {"data": [route_data(route) for route in found]}
    seen = {"types": types, "labels": names, "active": active, "versions": versions}
    context: dict[str, Any] = {**seen, "errors": errors, "draft": draft}
    page, part = "mappings/routes.html", "mappings/_routes.html"
    if status != 200:
        return web.answer({"error": errors}, page=page, status=status, **context)
    told = (types, sorted(active), versions)
    return web.live(data, page, part, told, **context)


@blueprint.get("/mapeamentos")
@require("mappings.read", scope="mappings:read")
def index() -> Response:
    """The mapping in force for each pair, and the routes without one."""
    with reading() as c:
        found, names = queries.all_newest(c), _labels(c)
        plain = [route for route in queries.routes(c) if route.active]
    shaped = {(item.event_type, item.system) for item in found}
    plain = [route for route in plain if (route.event_type, route.system) not in shaped]
    data = {"data": [mapping_data(item) for item in found]}
    page, part = "mappings/index.html", "mappings/_index.html"
    seen = (found, plain)
    return web.live(data, page, part, seen, rows=found, plain=plain, labels=names)


@blueprint.get(PAIR)
@require("mappings.read", scope="mappings:read")
def show(event_type: str, system: str) -> Response:
    """One pair: the mapping in force, its versions, what changed, a form and a trial."""
    return pair_page(event_type, system)


def pair_page(event_type: str, system: str, status: int = 200, **more: Any) -> Response:
    """The page of a pair; `more` carries what a form could not take or what a trial gave."""
    if check_pair(event_type, system):
        raise NotFound("Mapping not found")
    ends = web.arguments(Ends)
    with reading() as c:
        labels, versions = _labels(c), _versions(c, event_type, system)
        old, new, changed = _difference(c, event_type, system, ends, versions)
        last = _last_event(c, event_type) if web.wants_html() else None
    sample = content(last.payload, sees_whole(f"event:{last.id}")) if last else {}
    newest = versions[0] if versions else None
    document = json.dumps(newest.document if newest else {}, ensure_ascii=False, indent=2)
    context: dict[str, Any] = {
        "event_type": event_type,
        "system": system,
        "label": labels.get(system, system),
        "versions": versions,
        "newest": newest,
        "document": document,
        "draft": document,
        "payload": json.dumps(sample, ensure_ascii=False, indent=2),
        "old": old,
        "new": new,
        "changed": changed,
        "errors": {},
        **more,
    }
    data = {"data": [mapping_data(item) for item in versions]}
    return web.answer(data, page="mappings/show.html", status=status, **context)


def _versions(c: Connection, event_type: str, system: str) -> list[SavedMapping]:
    try:
        return queries.versions(c, event_type, system)
    except NotFound:
        return []


def _difference(
    c: Connection, event_type: str, system: str, ends: Ends, versions: list[SavedMapping]
) -> tuple[str, str, Any]:
    """(old, new, what changed): those asked for, else the two newest; None for a single one."""
    if len(versions) < 2:
        return "", "", None
    old, new = ends.old or str(versions[1].version), ends.new or str(versions[0].version)
    _, _, found = queries.difference(c, event_type, system, old, new)
    return old, new, found.as_data()


def _last_event(c: Connection, event_type: str) -> AnyRow | None:
    """The newest event of the type: its content is there to try a mapping with."""
    query = select(Event.id, Event.payload).where(Event.event_type == event_type)
    return c.execute(query.order_by(Event.id.desc()).limit(1)).one_or_none()


def _labels(c: Connection) -> dict[str, str]:
    return {row.name: row.label for row in list_systems(c)}
