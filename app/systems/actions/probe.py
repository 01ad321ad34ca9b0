"""Probe: one real request now to see whether a system answers; no message of the queue is used."""

from __future__ import annotations

from dataclasses import dataclass

from app.access.actions.audit import record
from app.access.actor import Actor
from app.db import reading, transaction
from app.systems.actions.trial import send_trial
from app.systems.calls import Call, client
from app.systems.queries import snapshot
from app.systems.rules.answer import Answer


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether the system is well, and what it answered in words."""

    ok: bool
    text: str


def probe_system(system: str, *, by: Actor, now: int) -> Probe:
    """A signed test event to its endpoint; where it has none, a look at its address. NotFound."""
    with reading() as c:
        known = snapshot.system(c, system)
        endpoints = snapshot.active_endpoints(c).get(system, ())
    if endpoints:
        answer = send_trial(endpoints[0], by=by, now=now).answer
        return Probe(answer.accepted, _words(answer))
    answer = client().send(Call("GET", known.base_url, {}, None))
    with transaction() as tx:
        told = {"status": answer.status, "error": answer.error_class}
        record(tx, by, "endpoint.tested", f"system:{system}", after=told)
    well = answer.status is not None and answer.status < 500
    return Probe(well, _words(answer))


def _words(answer: Answer) -> str:
    told = f"HTTP {answer.status}" if answer.status is not None else answer.error_class
    return f"{told} em {answer.latency_ms} ms"
