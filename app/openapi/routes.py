"""Doors of the description: the document for programs, the page for people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app

from app import web
from app.access.guards import require
from app.openapi.queries import doors
from app.openapi.rules.document import document
from app.openapi.rules.reference import chapters, kind

blueprint = Blueprint("openapi", __name__, url_prefix="/api")
READ = ("overview.read", "overview:read")
# The version of the contract, not of the program: it moves when an answer changes its shape.
VERSION = "1"


def described() -> dict[str, Any]:
    """The document, made once per application."""
    extensions: dict[str, Any] = current_app.extensions
    if "openapi" not in extensions:
        extensions["openapi"] = document(doors(current_app), VERSION)
    found: dict[str, Any] = extensions["openapi"]
    return found


@blueprint.get("/openapi.json")
@require(*READ, network=True)
def as_json() -> Response:
    """The OpenAPI document."""
    return web.answer(described())


@blueprint.get("/docs")
@require(*READ, network=True)
def page() -> Response:
    """The same for people; works without a word from outside."""
    found = described()
    return web.answer(found, page="openapi/index.html", chapters=chapters(found), kind=kind)
