"""Connections that check the address they are about to connect to."""

from __future__ import annotations

import socket
import threading
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from app.systems.calls.deadline import Flight
from app.systems.rules.addresses import may_call

KEPT_CONNECTIONS = 128

# The call that this thread is making.
here = threading.local()


class BlockedAddress(OSError):
    """The address about to be connected to is one the hub may not call."""


def _connected(connection: HTTPConnection) -> socket.socket:
    """A socket to the first address that may be called: the last moment to refuse, hence the
    right one (a name may resolve to something else each time it is asked for)."""
    flight: Flight = here.flight
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


def _open(
    family: int, kind: int, protocol: int, address: Any, owner: HTTPConnection
) -> socket.socket:
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
    flight: Flight = here.flight
    flight.error_class, flight.opened = "", True
    return opened


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        here.flight.connection = self
        super().request(*args, **kwargs)


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        here.flight.connection = self
        super().request(*args, **kwargs)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def adapter() -> HTTPAdapter:
    """A pool of such connections for all threads.

    The adapter alone: a session would add cookies, redirects and the environment's proxies.
    """
    made = HTTPAdapter(pool_connections=32, pool_maxsize=KEPT_CONNECTIONS)
    made.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return made
