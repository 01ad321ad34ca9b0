"""Log lines on standard error: one line each, with nothing that could forge another line."""

from __future__ import annotations

import logging
import sys

from app.config import Settings

NOISY = ("rq.worker", "rq.scheduler", "rq_scheduler.scheduler", "aiohttp.access", "urllib3")


class OneLine(logging.Formatter):
    """A line per record: what came from outside cannot start a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with whatever breaks a line or steers a terminal made visible."""
        text = super().format(record)
        if text.isprintable():
            return text
        return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def init(settings: Settings) -> None:
    """Log to standard error; a full disk or a closed pipe never stops the work."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.raiseExceptions = not settings.production
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
