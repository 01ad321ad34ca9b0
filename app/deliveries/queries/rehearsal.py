"""Rehearsal: what a retry of a dead letter would send, to the byte, without sending it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app import clock
from app.deliveries.actions.plan import mapped, reread
from app.deliveries.models import WEBHOOK, Delivery, FormerBody
from app.deliveries.queries.dead_letters import find_dead_letter
from app.deliveries.rules import dead_letter as rules
from app.deliveries.rules.comparison import compare
from app.deliveries.rules.message import headers_of, logged
from app.events.models import Event
from app.mappings.queries.plan import current_plan
from app.paging import AnyRow
from app.systems.queries.snapshot import active_endpoints, targets


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A request as it would leave now.

    `failed` is the body that was refused, `body` what a retry sends, `today` what the mapping in
    force makes of the event ('' of `problem` where it makes one). Headers hold no secret.
    """

    url: str
    headers: dict[str, str]
    failed: bytes
    body: bytes
    today: bytes
    version: str
    problem: str
    obstacle: str
    former: Sequence[AnyRow]

    @property
    def differs(self) -> bool:
        """Whether the mapping in force makes another body than the one that failed."""
        return not self.problem and self.today != self.failed

    def lines(self, whole: bool) -> list[tuple[str, str]]:
        """(sign, text) of the failed body against today's; empty where they are alike."""
        return compare(self.failed, self.today, whole) if self.differs else []


def rehearse(c: Connection, letter_id: int, now: int) -> Rehearsal:
    """The request of a retry now (ms); NotFound."""
    letter = find_dead_letter(c, letter_id)
    query = select(Delivery.__table__).where(Delivery.id == letter.delivery_id)
    delivery = c.execute(query).one()
    today, version, problem = _today(c, letter)
    own = rules.needs_mapping(letter.error_class, letter.delivery_attempts)
    body = today if own and not problem else bytes(delivery.body)
    url, headers, obstacle = _request(c, delivery, body, now)
    return Rehearsal(
        url, headers, bytes(delivery.body), body, today, version, problem, obstacle,
        former_bodies(c, delivery.id),
    )  # fmt: skip


def _today(c: Connection, letter: AnyRow) -> tuple[bytes, str, str]:
    """What the mapping in force makes of the event, its version, what is wrong with it."""
    if letter.kind != WEBHOOK:
        return bytes(letter.body), "", ""
    routes = current_plan(c).get(letter.event_type, ())
    route = next((route for route in routes if route.system == letter.system), None)
    if route is None:
        return b"", "", "não há rota ativa deste evento para o sistema"
    query = select(
        Event.id, Event.event_type, Event.source_system, Event.payload, Event.created_at
    ).where(Event.id == letter.event_id)
    body, problem = mapped(reread(c.execute(query).one()), route)
    return body, route.mapping_version or "", problem


def _request(
    c: Connection, delivery: AnyRow, body: bytes, now: int
) -> tuple[str, dict[str, str], str]:
    """Address and headers; what stands in the way of sending."""
    if delivery.kind != WEBHOOK:
        return "", {}, ""
    active = active_endpoints(c).get(delivery.system, ())
    endpoint = rules.address(delivery.endpoint_id, active, set())
    if endpoint is None:
        return "", {}, "não há endereço ativo para receber"
    target = targets(c)[endpoint]
    told = _Told(delivery.id, delivery.event_id, delivery.event_type, delivery.created_at, body)
    return target.url, logged(headers_of(told, target.secrets, now - now % clock.SECOND)), ""


@dataclass(frozen=True, slots=True)
class _Told:
    """A delivery with another body."""

    id: int
    event_id: int
    event_type: str
    created_at: int
    body: bytes


def former_bodies(c: Connection, delivery_id: int) -> Sequence[AnyRow]:
    """Bodies that were corrected away, the newest first."""
    query = select(FormerBody.__table__).where(FormerBody.delivery_id == delivery_id)
    return c.execute(query.order_by(FormerBody.id.desc())).all()
