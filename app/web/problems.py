"""The error contract: problem+json with the `error` member for programs, a page for people."""

from __future__ import annotations

import json
import logging
from typing import Any, cast

from flask import Flask, Response, render_template
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from app import errors
from app.db import db
from app.errors import HubError
from app.web.again import send_again
from app.web.answers import html, wants_html

STATUS: dict[type[HubError], int] = {
    errors.NotFound: 404,
    errors.Invalid: 422,
    errors.Conflict: 409,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.TooMany: 429,
    errors.TooLarge: 413,
    errors.Unavailable: 503,
}
TITLES = {
    400: "Pedido inválido",
    401: "Entre para continuar",
    403: "Sem permissão",
    404: "Não encontrado",
    405: "Método não permitido",
    409: "Isto não é possível agora",
    413: "Conteúdo grande demais",
    422: "Há um problema",
    429: "Muitas tentativas",
    500: "Algo deu errado do nosso lado",
    503: "Temporariamente indisponível",
}

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Turn every error into the contract's answer."""
    app.register_error_handler(HubError, answer_error)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(CSRFError, _answer_csrf)
    app.register_error_handler(OperationalError, _answer_database)
    app.register_error_handler(PoolTimeoutError, _answer_database)
    app.register_error_handler(DataError, _answer_value)
    app.register_error_handler(OverflowError, _answer_value)
    app.register_error_handler(Exception, _answer_unexpected)


def problem(status: int, message: str, **members: Any) -> Response:
    """One error as JSON or as a page."""
    title = TITLES.get(status, "Erro")
    if wants_html():
        page = render_template("error.html", status=status, title=title, message=message, **members)
        return html(page, status)
    body = {"type": "about:blank", "title": title, "status": status, "error": message, **members}
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status, content_type="application/problem+json")


def answer_error(error: HubError) -> Response:
    """A HubError with its members (`details`, `retry_after`)."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    members: dict[str, Any] = {}
    if isinstance(error, errors.Invalid):
        members["details"] = error.details
    if isinstance(error, errors.TooMany | errors.Unavailable):
        members["retry_after"] = error.retry_after
    response = problem(status, error.message, **members)
    if "retry_after" in members:
        response.headers["Retry-After"] = str(members["retry_after"])
    return response


def _answer_http(error: HTTPException) -> Response:
    code = error.code or 500
    if error.response is not None or code < 400:
        return cast(Response, error.get_response())
    response = problem(code, "Body too large" if code == 413 else error.name)
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers[name] = value
    return response


def _answer_csrf(_: CSRFError) -> Response:
    return send_again(403) or problem(403, "O formulário expirou; abra a página de novo")


def _answer_database(error: Exception) -> Response:
    """A database that is away or locked: 503, ask again; never a half answer."""
    log.error("database unavailable: %s", getattr(error, "orig", error))
    _forget_session()
    return answer_error(errors.Unavailable("Database unavailable", 2))


def _answer_value(error: Exception) -> Response:
    """A number or a date beyond what a column or the calendar holds: the request's fault."""
    log.warning("value refused: %s", type(getattr(error, "orig", error)).__name__)
    _forget_session()
    return answer_error(errors.Invalid(details={"body": ["holds a value that cannot be stored"]}))


def _answer_unexpected(error: Exception) -> Response:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _answer_database(error)
    log.exception("unexpected error")
    _forget_session()
    return problem(500, "Internal server error")


def _forget_session() -> None:
    """The error page must not use the session that failed."""
    try:
        db.session.remove()
    except DBAPIError:
        log.warning("the failed session could not be closed")
