"""The way from the partners to the hub: signed webhooks and events with an API key."""

import asyncio
import json
import time
from collections.abc import Mapping

import aiohttp

from tests.partners.proofs import hex_signature
from tests.partners.rows import Row

# How long after a message leaves its ticks arrive, in seconds.
TICKS = (("SENT", 0.1), ("RECEIVED", 0.4), ("READ", 1.0))


class Hub:
    """Where the hub is and what the systems prove themselves with; unknown means: stay quiet."""

    def __init__(self) -> None:
        self.forget()
        self._session: aiohttp.ClientSession | None = None
        self._running: set[asyncio.Task[int]] = set()

    def forget(self) -> None:
        """Send nothing any more."""
        self.url = self.api_key = ""
        self.secrets: dict[str, str] = {}

    def point_to(
        self, url: str | None, api_key: str | None, secrets: Mapping[str, str] | None
    ) -> None:
        """Learn the address, the key and the secret per system ("*" for all others)."""
        self.url = url.rstrip("/") if url is not None else self.url
        self.api_key = api_key if api_key is not None else self.api_key
        self.secrets.update(secrets or {})

    async def post_event(self, event: Row) -> int:
        """POST /api/events; the status, 0 when the hub was not reached."""
        return await self._post("/api/events", event, {"X-API-Key": self.api_key})

    async def post_webhook(self, system: str, path: str, document: Row) -> int:
        """POST a signed webhook; the status, 0 when the hub was not reached."""
        secret = self.secrets.get(system, self.secrets.get("*", ""))
        body = json.dumps(document, ensure_ascii=False).encode()
        headers = {"X-Webhook-Signature": hex_signature(secret, body)} if secret else {}
        return await self._post(path, body, headers)

    def report_message(self, message: Row) -> None:
        """Tell the hub of a WhatsApp message that left: its ticks, one after another."""
        ids = {"phone": message["phone"], "zaapId": message["zaapId"]}
        delivered = {"type": "DeliveryCallback", "messageId": message["messageId"], **ids}
        self._later(0.0, delivered)
        for status, seconds in TICKS:
            tick = {"ids": [message["messageId"]], "status": status, "phone": message["phone"]}
            self._later(seconds, {"type": "MessageStatusCallback", **tick})

    def report_connection(self, change: Row) -> None:
        """Tell the hub that the phone came or went (the provider counts seconds when it goes)."""
        seconds = int(time.time())
        lost = change["type"] == "DisconnectedCallback"
        self._later(0.0, {**change, "momment": seconds if lost else seconds * 1_000})

    def _later(self, seconds: float, callback: Row) -> None:
        if self.url:
            task = asyncio.ensure_future(self._report(seconds, callback))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _report(self, seconds: float, callback: Row) -> int:
        await asyncio.sleep(seconds)
        document = {"instanceId": "PARTNERS", "momment": int(time.time() * 1_000), **callback}
        return await self.post_webhook("whatsapp", "/webhooks/whatsapp/status", document)

    async def _post(self, path: str, document: Row | bytes, headers: dict[str, str]) -> int:
        if not self.url:
            return 0
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=10)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = {"Content-Type": "application/json", **headers}
        try:
            async with self._session.post(self.url + path, data=body, headers=headers) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
