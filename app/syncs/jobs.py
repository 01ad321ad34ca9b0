"""The doors of the worker and of the clock: slices of runs, slots, and the sweep."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from flask import Flask, current_app

from app import clock, queues
from app.db import reading
from app.syncs.actions import repair
from app.syncs.actions.schedules import run_slot
from app.syncs.actions.take import has_work, lease_ms
from app.syncs.actions.work import run_slice

SLICE_SECONDS = 1.0
# The engine's requests in flight do not move meanwhile.
PAUSE_SECONDS = 0.05

log = logging.getLogger(__name__)
_lock = threading.Lock()


def work() -> bool:
    """Have a slice done beside the sending: a slow source must not hold it up; whether there is
    work left."""
    slice_ = _running()
    wait([slice_], PAUSE_SECONDS)
    return not slice_.done() or slice_.result()


def _running() -> Future[bool]:
    """The slice under way in this process, or a new one."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    extensions: dict[str, Any] = app.extensions
    with _lock:
        if "sync_pool" not in extensions:
            extensions["sync_pool"] = ThreadPoolExecutor(1, thread_name_prefix="sync")
        known: Future[bool] | None = extensions.get("sync_slice")
        if known is None or known.done():
            known = extensions["sync_slice"] = extensions["sync_pool"].submit(_slice, app)
        return known


def _slice(app: Flask) -> bool:
    """One slice; a failure keeps nobody from sending, the sweep rings again."""
    with app.app_context():
        try:
            return run_slice(SLICE_SECONDS)
        except Exception:
            log.exception("a slice of a sync failed")
            return False


def sweep() -> None:
    """Ring for runs that want a worker; end those whose items do not move."""
    now = clock.now()
    with reading() as c:
        wanted = has_work(c, now, lease_ms(current_app.extensions["settings"]))
    if wanted:
        queues.ring(queues.LOW)
    repair.end_stalled(now)


def crm_operacao() -> None:
    """Slot of sync-crm-operacao."""
    run_slot("crm_operacao", clock.now())


def operacao_financeiro() -> None:
    """Slot of sync-operacao-financeiro."""
    run_slot("operacao_financeiro", clock.now())


def crm_financeiro() -> None:
    """Slot of sync-crm-financeiro."""
    run_slot("crm_financeiro", clock.now())


def cuidadores_crm() -> None:
    """Slot of sync-cuidadores-crm."""
    run_slot("cuidadores_crm", clock.now())
