"""One event after the other through the front door, and when its message reached the sink."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass

from app.deliveries.rules.message import message_id
from bench.hub import TYPES, Hub, payload
from bench.processes import until
from bench.receiver import Receiver


@dataclass(frozen=True, slots=True)
class Posted:
    """Moments of one event, in ms since the epoch."""

    event_id: int
    sent: float
    answered: float


def post(hub: Hub, count: int, pause: float, system: str = "crm") -> list[Posted]:
    """Send `count` events, `pause` seconds apart."""
    posted = []
    headers = {"X-API-Key": hub.api_key(), "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)
    for number in range(count):
        event = {"event_type": TYPES[system], "source_system": "financeiro",
                 "payload": payload(number)}  # fmt: skip
        sent = time.time() * 1000
        connection.request("POST", "/api/events", json.dumps(event), headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"the intake answered {answer.status}: {body[:200]!r}")
        posted.append(Posted(json.loads(body)["data"]["id"], sent, time.time() * 1000))
        time.sleep(pause)
    connection.close()
    return posted


def received(hub: Hub, sink: Receiver) -> dict[int, float]:
    """When the sink first saw each event's message (ms since the epoch)."""
    arrivals = sink.arrivals()
    rows = hub.query("SELECT id, event_id, created_at FROM deliveries")
    ids = {row.event_id: message_id(row.id, row.created_at) for row in rows}
    return {event: arrivals[message] for event, message in ids.items() if message in arrivals}


def _all(posted: list[Posted], seen: dict[int, float]) -> dict[int, float] | None:
    return seen if all(one.event_id in seen for one in posted) else None


def delays(hub: Hub, sink: Receiver, posted: list[Posted]) -> list[float]:
    """From the answer to the client until the message reached its system, in ms.

    The message may well be there before the client has read its answer: that counts as none.
    """
    seen = until(lambda: _all(posted, received(hub, sink)), 20, "all messages arrive", 0.2)
    return [max(0.0, seen[one.event_id] - one.answered) for one in posted]
