"""A worker of one queue (`worker.py QUEUE`) or the clock (`worker.py --scheduler`)."""

from __future__ import annotations

import gc

# While the code loads nothing dies; `create_app` turns the collector on again.
gc.disable()

import argparse  # noqa: E402
import logging  # noqa: E402
import sys  # noqa: E402

from app import create_app, logs, pipeline, queues, scheduler  # noqa: E402
from app.workers import serve  # noqa: E402


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
