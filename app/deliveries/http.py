"""The one file that speaks HTTP to the outside for deliveries; no partner is trusted here."""

from __future__ import annotations

import math
import os
import socket
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from app import clock
from app.config import Network
from app.systems.rules.addresses import may_call
from app.systems.rules.answer import Answer

READ_LIMIT = 64 * 1024
BODY_KEPT = 8 * 1024
TEXT_KEPT = 300
HEADERS_READ = 64
DNS_SECONDS = 10
KEEP_ALIVE_SECONDS = 15.0
HEADERS_KEPT = ("Content-Type", "Retry-After", "Location", "Server", "X-Request-ID")
STANDING_HEADERS = {
    "User-Agent": "carinho-integracoes",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}
# Names are looked up in uvloop's thread pool, four threads by default: a few hanging name servers
# would hold up every other system. libuv reads this when the pool is first used.
os.environ.setdefault("UV_THREADPOOL_SIZE", "64")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request ready to leave; timeouts in seconds, `timeout` covers all of it.

    `kept`: so many bytes of the answer's body are handed back.
    """

    url: str
    body: bytes
    headers: Mapping[str, str]
    connect_timeout: float
    timeout: float
    method: str = "POST"
    kept: int = BODY_KEPT


class TooLarge(Exception):
    """The answer has more bytes than are read."""


class BlockedAddress(OSError):
    """The address about to be connected to is one the hub may not call."""


@dataclass(slots=True)
class _Flight:
    """What is known about a request under way."""

    kept: int
    opened: bool = False
    blocked: bool = False
    response: aiohttp.ClientResponse | None = None
    body: bytearray = field(default_factory=bytearray)


_flight: ContextVar[_Flight] = ContextVar("flight")


class _Connector(aiohttp.TCPConnector):
    """Never hands out a kept connection on which bytes arrived that nobody asked for."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: Any,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature of the parent
    ) -> aiohttp.connector.Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            # A stray answer left there would be taken for the answer to this request.
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


class Sender:
    """One pool of connections for one event loop; open it with `async with`."""

    def __init__(
        self, allowed: tuple[Network, ...] = (), tls: ssl.SSLContext | None = None
    ) -> None:
        self._allowed = allowed
        self._tls = tls or ssl.create_default_context()
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        connector = _Connector(
            limit=0,
            ssl=self._tls,
            ttl_dns_cache=DNS_SECONDS,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            socket_factory=self._open_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=STANDING_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            max_headers=HEADERS_READ,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def send(self, out: Outgoing) -> Answer:
        """Send and read the answer within the deadline; every failure is an Answer.

        Only cancellation comes out as an exception.
        """
        started = clock.monotonic()
        flight = _Flight(out.kept)
        _flight.set(flight)
        try:
            try:
                await self._exchange(out, flight, out.timeout)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as problem:
                left = out.timeout - (clock.monotonic() - started)
                if not _was_stale(flight, problem) or left <= 0:
                    raise
                await self._exchange(out, flight, left)
        except Exception as problem:  # noqa: BLE001 - whatever a partner does is an answer
            return _failure(problem, flight, _since(started))
        return _answer(flight, _since(started))

    async def _exchange(self, out: Outgoing, flight: _Flight, seconds: float) -> None:
        """One request on one connection; the connection is kept only after a whole answer."""
        response = flight.response = await self._session.request(
            out.method,
            _url(out.url),
            data=out.body,
            headers=out.headers,
            allow_redirects=False,
            timeout=_limits(out.connect_timeout, seconds),
        )
        try:
            await _read(response.content, flight.body)
        finally:
            response.close()

    def _open_socket(self, address: tuple[Any, ...]) -> socket.socket:
        """The socket for an address already resolved: the last moment to refuse, hence the right
        one (a name may resolve to something else each time it is asked for)."""
        family, kind, protocol, _, target = address
        flight = _flight.get()
        if not may_call(target[0], self._allowed):
            flight.blocked = True
            raise BlockedAddress(f"{target[0]} may not be called")
        flight.opened = True
        return socket.socket(family, kind, protocol)


async def _read(stream: aiohttp.StreamReader, body: bytearray) -> None:
    """Read an answer to its end, which proves that it is whole, but never past the limit."""
    while not stream.at_eof():
        body += await stream.readany()
        if len(body) > READ_LIMIT:
            raise TooLarge(f"the answer is larger than {READ_LIMIT // 1024} KiB")


@lru_cache(maxsize=1024)
def _url(url: str) -> URL:
    return URL(url)


@lru_cache(maxsize=256)
def _limits(connect: float, total: float) -> aiohttp.ClientTimeout:
    # Above `ceil_threshold` deadlines are rounded up to whole seconds.
    return aiohttp.ClientTimeout(total=total, connect=connect, ceil_threshold=math.inf)


def _since(started: float) -> int:
    return round((clock.monotonic() - started) * 1000)


def _was_stale(flight: _Flight, problem: Exception) -> bool:
    """Whether a kept connection had been closed before a byte of an answer came.

    Asking again on a fresh one is right then: the partner most likely never saw the request, and
    if it did, the message id is the same.
    """
    partial = isinstance(problem, aiohttp.ServerDisconnectedError) and not isinstance(
        problem.message, str
    )
    return not flight.opened and flight.response is None and not partial


def _answer(flight: _Flight, latency: int, error_class: str = "", error: str = "") -> Answer:
    """The answer as far as it came."""
    response = flight.response
    return Answer(
        status=None if response is None else response.status,
        body=bytes(flight.body[: flight.kept]),
        headers={} if response is None else _kept(response.headers),
        latency_ms=latency,
        error_class=error_class,
        error=error,
    )


def _failure(problem: Exception, flight: _Flight, latency: int) -> Answer:
    """An exception as an answer."""
    error_class = _classify(problem, flight)
    text = str(problem) or type(problem).__name__
    if error_class == "timeout" and not isinstance(problem, aiohttp.ConnectionTimeoutError):
        text = "no whole answer before the deadline"
    return _answer(flight, latency, error_class, _clean(text))


# The first that fits decides: the order is from the narrow to the wide.
CLASSES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (TooLarge, "too_large"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientConnectorError, "connect"),
    (aiohttp.InvalidURL, "invalid_url"),
    (aiohttp.ServerDisconnectedError, "cut_off"),
    (aiohttp.ClientOSError, "cut_off"),
    (aiohttp.ClientPayloadError, "cut_off"),
)


def _classify(problem: Exception, flight: _Flight) -> str:
    """The error class of an exception."""
    if flight.blocked and not flight.opened:
        return "blocked_address"
    return next((name for kind, name in CLASSES if isinstance(problem, kind)), "protocol")


def _kept(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """The few headers worth keeping, safe to store."""
    return {name: _clean(headers[name]) for name in HEADERS_KEPT if name in headers}


def _clean(text: str) -> str:
    """A partner's text, bounded, and such as a database and a log line take."""
    short = text[:TEXT_KEPT]
    if short.isascii() and short.isprintable():
        return short
    visible = "".join(char if char.isprintable() else "?" for char in short)
    return visible.encode("utf-8", "replace").decode()
