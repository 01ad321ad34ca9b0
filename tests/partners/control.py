"""The control API under /_partners/: switches, secrets and books at run time."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.web_request import BaseRequest

from tests.partners import seeds, ui
from tests.partners.hub import Hub
from tests.partners.mail import Letters
from tests.partners.modes import Fault, UnknownMode
from tests.partners.systems import System
from tests.partners.trickle import Trickle

Values = dict[str, Any]
PAGE_FILES = Path(__file__).parent


class Control:
    """Answers /_partners/…"""

    def __init__(
        self, systems: dict[str, System], after_switch: Callable[[], Awaitable[None]]
    ) -> None:
        self.systems = systems
        self.urls: dict[str, str] = {}
        self.hub = Hub()
        self.trickle = Trickle(self.hub)
        self.letters = Letters()
        self._after_switch = after_switch
        whatsapp = systems["whatsapp"].whatsapp
        if whatsapp:
            whatsapp.on_sent = self.hub.report_message
            whatsapp.on_connection = self.hub.report_connection

    async def answer(self, path: str, request: BaseRequest) -> web.Response:
        """One request to the control API or the switch page."""
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return _error(403, "Not from another site")
        try:
            return await self._dispatch(path.strip("/"), request)
        except (UnknownMode, ValueError, TypeError) as error:
            return _error(400, f"{type(error).__name__}: {error}")

    async def _dispatch(self, path: str, request: BaseRequest) -> web.Response:
        name, _, what = path.partition("/")
        if name == "ui":
            return await self._page(what, request)
        if name in self.systems:
            return await self._system(self.systems[name], what, request)
        action = {
            ("GET", ""): self._show,
            ("POST", "reset"): self._reset,
            ("POST", "seed"): self._seed,
            ("POST", "hub"): self._set_hub,
            ("POST", "events"): self._send_events,
        }.get((request.method, path))
        return await action(request) if action else _error(404, "Not found")

    async def _show(self, request: BaseRequest) -> web.Response:
        return web.json_response(self.state())

    def state(self) -> Values:
        """Everything at a glance."""
        return {
            "systems": {
                name: {"url": self.urls.get(name), **system.state()}
                for name, system in self.systems.items()
            },
            "trickle": self.trickle.state(),
            "letters": list(self.letters.last),
        }

    async def _reset(self, request: BaseRequest) -> web.Response:
        self.trickle.rate = 0.0
        self.hub.forget()
        for system in self.systems.values():
            system.reset()
        await self._after_switch()
        return web.json_response({"reset": True})

    async def _seed(self, request: BaseRequest) -> web.Response:
        values = await _read(request)
        return web.json_response(self.sow(values, int(values.get("seed", 1))))

    def sow(self, counts: Values, seed: int) -> dict[str, int]:
        """Let so many items of each kind wait for the syncs."""
        books = {name: system.rows for name, system in self.systems.items()}
        return seeds.sow(books, counts, seed)

    async def _set_hub(self, request: BaseRequest) -> web.Response:
        values = await _read(request)
        self.hub.point_to(values.get("url"), values.get("api_key"), values.get("secrets"))
        self.trickle.set(values.get("rate"), values.get("seed"))
        return web.json_response(self.trickle.state())

    async def _send_events(self, request: BaseRequest) -> web.Response:
        values = await _read(request)
        return web.json_response({"statuses": await self.trickle.send(int(values.get("n", 1)))})

    async def _system(self, system: System, what: str, request: BaseRequest) -> web.Response:
        action = _ACTIONS.get((request.method, what))
        if action is None:
            return _error(404, "Not found")
        document = action(system, await _read(request))
        await self._after_switch()
        return web.json_response(document)

    async def _page(self, what: str, request: BaseRequest) -> web.Response:
        if what == "style.css":
            css = (PAGE_FILES / "ui.css").read_text("utf-8")
            return web.Response(text=css, content_type="text/css")
        if request.method == "POST":
            await self._press(what, await _read(request))
            return web.Response(status=303, headers={"Location": "/_partners/ui"})
        return web.Response(text=ui.page(self.state()), content_type="text/html")

    async def _press(self, what: str, values: Values) -> None:
        """A button of the page: the same actions as the API."""
        if what in self.systems:
            action = "connection" if "connected" in values else "mode"
            _ACTIONS["POST", action](self.systems[what], values)
            await self._after_switch()
        elif what == "trickle":
            self.trickle.set(values.get("rate"), None)
        elif what == "send":
            await self.trickle.send(int(values.get("n") or 1))


def _set_mode(system: System, values: Values) -> Values:
    kind = str(values.get("mode", "ok"))
    if system.whatsapp and kind in ("connect", "disconnect"):
        return _set_connection(system, {**values, "connected": kind == "connect"})
    fault = Fault.read(values)
    kept = system.faults if values.get("add") else []
    quiet = fault.kind == "ok" and fault.is_total()
    system.switch(kept if quiet else [*kept, fault])
    return system.state()


def _set_connection(system: System, values: Values) -> Values:
    if not system.whatsapp:
        raise ValueError("only whatsapp has a connection")
    if _is_true(values.get("connected", True)):
        system.whatsapp.connect()
    else:
        system.whatsapp.disconnect(_is_true(values.get("restorable", True)))
    return system.state()


def _set_secret(system: System, values: Values) -> Values:
    given = values.get("secrets", values.get("secret"))
    system.secrets = [given] if isinstance(given, str) and given else list(given or [])
    return system.state()


def _set_api_key(system: System, values: Values) -> Values:
    if system.whatsapp:
        system.whatsapp.client_token = values.get("key", system.whatsapp.client_token)
        system.whatsapp.instance = values.get("instance", system.whatsapp.instance)
        system.whatsapp.token = values.get("token", system.whatsapp.token)
    else:
        system.api_key = str(values.get("key", ""))
    return system.state()


def _show_book(system: System, values: Values) -> Values:
    limit = int(values.get("limit", 1_000))
    path, method = str(values.get("path", "")), str(values.get("method", "")).upper()
    return {"requests": system.book.last(limit, path, method), **system.book.counters()}


def _clear_book(system: System, values: Values) -> Values:
    system.book.clear()
    return system.state()


def _show_messages(system: System, values: Values) -> Values:
    return dict(system.book.accepted_by_id)


def _show_rows(system: System, values: Values) -> Values:
    if system.whatsapp:
        return {"sent": system.whatsapp.sent, "waiting": list(system.whatsapp.queue.values())}
    return system.rows.dump()


_ACTIONS: dict[tuple[str, str], Callable[[System, Values], Values]] = {
    ("GET", ""): lambda system, values: system.state(),
    ("POST", "mode"): _set_mode,
    ("POST", "connection"): _set_connection,
    ("POST", "secret"): _set_secret,
    ("POST", "api-key"): _set_api_key,
    ("GET", "book"): _show_book,
    ("DELETE", "book"): _clear_book,
    ("GET", "messages"): _show_messages,
    ("GET", "rows"): _show_rows,
}


async def _read(request: BaseRequest) -> Values:
    """The values of a request: its query, its form or its JSON body."""
    if request.method == "GET":
        return dict(request.query)
    body = (await request.read()).strip()
    # curl -d calls its JSON a form, so the body itself decides.
    if body and not body.startswith((b"{", b"[")):
        return dict(await request.post())
    values = json.loads(body or b"{}")
    if not isinstance(values, dict):
        raise TypeError("a JSON object is expected")
    return values


def _is_true(value: object) -> bool:
    return value not in (False, 0, None, "", "0", "false", "no")


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
