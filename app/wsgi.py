"""What the web server loads: the application with its log lines set up and its map checked.

The supervisor migrates the database while this process loads; it answers nobody before that.
"""

from __future__ import annotations

from app import create_app, heartbeats, logs, pipeline, schema

MIGRATION_SECONDS = 60.0

application = create_app()
logs.init(application.extensions["settings"])
pipeline.check()
if schema.wait_until_current(application, MIGRATION_SECONDS):
    schema.note_start(application)
heartbeats.look_at_peers(application)
