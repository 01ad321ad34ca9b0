"""What the web server loads: the application with its log lines set up and its map checked.

The supervisor migrates the database while this process loads; it answers nobody before that.
"""

from __future__ import annotations

import gc

# While the code loads nothing dies; `create_app` turns the collector on again.
gc.disable()

from app import create_app, heartbeats, logs, pipeline, schema  # noqa: E402
from app.server import Leaving  # noqa: E402

MIGRATION_SECONDS = 60.0

app = create_app()
logs.init(app.extensions["settings"])
pipeline.check()
if schema.wait_until_current(app, MIGRATION_SECONDS):
    schema.note_start(app)
heartbeats.look_at_peers(app)
application = Leaving(app, app.extensions["settings"].data_dir)
application.start()
# What is here now stays for good: a collection that walks through it holds every request up for
# an eighth of a second.
gc.freeze()
