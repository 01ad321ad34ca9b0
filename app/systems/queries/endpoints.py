"""Reads of the endpoints for people and for the JSON door; secrets never leave here."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.paging import AnyRow, Page, Paging, paginate
from app.systems.models import Endpoint

COLUMNS = (
    Endpoint.id,
    Endpoint.system,
    Endpoint.url,
    Endpoint.status,
    Endpoint.description,
    Endpoint.previous_until,
    Endpoint.created_at,
    Endpoint.updated_at,
)


class EndpointFilter(Paging):
    """Query of the list of endpoints; '' leaves a filter out."""

    system: str = ""
    status: str = ""


def list_endpoints(connection: Connection, wanted: EndpointFilter) -> Page:
    """One page of endpoints, by system and age."""
    query = select(*COLUMNS).order_by(Endpoint.system, Endpoint.id)
    if wanted.system:
        query = query.where(Endpoint.system == wanted.system)
    if wanted.status:
        query = query.where(Endpoint.status == wanted.status)
    return paginate(connection, query, wanted)


def find_endpoint(connection: Connection, endpoint_id: int) -> AnyRow:
    """One endpoint; NotFound."""
    found = connection.execute(select(*COLUMNS).where(Endpoint.id == endpoint_id)).one_or_none()
    if found is None:
        raise NotFound("Endpoint not found")
    return found
