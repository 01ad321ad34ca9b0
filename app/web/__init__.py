"""How the hub answers: one choice of rendering, one error contract, the guards of every request."""

from __future__ import annotations

from flask import Flask
from flask_babel import Babel
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix

from app.web import guards, packing, problems, shortcuts
from app.web.again import send_again
from app.web.answers import answer, done, is_htmx, live, wants_html, wants_part
from app.web.bodies import Bodies
from app.web.guards import client_address, is_forwarded, protect_from_forgery
from app.web.inputs import arguments, body, validate

__all__ = [
    "answer",
    "arguments",
    "body",
    "client_address",
    "done",
    "is_forwarded",
    "is_htmx",
    "live",
    "protect_from_forgery",
    "send_again",
    "validate",
    "wants_html",
    "wants_part",
]

babel = Babel()


def init_app(app: Flask) -> None:
    """Install guards, headers, translations and the error contract."""
    settings = app.extensions["settings"]
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_body_bytes,
        SESSION_COOKIE_NAME="__Host-hub" if settings.production else "hub",
        SESSION_COOKIE_SECURE=settings.production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        BABEL_DEFAULT_LOCALE="pt_BR",
        BABEL_DEFAULT_TIMEZONE=settings.timezone,
    )
    shortcuts.init_app(app)
    if hops := settings.trusted_proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
        app.wsgi_app = proxied  # type: ignore[method-assign]
    app.wsgi_app = Bodies(app.wsgi_app, settings.web_threads)  # type: ignore[method-assign]
    Htmx(app)
    babel.init_app(app)
    guards.init_app(app)
    problems.init_app(app)
    packing.init_app(app)
