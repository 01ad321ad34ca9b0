"""The sender of deliveries of kind `whatsapp`: paced, and never to who asked for silence."""

from __future__ import annotations

import json
import threading

from flask import current_app
from msgspec.structs import replace
from sqlalchemy import select, update

from app import clock
from app.config import Settings
from app.db import insert_missing, reading, transaction
from app.deliveries.actions.claim import Claimed
from app.errors import Unavailable
from app.messages.actions import once
from app.messages.models import Pace
from app.messages.queries.texts import opted_out
from app.messages.rules.bodies import Outbound
from app.messages.zapi import ZApi, plain_id, zapi
from app.payloads import read_json
from app.systems.rules.answer import Answer

ONE = 1
# Turns that two full workers may have handed out at the longest interval; with the call itself it
# still fits into a lease. A turn further ahead is none.
LONGEST_WAIT = 16 * clock.SECOND
IDS = ("zaapId", "messageId")

_never = threading.Event()


def send(row: Claimed) -> Answer:
    """Send one message; a 4xx of the provider is final, all else is tried again."""
    message = Outbound.read(row.body)
    with reading() as c:
        if opted_out(c, message.phone):
            return Answer(None, b"", {}, 0, "opted_out")
    try:
        provider = zapi()
    except Unavailable:
        return Answer(None, b"", {}, 0, "not_configured")
    before = once.begun(row)
    if before and (answer := once.resolve(row, message, before, provider)):
        return answer
    return _sent(row, message, provider)


def _sent(row: Claimed, message: Outbound, provider: ZApi) -> Answer:
    """Send it in its turn; its begin is on the disk before the provider hears of it."""
    settings: Settings = current_app.extensions["settings"]
    _wait_for_turn(settings)
    with transaction() as tx:
        once.begin(tx, row, message.phone, clock.now())
    answer = provider.send(message.path, message.json)
    if once.never_left(answer):
        once.forget(row.id)
    return _judged(answer)


def _judged(answer: Answer) -> Answer:
    """The answer with the ids that the ticks will name; one without them is not believed."""
    if not answer.accepted:
        return answer
    try:
        told = read_json(answer.body)
    except ValueError:
        told = None
    ids = told if isinstance(told, dict) else {}
    zaap_id, message_id = (plain_id(ids.get(name)) for name in IDS)
    message_id = message_id or plain_id(ids.get("id"))
    if not message_id:
        # The message may have left: asking again would send it twice.
        return replace(answer, output="{}")
    return replace(answer, output=json.dumps(dict(zip(IDS, (zaap_id, message_id), strict=True))))


def _wait_for_turn(settings: Settings) -> None:
    """Keep the provider's distance between messages, whichever worker sends them."""
    interval = settings.zapi_min_interval
    if interval <= 0:
        return
    at = _reserve(clock.now(), interval)
    wait = min(at - clock.now(), LONGEST_WAIT)
    if wait > 0:
        _never.wait(wait / 1000)


def _reserve(now: int, interval: int) -> int:
    """When this message may leave (ms); the next one an interval later.

    A turn that lies far ahead was written by a clock that stepped back since.
    """
    with transaction(durable=False) as tx:
        insert_missing(tx.connection, Pace, [{"id": ONE, "next_at": 0}])
        query = select(Pace.next_at).where(Pace.id == ONE)
        if tx.connection.dialect.name != "sqlite":
            query = query.with_for_update()
        turn = tx.connection.execute(query).scalar_one()
        at = max(turn, now) if turn - now <= LONGEST_WAIT else now
        tx.connection.execute(update(Pace).where(Pace.id == ONE).values(next_at=at + interval))
    return int(at)
