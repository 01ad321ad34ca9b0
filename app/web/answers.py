"""One resource in three renderings: fragment, page or JSON, chosen here and nowhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, redirect, render_template, session
from htmx_flask import request


def is_htmx() -> bool:
    """Whether htmx is asking."""
    return bool(request.headers.get("HX-Request") == "true")


def wants_html() -> bool:
    """Whether the client asked for a page; JSON when in doubt (curl sends */*)."""
    if is_htmx():
        return True
    named = any(kind.startswith("text/html") for kind, _ in request.accept_mimetypes)
    return named and request.accept_mimetypes.best_match(["application/json", "text/html"]) == (
        "text/html"
    )


def wants_part() -> bool:
    """Whether htmx wants the fragment only (not a boosted page or a history restore)."""
    return is_htmx() and request.headers.get("HX-Request-Type", "partial") == "partial"


def html(text: str, status: int = 200) -> Response:
    """An HTML response."""
    return Response(text, status, content_type="text/html; charset=utf-8")


def json(data: Any, status: int = 200) -> Response:
    """A JSON response."""
    text = current_app.json.dumps(data)
    return Response(text + "\n", status, content_type="application/json")


def answer(
    data: Any, page: str = "", part: str = "", status: int = 200, **context: Any
) -> Response:
    """The resource as fragment, page or JSON (in that order of choice).

    `data` is the JSON (a callable is called only for JSON); `context` feeds the templates.
    """
    if part and wants_part():
        return html(render_template(part, **context), status)
    if page and wants_html():
        return html(render_template(page, **context), status)
    return json(data() if callable(data) else data, status)


def live(data: Any, page: str, part: str, seen: Any, **context: Any) -> Response:
    """`answer` for a page that asks again every few seconds: 304 while `seen` stays the same.

    `seen` is all that the part shows (its repr is compared, before anything is rendered); the
    frame's state belongs to it, because the part carries the header along, and the login, because
    the part's forms carry its token.
    """
    if not wants_part():
        return answer(data, page, part, live=False, **context)
    frame = current_app.extensions.get("frame", dict)()
    login = session.get("csrf_token")
    digest = hashlib.sha256(repr((seen, frame, login)).encode()).hexdigest()[:32]
    response = Response(content_type="text/html; charset=utf-8")
    response.set_etag(digest)
    if request.if_none_match.contains(digest):
        response.status_code = 304
    else:
        response.set_data(render_template(part, live=True, **context))
    return response


def done(
    data: Mapping[str, Any], to: str, part: str = "", status: int = 200, **context: Any
) -> Response:
    """Answer after a write: JSON `status`, the changed fragment for htmx, 303 for a browser."""
    if part and wants_part():
        return html(render_template(part, **context))
    if is_htmx():
        response = html("")
        response.headers["HX-Redirect"] = to
        return response
    if wants_html():
        moved = redirect(to, code=303)
        return Response(moved.get_data(), 303, {"Location": to}, mimetype="text/html")
    return json(data, status)
