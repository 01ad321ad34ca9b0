"""Short ways for hot routes: they may answer a request before Flask sees it, or leave it to Flask.

A short way only says yes. Whatever it is not sure of or finds wrong goes the long way, which has
all guards and knows every refusal; so there is one place for each of them. Answers are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

from flask import Flask, Response, g

from app.errors import HubError
from app.numbers import whole
from app.web.guards import address_of, is_known_host

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

# A browser says where it comes from, and what it says is looked at by the guards.
BROWSERS = ("HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_HX_REQUEST")


@dataclass(frozen=True, slots=True)
class Request:
    """What a short way needs to know."""

    environ: Environ
    body: bytes
    address: str

    def header(self, name: str) -> str | None:
        """A header by its CGI name (X_API_KEY)."""
        return cast("str | None", self.environ.get(f"HTTP_{name}"))


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON, with what it carries beside the headers of every answer."""

    status: str
    body: bytes
    headers: list[tuple[str, str]]


class Refusal(Exception):
    """What went wrong after the point of no return; `noted` is what the hooks look for in g."""

    def __init__(self, error: Exception, **noted: Any) -> None:
        super().__init__(str(error))
        self.error, self.noted = error, noted


ShortWay = Callable[[Request], Answer | None]


class Shortcuts:
    """The application with its short ways by (method, path)."""

    def __init__(self, app: Flask) -> None:
        self.ways: dict[tuple[str, str], ShortWay] = {}
        self._app, self._long = app, app.wsgi_app
        self._settings = app.extensions["settings"]
        self._headers: dict[str, list[tuple[str, str]]] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        way = self.ways.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if way is None:
            return self._long(environ, start_response)
        try:
            request = self._read(environ)
            answer = way(request) if request else None
        except HubError:
            answer = None
        except Refusal as refusal:
            return self._refuse(environ, refusal)(environ, start_response)
        if answer is None:
            return self._long(environ, start_response)
        length = ("Content-Length", str(len(answer.body)))
        start_response(answer.status, [*self._every(environ), length, *answer.headers])
        return (answer.body,)

    def _read(self, environ: Environ) -> Request | None:
        """The request, if nothing about it wants a closer look."""
        length = whole(environ.get("CONTENT_LENGTH") or "")
        if length is None or length > self._settings.max_body_bytes:
            return None
        if any(name in environ for name in BROWSERS):
            return None
        if not is_known_host(environ.get("HTTP_HOST", ""), self._settings):
            return None
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = BytesIO(body)
        return Request(environ, body, address_of(environ, self._settings))

    def _every(self, environ: Environ) -> list[tuple[str, str]]:
        """The headers that the hooks give to every JSON answer."""
        scheme = environ["wsgi.url_scheme"]
        if scheme not in self._headers:
            with self._app.test_request_context(base_url=f"{scheme}://localhost"):
                empty = Response(content_type="application/json")
                made = self._app.process_response(empty).headers
            self._headers[scheme] = [pair for pair in made if pair[0] != "Content-Length"]
        return self._headers[scheme]

    def _refuse(self, environ: Environ, refusal: Refusal) -> Response:
        """The error as the long way would answer it."""
        with self._app.request_context(environ):
            for name, value in refusal.noted.items():
                setattr(g, name, value)
            told = self._app.handle_user_exception(refusal.error)
            return self._app.process_response(self._app.make_response(told))


def shortcuts(app: Flask) -> Shortcuts:
    """The short ways of the application."""
    return cast(Shortcuts, app.extensions["shortcuts"])


def init_app(app: Flask) -> None:
    """Put the short ways before the application, behind the proxy's headers."""
    app.extensions["shortcuts"] = app.wsgi_app = Shortcuts(app)  # type: ignore[method-assign]
