"""One place to look for a number or a phone; the palette asks here, too."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import require
from app.db import reading
from app.runbook.queries.search import Found, find_number
from app.runbook.routes.door import blueprint


class SearchWanted(BaseModel):
    """Query string: what to look for."""

    q: str = Field("", max_length=80, pattern=r"^[^\x00-\x1f]*$")


@blueprint.get("/procurar")
@require("overview.read", scope="overview:read")
def search() -> Response:
    """All that has the number; a single find is opened at once."""
    text = web.arguments(SearchWanted).q.strip()
    with reading() as c:
        found = find_number(c, text) if text else []
    if len(found) == 1 and web.wants_html():
        to = _url(found[0])
        return Response("", 303, {"Location": to}, mimetype="text/html")
    data = {"data": [_data(one) for one in found]}
    return web.answer(data, page="runbook/search.html", text=text, found=found)


def _data(one: Found) -> dict[str, Any]:
    return {"kind": one.kind, "text": one.text, "url": _url(one), "at": clock.iso(one.at)}


def _url(one: Found) -> str:
    values: dict[str, Any] = dict(one.values)
    return url_for(one.endpoint, **values)
