"""The worker's part of bulk work: short slices between drains, so that sending goes on."""

from __future__ import annotations

import logging

from app import clock
from app.deliveries.actions import bulk, careful

# Requests in flight do not move while a slice runs: it must stay far below their deadlines.
SLICE_SECONDS = 0.5
# While a bulk runs, drains are short too: 100,000 letters are queued within a minute.
DRAIN_SECONDS = 0.5

log = logging.getLogger(__name__)


def work_on_bulks() -> bool:
    """One slice; whether there is more. A failure keeps nobody from sending, the sweep rings."""
    try:
        moved = careful.advance(clock.now())
        return bulk.run_slice(SLICE_SECONDS) or moved
    except Exception:
        log.exception("a slice of bulk work failed")
        return False
