"""A signed test event, sent at once to one endpoint to see what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass

from app import clock
from app.access.actions.audit import record
from app.access.actor import Actor
from app.db import reading, transaction
from app.errors import NotFound
from app.systems.calls import Call, client
from app.systems.queries import snapshot
from app.systems.queries.snapshot import Target
from app.systems.rules.answer import Answer
from app.systems.rules.signing import signed_headers

EVENT_TYPE = "hub.test"
# Bytes of the answer that are shown.
SHOWN = 2000


@dataclass(frozen=True, slots=True)
class Trial:
    """Where the test event went and what came back."""

    url: str
    answer: Answer


def send_trial(endpoint_id: int, *, by: Actor, now: int) -> Trial:
    """Send it and wait for the answer; nothing is retried, no breaker moves. NotFound."""
    with reading() as c:
        target = snapshot.targets(c).get(endpoint_id)
    if target is None:
        raise NotFound("Endpoint not found")
    answer = client().send(_call(target, now))
    told = {"status": answer.status, "error": answer.error_class, "latency_ms": answer.latency_ms}
    with transaction() as tx:
        record(tx, by, "endpoint.tested", f"endpoint:{endpoint_id}", after=told)
    return Trial(target.url, answer)


def _call(target: Target, now: int) -> Call:
    """The request as a delivery would make it, but for an event that is none."""
    message_id, at = f"test_{target.endpoint_id}_{now:x}", clock.iso(now) or ""
    meta = {"event_id": 0, "event_type": EVENT_TYPE, "source_system": "integracoes"}
    content = {"message": "Teste do hub de integrações", "_meta": {**meta, "timestamp": at}}
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Source-System": "integracoes",
        "X-Event-Type": EVENT_TYPE,
        "X-Event-ID": "0",
        "X-Timestamp": at,
    }
    if target.secrets:
        headers |= signed_headers(body, target.secrets, message_id, now // 1000)
    return Call("POST", target.url, headers, body, repeatable=False)
