"""How a row leaves, by its kind: a signed webhook, a call to a system's API, or a carrier."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from app.config import Settings
from app.deliveries.actions.claim import Claimed
from app.deliveries.actions.record import Tried
from app.deliveries.http import BODY_KEPT, READ_LIMIT, Outgoing, Sender
from app.deliveries.jobs.carriers import Carriers
from app.deliveries.models import CALL, WEBHOOK
from app.deliveries.rules.call import Call, headers_of_call, judged
from app.deliveries.rules.message import headers_of, logged
from app.deliveries.rules.retry import parse_retry_after
from app.systems.queries.snapshot import KnownSystem, Target
from app.systems.rules.answer import Answer


class Flown(Struct, frozen=True):
    """An attempt that ended; headers as sent, secrets included."""

    answer: Answer
    url: str = ""
    headers: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Flown({self.answer!r}, {self.url!r})"


def as_tried(row: Claimed, started: int, flown: Flown) -> Tried:
    """The attempt as it is recorded, without secrets; `started` in ms."""
    answer = flown.answer
    asked = answer.headers.get("Retry-After")
    return Tried(
        row=row,
        url=flown.url,
        started_at=started,
        latency_ms=answer.latency_ms,
        status=answer.status,
        error_class=answer.error_class,
        error=answer.error,
        request_headers=logged(flown.headers),
        response_body=answer.body[:BODY_KEPT],
        retry_after=parse_retry_after(asked, started) if asked else None,
        settled=answer.settled,
        output=answer.output,
    )


class Ways:
    """Sends a row the way of its kind."""

    def __init__(self, settings: Settings, sender: Sender, carriers: Carriers) -> None:
        self._settings = settings
        self._sender = sender
        self._carriers = carriers

    async def send(
        self, row: Claimed, target: Target | None, systems: Mapping[str, KnownSystem], now: int
    ) -> Flown:
        """One attempt (`now` in ms); whatever a partner does is an answer."""
        if row.kind == CALL:
            return await self._call(row, systems)
        if row.kind != WEBHOOK:
            answer = await self._carriers.send(row)
            return Flown(answer, answer.url)
        if target is None or not target.active:
            return Flown(Answer(None, b"", {}, 0, "no_endpoint"), target.url if target else "")
        headers = headers_of(row, target.secrets, now)
        out = Outgoing(target.url, row.body, headers, target.connect_timeout, target.timeout)
        return Flown(await self._sender.send(out), target.url, headers)

    async def _call(self, row: Claimed, systems: Mapping[str, KnownSystem]) -> Flown:
        """A call to the API of one of the systems."""
        call, system = Call.read(row.body), systems[row.system]
        headers = headers_of_call(row, call, system.api_key)
        out = Outgoing(
            call.url(system.base_url),
            call.content(),
            headers,
            self._settings.call_connect_timeout,
            self._settings.call_timeout,
            call.method,
            READ_LIMIT,
        )
        return Flown(judged(call, await self._sender.send(out)), out.url, headers)
