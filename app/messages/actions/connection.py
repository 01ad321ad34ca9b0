"""The state of the WhatsApp connection: asked for every minute, told by callbacks between."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from app import clock
from app.access.actions import audit
from app.access.actor import Actor
from app.db import Tx, insert_missing, transaction
from app.errors import Unavailable
from app.messages.models import WhatsAppState
from app.messages.zapi import ZApi, is_on, zapi

ONE = 1
LONGEST_ERROR = 300
# How long what `me` says of the account is good for.
ACCOUNT_MS = 6 * clock.HOUR
# Told in seconds or ms; nothing that is larger is a time.

log = logging.getLogger(__name__)


def check() -> None:
    """Ask the provider and write down what it says; a provider that is away is written down too."""
    if not is_on(current_app.extensions["settings"]):
        return
    try:
        told = zapi().status()
    except Unavailable as problem:
        _note_failed(problem.message)
        return
    _note_status(told, clock.now())
    _check_account()


def act(name: str, call: Callable[[ZApi], bool], *, by: Actor) -> None:
    """Do what a person asks of the provider, and look at once what came of it. Unavailable."""
    call(zapi())
    with transaction() as tx:
        audit.record(tx, by, f"whatsapp.{name}", "whatsapp")
    check()


def note_callback(tx: Tx, connected: bool, error: str, now: int) -> None:
    """The phone came or went, as a callback says; follower's part of the intake."""
    _write(tx, connected, connected, error, now)


def _note_status(told: dict[str, Any], now: int) -> None:
    """`error` is filled even while connected: the two flags decide."""
    connected, phone = told.get("connected") is True, told.get("smartphoneConnected") is True
    with transaction() as tx:
        _write(tx, connected, phone, str(told.get("error") or ""), now)
        tx.connection.execute(
            update(WhatsAppState)
            .where(WhatsAppState.id == ONE)
            .values(checked_at=now, check_error="")
        )


def _note_failed(message: str) -> None:
    """Nobody knows: the state stays what it was when last told, if it ever was, with the reason."""
    log.warning("WhatsApp's state is unknown: %s", message)
    with transaction() as tx:
        _ensure(tx, False, False, clock.now(), told=False)
        changed = (
            update(WhatsAppState)
            .where(WhatsAppState.id == ONE)
            .values(check_error=message[:LONGEST_ERROR])
        )
        tx.connection.execute(changed)


def _write(tx: Tx, connected: bool, phone: bool, error: str, now: int) -> None:
    """`since` moves only when the connection as a whole comes or goes."""
    _ensure(tx, connected, phone, now, told=True)
    query = select(WhatsAppState.__table__).where(WhatsAppState.id == ONE)
    if tx.connection.dialect.name != "sqlite":
        query = query.with_for_update()
    before = tx.connection.execute(query).one()
    was = before.connected and before.smartphone_connected
    values: dict[str, Any] = {
        "connected": connected, "smartphone_connected": phone, "error": error[:LONGEST_ERROR],
        "told": True,
    }  # fmt: skip
    if was != (connected and phone) or not before.told:
        values["since"] = now
    tx.connection.execute(update(WhatsAppState).where(WhatsAppState.id == ONE).values(**values))


def _ensure(tx: Tx, connected: bool, phone: bool, now: int, *, told: bool) -> None:
    """Make sure that there is the row."""
    row = {
        "id": ONE, "connected": connected, "smartphone_connected": phone, "told": told,
        "since": now, "error": "", "check_error": "", "payment_status": "",
    }  # fmt: skip
    insert_missing(tx.connection, WhatsAppState, [row])


def _check_account() -> None:
    """Ask now and then until when the account is paid."""
    with transaction(durable=False) as tx:
        known = tx.connection.scalar(select(WhatsAppState.account_at))
    now = clock.now()
    if known is not None and 0 <= now - known < ACCOUNT_MS:
        return
    try:
        told = zapi().me()
    except Unavailable as problem:
        log.warning("the account's due date is unknown: %s", problem.message)
        return
    due = told.get("due")
    # Told in seconds; what is no moment in seconds may be one in ms.
    ms = clock.told(due, clock.SECOND) or clock.told(due)
    with transaction() as tx:
        values = {"due_at": ms, "payment_status": str(told.get("paymentStatus") or "")[:40]}
        changed = update(WhatsAppState).where(WhatsAppState.id == ONE)
        tx.connection.execute(changed.values(**values, account_at=now))
