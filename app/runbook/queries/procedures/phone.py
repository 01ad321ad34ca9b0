"""What the provider of WhatsApp says to a run: its queue, and the QR code while it lives.

A QR code is a login for 20 seconds: it stays in the memory of this process and is stored nowhere.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from flask import current_app

from app import clock
from app.errors import Unavailable
from app.messages.queries.provider import held
from app.messages.zapi import zapi

QR_MS = 20 * clock.SECOND
MOST_QR, MOST_HELD = 3, 10
ASK_SECONDS = 15.0
WATCH_SECONDS = 5.0
# Several look at a run at once; each code is asked for once.
_ONE_ASKS = threading.Lock()


@dataclass(frozen=True, slots=True)
class QrCode:
    """A code to read: an image as a data URI, until when it lives (ms), the how manieth it is."""

    image: str
    until: int
    number: int


def _kept() -> dict[Any, Any]:
    kept: dict[Any, Any] = current_app.extensions.setdefault("procedure_phone", {})
    return kept


def ask_qr(run_id: int, now: int) -> QrCode:
    """A fresh code, the first of three; Unavailable where the provider gives none."""
    return _fetch(run_id, now, 1)


def _fetch(run_id: int, now: int, number: int) -> QrCode:
    image = zapi().qr_code()
    if image is None:
        raise Unavailable("A Z-API não deu um QR code: o aparelho já pode estar conectado", 5)
    code = QrCode(image, now + QR_MS, number)
    _kept()["qr", run_id] = code
    return code


def current_qr(run_id: int, now: int) -> QrCode | None:
    """The code on show, renewed while somebody looks, at most twice; None once it is given up."""
    with _ONE_ASKS:
        code: QrCode | None = _kept().get(("qr", run_id))
        if code is None or code.until > now:
            return code
        if code.number >= MOST_QR or now - code.until > QR_MS:
            return None
        try:
            return _fetch(run_id, now, code.number + 1)
        except Unavailable:
            return None


def provider_data(run_id: int, connected: bool | None) -> dict[str, Any]:
    """The code to read while it is away; what the provider holds, before and after."""
    if connected is True:
        _kept().pop(("qr", run_id), None)
        return _queue()
    code = current_qr(run_id, clock.now())
    return {"qr": code, "qr_over": code is None and ("qr", run_id) in _kept(), **_queue()}


def is_watch_due() -> bool:
    """Whether the state is to be asked for again: more often while somebody looks."""
    return _is_time("watch", WATCH_SECONDS)


def _queue() -> dict[str, Any]:
    """What the provider holds, asked for every few seconds at most."""
    kept = _kept()
    if _is_time("queue", ASK_SECONDS):
        try:
            told = held()
            kept["held"] = {
                "provider_count": told.count, "provider": told.figure,
                "held": told.messages[:MOST_HELD],
            }  # fmt: skip
        except Unavailable as problem:
            kept["held"] = {"provider": problem.message}
    found: dict[str, Any] = kept.get("held", {})
    return found


def ask_again() -> None:
    """The queue changed: ask anew."""
    _kept().pop(("asked", "queue"), None)


def _is_time(what: str, seconds: float) -> bool:
    kept, now = _kept(), clock.monotonic()
    if now - kept.get(("asked", what), -seconds) < seconds:
        return False
    kept["asked", what] = now
    return True
