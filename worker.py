"""A worker of one queue (`worker.py QUEUE`) or the clock (`worker.py --scheduler`)."""

from __future__ import annotations

import argparse
import logging
import sys

from app import create_app, logs, pipeline, queues, scheduler
from app.workers import serve


def main(words: list[str]) -> None:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("queue", nargs="?", choices=queues.QUEUES)
    parser.add_argument("--scheduler", action="store_true", help="run the clock instead")
    chosen = parser.parse_args(words)
    if bool(chosen.queue) is chosen.scheduler:
        parser.error("name one queue, or --scheduler")
    app = create_app()
    logs.init(app.extensions["settings"])
    pipeline.check()
    logging.getLogger(__name__).debug("started for %s", chosen.queue or "the clock")
    if chosen.scheduler:
        scheduler.run(app)
    else:
        serve(app, chosen.queue)


if __name__ == "__main__":
    main(sys.argv[1:])
