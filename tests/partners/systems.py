"""One played system: its switches, its checks, its books, and how it answers."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.web_request import BaseRequest

from tests.partners import endpoints, modes, proofs
from tests.partners.books import Book, Entry, now_ms
from tests.partners.modes import Fault
from tests.partners.rows import Answer, BadRequest, Call, Rows
from tests.partners.zapi import WhatsApp

NAMES = (
    "whatsapp",
    "crm",
    "operacao",
    "financeiro",
    "cuidadores",
    "atendimento",
    "site",
    "marketing",
    "documentos",
)
WEBHOOK_PATHS = frozenset({"/api/v1/webhooks/events", "/api/webhooks/events"})
RECEIVED = b'{"received":true}'


class System:
    """One of the nine."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.book = Book()
        self.rows = Rows()
        self.faults: list[Fault] = []
        self.secrets: list[str] = []
        self.api_key = ""
        self.whatsapp = WhatsApp() if name == "whatsapp" else None
        self._released = asyncio.Event()

    def reset(self) -> None:
        """As it was at the start: no switch, no secret, empty books."""
        self.switch([])
        self.secrets, self.api_key = [], ""
        self.book.clear()
        self.rows.clear()
        if self.whatsapp:
            self.whatsapp.clear()
            self.whatsapp.client_token = self.whatsapp.instance = self.whatsapp.token = ""

    def switch(self, faults: list[Fault]) -> None:
        """Set the switches; requests that hang or drip are cut off now."""
        self.faults = faults
        self._released.set()
        self._released = asyncio.Event()

    def refuses_all(self) -> bool:
        """Whether not even a connection should come about."""
        return any(fault.kind == "refuse" and fault.is_total() for fault in self.faults)

    def state(self) -> dict[str, Any]:
        """The system as the control API shows it."""
        shown: dict[str, Any] = {
            "mode": self.faults[0].kind if self.faults else "ok",
            "faults": [fault.as_json() for fault in self.faults],
            "checks_signature": bool(self.secrets),
            "checks_key": bool(self.api_key),
            **self.book.counters(),
        }
        return {**shown, "whatsapp": self.whatsapp.state()} if self.whatsapp else shown

    async def serve(self, path: str, request: BaseRequest) -> web.Response:
        """Write the request down and answer it, through the switch that applies to it."""
        body = await request.read()
        headers = request.headers
        entry = Entry(
            request.method,
            f"{path}?{request.rel_url.raw_query_string}"
            if request.rel_url.raw_query_string
            else path,
            request.raw_headers,
            body,
            now_ms(),
            headers.get("webhook-id", ""),
            _client_port(request),
        )
        self.book.open(entry)
        fault = self._fault_for(request.method, path, body)
        if fault is None:
            response = self._handle(path, request, body)
            self.book.close(entry, response.status)
            return response
        entry.mode = fault.kind
        status, response = await modes.play(
            fault, request, self._released, lambda: self._handle(path, request, body)
        )
        self.book.close(entry, status)
        return response

    def _fault_for(self, method: str, path: str, body: bytes) -> Fault | None:
        for fault in self.faults:
            if fault.matches(method, path, body):
                if fault.times is not None:
                    fault.times -= 1
                return None if fault.kind == "ok" else fault
        return None

    def _handle(self, path: str, request: BaseRequest, body: bytes) -> web.Response:
        """The answer of a system that works."""
        if path in WEBHOOK_PATHS and request.method == "POST":
            return self._receive(request, body)
        if not self._knows_caller(request):
            self.book.bad_signatures += 1
            return web.json_response({"error": "Invalid API key"}, status=401)
        call = Call(request.method, path, request.query, request.headers, body)
        try:
            status, document = self._answer_once(call)
        except (BadRequest, ValueError) as error:
            status, document = 400, {"error": str(error)}
        return web.json_response(document, status=status)

    def _receive(self, request: BaseRequest, body: bytes) -> web.Response:
        """Take a webhook: nothing is parsed here, tests send thousands a second."""
        if self.secrets and not proofs.is_signed(self.secrets, request.headers, body):
            self.book.bad_signatures += 1
            return web.json_response({"error": "Invalid signature"}, status=401)
        return web.Response(body=RECEIVED, content_type="application/json")

    def _knows_caller(self, request: BaseRequest) -> bool:
        if self.whatsapp:
            expected = self.whatsapp.client_token
            shown = request.headers.get("Client-Token", "")
            return bool(shown) and proofs.has_key(expected, request.headers, "Client-Token")
        return proofs.has_key(self.api_key, request.headers)

    def _answer_once(self, call: Call) -> Answer:
        """Answer; a write whose idempotency key is known gets the answer it got before."""
        if self.whatsapp:
            return self.whatsapp.answer(call)
        key = call.headers.get("Idempotency-Key", "")
        if call.method == "GET" or not key:
            return endpoints.answer(endpoints.ROUTES[self.name], self.rows, call)
        once = (call.method, call.path, key)
        if once not in self.rows.answers:
            answer = endpoints.answer(endpoints.ROUTES[self.name], self.rows, call)
            if answer[0] >= 300:
                return answer
            self.rows.answers[once] = answer
        return self.rows.answers[once]


def _client_port(request: BaseRequest) -> int:
    """The sender's port; 0 when it has already gone."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return int(peer[1]) if peer else 0
