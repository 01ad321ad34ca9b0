"""Guards of every request: host, origin, forgery, and the headers each answer carries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app
from flask_wtf.csrf import CSRFProtect
from htmx_flask import request

from app.config import Settings
from app.errors import Forbidden, Invalid, NotFound

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "manifest-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NO_HOST = frozenset("@/?#\\, ")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    """Check every request before its view, and finish every answer."""
    app.config.update(
        # Tokens live as long as the session, and are checked where a session acts.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=False,
    )
    csrf.init_app(app)
    app.before_request(_check_host)
    app.before_request(_check_origin)
    app.before_request(_check_address)
    app.after_request(_finish)


def client_address() -> str:
    """Address of the client; '' when a proxy we were not told of stands before us.

    Behind an unknown proxy everything would look like loopback, and loopback is trusted.
    """
    return address_of(request.environ, current_app.extensions["settings"])


def address_of(environ: Mapping[str, Any], settings: Settings) -> str:
    """As client_address, before Flask has a request."""
    hidden = is_forwarded(environ) and not settings.trusted_proxies
    return "" if hidden else str(environ.get("REMOTE_ADDR") or "")


def is_forwarded(environ: Mapping[str, Any]) -> bool:
    """Whether somebody stands between the client and us, or says so."""
    return "HTTP_X_FORWARDED_FOR" in environ or "HTTP_FORWARDED" in environ


def protect_from_forgery() -> None:
    """Check the CSRF token of an unsafe request; called wherever a browser session acts."""
    if request.method not in SAFE:
        csrf.protect()


def _check_host() -> None:
    """Refuse unknown Host names: DNS rebinding would make a browser our 'loopback' client."""
    if not is_known_host(request.host, current_app.extensions["settings"]):
        raise Forbidden("Unknown host")


def is_known_host(host: str, settings: Settings) -> bool:
    """Whether a Host header names us."""
    name = _name_of(host)
    if name in LOOPBACK or name == settings.host or name in settings.allowed_hosts:
        return True
    return bool(settings.public_url) and name == (urlsplit(settings.public_url).hostname or "")


@lru_cache(maxsize=256)
def _name_of(host: str) -> str:
    """The name without the port; '' where there is none or more than that."""
    if not NO_HOST.isdisjoint(host):
        return ""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _check_origin() -> None:
    """Refuse unsafe requests that a browser sends on behalf of another site."""
    if request.method in SAFE:
        return
    if request.headers.get("Sec-Fetch-Site") not in (None, "same-origin", "none"):
        raise Forbidden("Cross-site request refused")
    origin = request.headers.get("Origin")
    if origin is not None and origin not in (f"http://{request.host}", f"https://{request.host}"):
        raise Forbidden("Cross-site request refused")


def _check_address() -> None:
    """Refuse NUL in a path or a query: nothing is named so, and PostgreSQL takes it in no value.

    What is meant to prove a webhook is judged at its own door, and stored nowhere.
    """
    if "\0" in request.path:
        raise NotFound("Not found")
    if request.path.startswith("/webhooks/"):
        return
    if odd := [name for name, text in request.args.items() if "\0" in name + text]:
        raise Invalid(details={name: ["contains the NUL character"] for name in odd})


def _finish(response: Response) -> Response:
    """Security headers everywhere; what operators see is never cached nor mixed up."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.update(("HX-Request", "HX-Request-Type", "Accept"))
    return response
