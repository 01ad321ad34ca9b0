"""Once: a message whose send ended in silence is not sent a second time before its fate is known.

The provider knows no idempotency key. So the begin of a send is written down before the call, and
where nobody saw its end (a killed worker, a cut connection) the next attempt looks for it: in the
provider's callbacks, then among what the provider still holds. It leaves again once callbacks of
later messages have come and none of it, or once a person asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from app import clock
from app.db import Tx, reading, transaction
from app.deliveries.actions.claim import Claimed
from app.errors import Unavailable
from app.messages.models import OUT, Message, WhatsAppMessage
from app.messages.rules.bodies import Outbound
from app.messages.zapi import ZApi, plain_id, waiting_in
from app.systems.rules.answer import Answer

# Callbacks come within seconds; before that their absence says nothing.
PATIENCE_MS = 15 * clock.SECOND
# Clocks of the provider and of ours differ.
SKEW_MS = 2 * clock.SECOND
MOST_PAGES = 10
# What proves that the provider never had the message.
NEVER_LEFT = frozenset({"connect", "dns", "tls", "blocked_address", "invalid_url"})
GATEWAY_TIMEOUT = 504
UNCONFIRMED = "unconfirmed"


class Begun(NamedTuple):
    """A send whose end nobody has seen: since when (ms), and the attempts before a person asked."""

    started_at: int
    started_after: int


def begun(row: Claimed) -> Begun | None:
    """The send of this delivery that ended in silence, None where there was none."""
    query = select(Message.started_at, Message.started_after).where(Message.delivery_id == row.id)
    with reading() as c:
        found = c.execute(query).one_or_none()
    if found is None or found.started_at is None:
        return None
    return Begun(found.started_at, found.started_after or 0)


def begin(tx: Tx, row: Claimed, phone: str, now: int) -> None:
    """Write down that the send begins now."""
    values = {"started_at": now, "started_after": row.attempts_before}
    mine = update(Message).where(Message.delivery_id == row.id).values(**values)
    if not tx.connection.execute(mine).rowcount:
        new = {"direction": OUT, "channel": "whatsapp", "address": phone[:254], "created_at": now}
        new |= {"event_id": row.event_id, "delivery_id": row.id, "template": ""}
        tx.connection.execute(insert(Message).values(**new, **values))


def forget(delivery_id: int) -> None:
    """The provider refused it: it has not left."""
    with transaction(durable=False) as tx:
        mine = update(Message).where(Message.delivery_id == delivery_id)
        tx.connection.execute(mine.values(started_at=None, started_after=None))


def never_left(answer: Answer) -> bool:
    """Whether the answer proves that the provider did not take the message."""
    if answer.error_class:
        return answer.error_class in NEVER_LEFT
    return not answer.accepted and answer.status != GATEWAY_TIMEOUT


def resolve(row: Claimed, message: Outbound, before: Begun, provider: ZApi) -> Answer | None:
    """What became of the send before; None where the message may leave (again)."""
    with reading() as c:
        ids = _told(c, message.phone, before.started_at)
        flowing = _callbacks_flow(c, before.started_at)
    try:
        ids = ids or _held(provider, message, before.started_at)
    except Unavailable as problem:
        return Answer(None, b"", {}, 0, UNCONFIRMED, problem.message)
    if ids:
        return Answer(None, b"", {}, 0, settled=True, output=json.dumps(ids))
    asked_since = row.attempts_before != before.started_after
    waited = abs(clock.now() - before.started_at)
    if asked_since or (flowing and waited > PATIENCE_MS):
        return None
    seconds = max(1, -(-(PATIENCE_MS - waited) // 1000))
    return Answer(None, b"", {"Retry-After": str(seconds)}, 0, UNCONFIRMED)


def _told(c: Connection, phone: str, since: int) -> dict[str, str] | None:
    """The ids in a callback that this phone got a message of ours which no send answers for.

    Messages of one phone leave one after another, so there is no other that it could be.
    """
    query = select(WhatsAppMessage.message_id, WhatsAppMessage.zaap_id).where(
        WhatsAppMessage.phone == phone,
        WhatsAppMessage.delivery_id.is_(None),
        WhatsAppMessage.told_at >= since - SKEW_MS,
    )
    row = c.execute(query.order_by(WhatsAppMessage.id).limit(1)).first()
    return {"zaapId": row.zaap_id, "messageId": row.message_id} if row else None


def _callbacks_flow(c: Connection, since: int) -> bool:
    """Whether the provider has told of any message since: then it would have told of this one."""
    query = select(WhatsAppMessage.id).where(WhatsAppMessage.told_at > since + SKEW_MS)
    return c.execute(query.limit(1)).first() is not None


def _held(provider: ZApi, message: Outbound, since: int) -> dict[str, str] | None:
    """The ids of the message among those that wait at the provider. Unavailable."""
    words = str(message.json.get("message") or message.json.get("caption") or "")
    for waiting in _queued(provider):
        same = str(waiting.get("Phone")) == message.phone and waiting.get("Message") == words
        created = clock.told(waiting.get("Created"))
        if same and created is not None and created >= since - SKEW_MS:
            ids = {"zaapId": waiting.get("ZaapId"), "messageId": waiting.get("MessageId")}
            return {name: plain_id(value) for name, value in ids.items()}
    return None


def _queued(provider: ZApi) -> Iterator[dict[str, Any]]:
    """What the provider still holds, page by page."""
    paging: str | None = None
    for _ in range(MOST_PAGES):
        page = provider.queue(paging=paging)
        yield from waiting_in(page)
        paging = page.get("pagingState")
        if not page.get("hasMore") or not (paging and isinstance(paging, str)):
            return
