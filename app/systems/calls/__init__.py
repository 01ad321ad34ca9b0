"""Calls to the APIs of the systems and of Z-API over `requests`; no partner is trusted here.

One client serves all threads. What `requests` lacks is added: a deadline for the whole call, the
check of the address being connected to, a bounded answer, and proof that the answer is whole.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3
from flask import current_app
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, SSLError, Timeout

from app import clock
from app.config import Network, Settings
from app.systems.calls.connection import adapter, here
from app.systems.calls.deadline import Flight, watch
from app.systems.rules.answer import Answer

READ_LIMIT = 64 * 1024
READ_AT_ONCE = 64 * 1024
TEXT_KEPT = 300
HEADERS_KEPT = ("Content-Type", "Retry-After", "Location", "Server", "X-Request-ID")
STANDING_HEADERS = {
    "User-Agent": "carinho-integracoes",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request ready to leave; an answer of more than `read_limit` bytes is refused.

    `repeatable`: whether it may be sent once more when a kept connection turns out to be closed
    before a word of the answer (right for reads and for writes with an Idempotency-Key).
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    read_limit: int = READ_LIMIT
    repeatable: bool = True


class TooLarge(Exception):
    """The answer has more bytes than are read."""


class NotWhole(Exception):
    """The answer broke off."""


class Client:
    """Calls with one pool of connections; every failure is an Answer. Timeouts in seconds."""

    def __init__(
        self, allowed: tuple[Network, ...], connect_timeout: float, timeout: float
    ) -> None:
        self._allowed = allowed
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._adapter = adapter()

    def send(self, call: Call) -> Answer:
        """Make the call and read its answer before the deadline."""
        started = clock.monotonic()
        flight = Flight(started + self._timeout, self._allowed)
        answer = self._once(call, flight, started)
        if call.repeatable and _was_stale(flight, answer):
            # The kept connection had been closed: most likely nobody saw the request.
            answer = self._once(call, Flight(flight.until, self._allowed), started)
        return answer

    def _once(self, call: Call, flight: Flight, started: float) -> Answer:
        """One request on one connection."""
        here.flight = flight
        watch.add(flight)
        try:
            response = self._adapter.send(
                _prepared(call), stream=True, timeout=(self._connect_timeout, self._timeout)
            )
            flight.answered = True
            try:
                body = b"".join(_read(response, call.read_limit))
            finally:
                response.close()
            if flight.late:
                return _answer(response, b"", started, "timeout", "the deadline is over")
            return _answer(response, body, started)
        except Exception as problem:  # noqa: BLE001 - whatever a partner does is an answer
            text = _clean(str(problem) or type(problem).__name__)
            return _answer(None, b"", started, _classify(problem, flight), text)
        finally:
            watch.remove(flight)


def client() -> Client:
    """The client of this process, made on first use; its timeouts are those of calls."""
    extensions: dict[str, Any] = current_app.extensions
    if "calls" not in extensions:
        settings: Settings = extensions["settings"]
        extensions["calls"] = Client(
            settings.allowed_networks, settings.call_connect_timeout, settings.call_timeout
        )
    made: Client = extensions["calls"]
    return made


def _prepared(call: Call) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    headers = {**STANDING_HEADERS, **call.headers}
    prepared.prepare(method=call.method, url=call.url, headers=headers, data=call.body)
    return prepared


def _read(response: requests.Response, limit: int) -> Iterator[bytes]:
    """The answer to its end, which proves that it is whole, but never past the limit."""
    headers, length = response.headers, 0
    framed = "Content-Length" in headers or "chunked" in headers.get("Transfer-Encoding", "")
    closes = headers.get("Connection", "").lower() == "close"
    if not (framed or closes or response.status_code in (204, 304)):
        raise NotWhole("the answer broke off in its headers")
    while piece := response.raw.read(READ_AT_ONCE, decode_content=False):
        length += len(piece)
        if length > limit:
            raise TooLarge(f"the answer is larger than {limit // 1024} KiB")
        yield piece


def _was_stale(flight: Flight, answer: Answer) -> bool:
    """Whether a kept connection had been closed before a byte of an answer came."""
    kept = not flight.opened and flight.connection is not None
    return kept and not flight.answered and not flight.late and answer.error_class == "cut_off"


def _classify(problem: BaseException, flight: Flight) -> str:
    """The error class of an exception: what the flight knows of it, else by its kind."""
    if flight.late:
        return "timeout"
    if flight.error_class:
        return flight.error_class
    for kinds, name in CLASSES:
        if isinstance(problem, kinds):
            return name
    inner = [each for each in _nested(problem) if isinstance(each, http.client.HTTPException)]
    broken = any(not isinstance(each, BROKEN_OFF) for each in inner)
    return "protocol" if broken else "cut_off"


BROKEN_OFF = (http.client.RemoteDisconnected, http.client.IncompleteRead)
CLASSES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((InvalidURL, InvalidSchema, MissingSchema), "invalid_url"),
    ((TooLarge,), "too_large"),
    ((SSLError,), "tls"),
    ((Timeout, TimeoutError, urllib3.exceptions.TimeoutError), "timeout"),
)


def _nested(problem: object) -> Iterator[object]:
    """An exception and those it carries."""
    yield problem
    for each in getattr(problem, "args", ()):
        if isinstance(each, BaseException):
            yield from _nested(each)


def _answer(
    response: requests.Response | None,
    body: bytes,
    started: float,
    error_class: str = "",
    error: str = "",
) -> Answer:
    headers = response.headers if response is not None else {}
    return Answer(
        status=None if response is None else response.status_code,
        body=body,
        headers={name: _clean(headers[name]) for name in HEADERS_KEPT if name in headers},
        latency_ms=round((clock.monotonic() - started) * 1000),
        error_class=error_class,
        error=error,
    )


def _clean(text: str) -> str:
    """A partner's text, bounded, and such as a database and a log line take."""
    visible = "".join(char if char.isprintable() else "?" for char in text[:TEXT_KEPT])
    return visible.encode("utf-8", "replace").decode()
