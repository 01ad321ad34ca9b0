"""What the web server loads: the application with its log lines set up and its map checked."""

from __future__ import annotations

from app import create_app, logs, pipeline

application = create_app()
logs.init(application.extensions["settings"])
pipeline.check()
