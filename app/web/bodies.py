"""Bodies that come slowly: they may hold most of the server's threads, never all of them.

The server has no time limit for a body, so whoever sends one byte of many holds a thread until it
goes away. A proxy that reads bodies before it passes them on knows such clients; without one, pages
and health must still be answered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from app.errors import Unavailable

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
# One thread of so many reads no body.
SPARE = 4
# Seconds to wait for a place: bodies that are there already are read in far less.
PATIENCE = 0.25
RETRY_AFTER = 5


class Bodies:
    """An application in which `threads` threads cannot all wait for bodies."""

    def __init__(self, application: Application, threads: int) -> None:
        self._application = application
        self._places = threading.BoundedSemaphore(max(threads - max(threads // SPARE, 1), 1))

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH") not in (None, "", "0") or _is_chunked(environ):
            environ["wsgi.input"] = Body(environ["wsgi.input"], self._places)
        return self._application(environ, start_response)


class Body:
    """The body of one request; each read needs a place. Unavailable where none comes free."""

    def __init__(self, stream: Any, places: threading.BoundedSemaphore) -> None:
        self._stream, self._places = stream, places
        self._is_refused = False

    def read(self, *size: int) -> bytes:
        return self._in_a_place(self._stream.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._in_a_place(self._stream.readline, *size)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _in_a_place(self, read: Callable[..., bytes], *size: int) -> bytes:
        if self._is_refused or not self._places.acquire(timeout=PATIENCE):
            self._is_refused = True
            raise Unavailable("too many requests are being received; try again", RETRY_AFTER)
        try:
            return read(*size)
        finally:
            self._places.release()


def _is_chunked(environ: Environ) -> bool:
    return "HTTP_TRANSFER_ENCODING" in environ
