"""From a host to a connected socket: its addresses, which of them may be called, the first that
answers."""

from __future__ import annotations

import asyncio
import os
import socket
from ipaddress import ip_address
from typing import Any

import aiohappyeyeballs

from app import clock
from app.config import Network
from app.deliveries.http.outgoing import Origin
from app.deliveries.http.problems import BlockedAddress, NoAddress, NotConnected
from app.systems.rules.addresses import may_call

DNS_SECONDS = 10.0
NAMES_KEPT = 1024
# Partners with several addresses: the next one is tried too when one stays silent for so long.
NEXT_ADDRESS_SECONDS = 0.25
# Names are looked up in uvloop's thread pool, four threads by default: a few hanging name servers
# would hold up every other system. libuv reads this when the pool is first used.
os.environ.setdefault("UV_THREADPOOL_SIZE", "64")

Address = tuple[Any, ...]


class Reach:
    """Opens sockets for one loop; names are remembered for a few seconds."""

    def __init__(self, allowed: tuple[Network, ...]) -> None:
        self._allowed = allowed
        self._kept: dict[Origin, tuple[float, list[Address]]] = {}
        self._asked: dict[Origin, asyncio.Future[list[Address]]] = {}

    async def connect(self, origin: Origin) -> socket.socket:
        """A connected socket; NoAddress, BlockedAddress, NotConnected.

        What is judged is the very address that is connected to: a name may resolve to something
        else each time it is asked for.
        """
        found = await self._addresses(origin)
        open_to_us = [address for address in found if may_call(address[4][0], self._allowed)]
        if not open_to_us:
            raise BlockedAddress(f"{found[0][4][0]} may not be called")
        try:
            return await aiohappyeyeballs.start_connection(
                open_to_us, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS, interleave=1
            )
        except OSError as problem:
            raise NotConnected(problem.strerror or str(problem)) from None

    async def _addresses(self, origin: Origin) -> list[Address]:
        literal = _literal(origin)
        if literal is not None:
            return [literal]
        until, found = self._kept.get(origin, (0.0, []))
        if clock.monotonic() < until:
            return found
        if origin not in self._asked:
            self._asked[origin] = asyncio.ensure_future(self._look_up(origin))
        # Others may wait for the same name: whoever gives up must not take it from them.
        return await asyncio.shield(self._asked[origin])

    async def _look_up(self, origin: Origin) -> list[Address]:
        try:
            found: list[Address] = await asyncio.get_running_loop().getaddrinfo(
                origin.host, origin.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
            )
        except (OSError, UnicodeError) as problem:
            raise NoAddress(str(problem)) from None
        finally:
            del self._asked[origin]
        if not found:
            raise NoAddress("the name has no address")
        while len(self._kept) >= NAMES_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[origin] = clock.monotonic() + DNS_SECONDS, found
        return found


def _literal(origin: Origin) -> Address | None:
    """The one address that a host spells out by itself, None for a name."""
    try:
        ip = ip_address(origin.host)
    except ValueError:
        return None
    if ip.version == 4:
        where: tuple[Any, ...] = (origin.host, origin.port)
        return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where)
    where = (origin.host, origin.port, 0, 0)
    return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where)
