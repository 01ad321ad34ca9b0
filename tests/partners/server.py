"""The HTTP server: one port for all systems by path, and if wanted one more for each."""

import asyncio
import socket
from functools import partial

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from tests.partners.control import Control
from tests.partners.modes import reset
from tests.partners.systems import NAMES, System

LOOPBACK = "127.0.0.1"
BACKLOG = 2_048
# A full body of the hub (1 MiB) plus the members that it adds.
MOST_BYTES = 8 * 1024 * 1024


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> BaseRequest:
    loop = asyncio.get_running_loop()
    return BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MOST_BYTES)


class Listener:
    """A port of one system that can really stop listening and come back."""

    def __init__(self, system: System) -> None:
        self._web = web.Server(
            partial(_serve_own, system), request_factory=_request, handler_cancellation=True
        )
        # Bound but never listening: keeps the port ours while it refuses connections.
        self._holder = _bound(0)
        self.port: int = self._holder.getsockname()[1]
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen; doing it twice is harmless."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            bound = _bound(self.port)
            self._server = await loop.create_server(self._web, sock=bound, backlog=BACKLOG)

    def shut(self) -> None:
        """Refuse connections from now on, and cut those that are open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in self._web.connections:
            if connection.transport is not None:
                reset(connection.transport)


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((LOOPBACK, port))
    return bound


async def _serve_own(system: System, request: BaseRequest) -> web.StreamResponse:
    return await system.serve(request.path, request)


class PartnerServer:
    """All nine systems behind one port."""

    def __init__(self) -> None:
        self.systems = {name: System(name) for name in NAMES}
        self.listeners: dict[str, Listener] = {}
        self.control = Control(self.systems, self.after_switch)
        self.port = 0

    async def start(self, port: int, own_ports: bool = False) -> None:
        """Listen on the loopback address; port 0 takes any free one."""
        server = web.Server(self._serve, request_factory=_request, handler_cancellation=True)
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(server, LOOPBACK, port, backlog=BACKLOG)
        self.port = listening.sockets[0].getsockname()[1]
        for name, system in self.systems.items() if own_ports else ():
            self.listeners[name] = Listener(system)
            await self.listeners[name].open()
        self.control.urls = self.urls()

    def urls(self) -> dict[str, str]:
        """The base URL of each system: its own port where it has one."""
        by_path = {name: f"http://{LOOPBACK}:{self.port}/{name}" for name in self.systems}
        own = {name: f"http://{LOOPBACK}:{one.port}" for name, one in self.listeners.items()}
        return {**by_path, **own}

    async def after_switch(self) -> None:
        """Open and shut the own ports as the switches say."""
        for name, listener in self.listeners.items():
            if self.systems[name].refuses_all():
                listener.shut()
            else:
                await listener.open()

    async def _serve(self, request: BaseRequest) -> web.StreamResponse:
        name, _, rest = request.path[1:].partition("/")
        system = self.systems.get(name)
        if system is not None:
            return await system.serve(f"/{rest}", request)
        if name == "_partners":
            return await self.control.answer(rest, request)
        return web.json_response({"error": "No such system"}, status=404)
