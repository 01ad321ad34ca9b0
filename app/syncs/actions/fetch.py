"""Fetch: one page of a source, if its breaker lets us; each page is a word on the system."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import urlencode

from app import clock
from app.config import Settings
from app.db import transaction
from app.deliveries.rules import retry
from app.systems.actions import breakers
from app.systems.calls import Call, client
from app.systems.queries import snapshot
from app.systems.queries.snapshot import KnownSystem
from app.systems.rules import breaker as rules
from app.systems.rules.answer import Answer
from app.systems.rules.breaker import Limits, Outcome

MOST_BYTES = 32 * 1024 * 1024


class Refused(Exception):
    """The source cannot be read now; the text is for people."""


def fetch(settings: Settings, system: str, path: str, params: Mapping[str, str]) -> bytes:
    """The body of a source's page; Refused with the reason."""
    known = snapshot.known()[system]
    if known.paused:
        raise Refused(f"{known.label} está em pausa")
    limits = _limits(settings)
    probe = _admit(known, limits, round(settings.delivery_lease * 1000))
    answer = client().send(_call(known, path, params))
    _note(known.name, answer, probe, limits)
    if not answer.accepted:
        raise Refused(f"{known.label}: {retry.describe(answer.status, answer.error_class)}")
    return answer.body


def _limits(settings: Settings) -> Limits:
    timeout = round(settings.breaker_timeout * 1000)
    return Limits(settings.breaker_failures, settings.breaker_successes, timeout)


def _admit(known: KnownSystem, limits: Limits, lease: int) -> str | None:
    """None where the breaker is closed, our probe's name where it is to be tested; Refused.

    A source that gets no deliveries would never be tested otherwise.
    """
    now = clock.now()
    with transaction(durable=False) as tx:
        found = breakers.load(tx.connection, [known.name], lock=True).get(known.name)
        if found is None or found.state == rules.CLOSED:
            return None
        if not rules.may_probe(found, limits, lease, now):
            raise Refused(f"o disjuntor de {known.label} está aberto (bloqueando envios)")
        probe = secrets.token_hex(8)
        probing = rules.probing(found, probe, now + lease)
        breakers.save(tx, found, probing, "teste de recuperação", "hub", now)
    return probe


def _note(system: str, answer: Answer, probe: str | None, limits: Limits) -> None:
    """What the call says of the system's health."""
    bad = retry.breaks(answer.status, answer.error_class)
    reason = retry.describe(answer.status, answer.error_class) if bad else ""
    with transaction(durable=False) as tx:
        breakers.record(tx, {system: [(Outcome(bad, probe), reason)]}, limits, clock.now())


def _call(known: KnownSystem, path: str, params: Mapping[str, str]) -> Call:
    headers = {
        "X-API-Key": known.api_key,
        "X-Source-System": "integracoes",
        "X-Request-ID": f"sync_{secrets.token_hex(12)}",
    }
    url = f"{known.base_url.rstrip('/')}{path}?{urlencode(params)}"
    return Call("GET", url, headers, read_limit=MOST_BYTES)
