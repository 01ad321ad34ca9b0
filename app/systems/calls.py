"""Calls to the APIs of the systems and of Z-API over `requests`; no partner is trusted here.

One client serves all threads. What `requests` lacks is added: a deadline for the whole call, the
check of the address being connected to, a bounded answer, and proof that the answer is whole.
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import requests
from flask import current_app
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, SSLError, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from app import clock
from app.config import Network, Settings
from app.systems.rules.addresses import may_call
from app.systems.rules.answer import Answer

READ_LIMIT = 64 * 1024
READ_AT_ONCE = 64 * 1024
TEXT_KEPT = 300
KEPT_CONNECTIONS = 128
LOOK_SECONDS = 0.1
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


class BlockedAddress(OSError):
    """The address about to be connected to is one the hub may not call."""


@dataclass(eq=False)
class _Flight:
    """What is known about a call under way; the watch cuts its connection at `until`."""

    until: float
    allowed: tuple[Network, ...]
    connection: HTTPConnection | None = None
    opened: bool = False
    answered: bool = False
    late: bool = False
    error_class: str = ""

    def cut(self) -> None:
        """Wake up whoever waits for bytes of this call."""
        self.late = True
        taken = getattr(self.connection, "sock", None)
        try:
            if taken is not None:
                taken.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


_here = threading.local()


class _Watch:
    """A thread that ends calls whose time is over: socket timeouts only bound each wait."""

    def __init__(self) -> None:
        self._flights: set[_Flight] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, flight: _Flight) -> None:
        with self._changed:
            self._flights.add(flight)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="calls", daemon=True)
                self._thread.start()
            elif len(self._flights) == 1:
                self._changed.notify()

    def remove(self, flight: _Flight) -> None:
        with self._changed:
            self._flights.discard(flight)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._flights))
                now = clock.monotonic()
                late = [flight for flight in self._flights if flight.until <= now]
                self._flights.difference_update(late)
                for flight in late:
                    flight.cut()
                self._changed.wait(LOOK_SECONDS)


_watch = _Watch()


def _connected(connection: HTTPConnection) -> socket.socket:
    """A socket to the first address that may be called: the last moment to refuse, hence the
    right one (a name may resolve to something else each time it is asked for)."""
    flight: _Flight = _here.flight
    flight.error_class = "dns"
    host = connection.host.strip("[]")
    found = socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM)
    flight.error_class = "connect"
    problem: OSError = OSError("no address")
    for family, kind, protocol, _, address in found:
        if not may_call(str(address[0]), flight.allowed):
            problem = BlockedAddress(f"{address[0]} may not be called")
            continue
        try:
            return _open(family, kind, protocol, address, connection)
        except OSError as refused:
            problem = refused
    if isinstance(problem, BlockedAddress | TimeoutError):
        flight.error_class = "timeout" if isinstance(problem, TimeoutError) else "blocked_address"
    raise problem


def _open(family: int, kind: int, protocol: int, address: Any, owner: HTTPConnection) -> Any:
    """A connected socket, or OSError with nothing left open."""
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The connect timeout stands here while connecting, the read timeout afterwards.
        opened.settimeout(cast(float, owner.timeout))
        opened.connect(address)
    except OSError:
        opened.close()
        raise
    flight: _Flight = _here.flight
    flight.error_class, flight.opened = "", True
    return opened


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _here.flight.connection = self
        super().request(*args, **kwargs)


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _here.flight.connection = self
        super().request(*args, **kwargs)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class Client:
    """Calls with one pool of connections; every failure is an Answer. Timeouts in seconds."""

    def __init__(
        self, allowed: tuple[Network, ...], connect_timeout: float, timeout: float
    ) -> None:
        self._allowed = allowed
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        # The adapter alone: a session would add cookies, redirects and the environment's proxies.
        self._adapter = HTTPAdapter(pool_connections=32, pool_maxsize=KEPT_CONNECTIONS)
        pools = {"http": _PlainPool, "https": _SecurePool}
        self._adapter.poolmanager.pool_classes_by_scheme = pools

    def send(self, call: Call) -> Answer:
        """Make the call and read its answer before the deadline."""
        started = clock.monotonic()
        flight = _Flight(started + self._timeout, self._allowed)
        answer = self._once(call, flight, started)
        if call.repeatable and _was_stale(flight, answer):
            # The kept connection had been closed: most likely nobody saw the request.
            answer = self._once(call, _Flight(flight.until, self._allowed), started)
        return answer

    def _once(self, call: Call, flight: _Flight, started: float) -> Answer:
        """One request on one connection."""
        _here.flight = flight
        _watch.add(flight)
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
            _watch.remove(flight)


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


def _was_stale(flight: _Flight, answer: Answer) -> bool:
    """Whether a kept connection had been closed before a byte of an answer came."""
    kept = not flight.opened and flight.connection is not None
    return kept and not flight.answered and not flight.late and answer.error_class == "cut_off"


def _classify(problem: BaseException, flight: _Flight) -> str:
    """The error class of an exception: what the flight knows of it, else by its kind."""
    if flight.late:
        return "timeout"
    if flight.error_class:
        return flight.error_class
    for kinds, name in CLASSES:
        if isinstance(problem, kinds):
            return name
    inner = [each for each in _nested(problem) if isinstance(each, http.client.HTTPException)]
    broken = any(not isinstance(each, http.client.RemoteDisconnected) for each in inner)
    return "protocol" if broken else "cut_off"


CLASSES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((InvalidURL, InvalidSchema, MissingSchema), "invalid_url"),
    ((TooLarge,), "too_large"),
    ((SSLError,), "tls"),
    ((Timeout, TimeoutError), "timeout"),
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
