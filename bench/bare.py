"""The bare Flask route that the intake is held against: it parses, and answers as much."""

from __future__ import annotations

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue


def create_app() -> Flask:
    """One route that keeps nothing."""
    app = Flask(__name__)

    @app.post("/api/events")
    def create() -> ResponseReturnValue:
        event = request.get_json()
        data = {
            "id": 1,
            "event_type": event["event_type"],
            "source_system": event["source_system"],
            "status": "pending",
            "created_at": "2026-01-01T00:00:00.000Z",
        }
        return jsonify(data=data), 201

    @app.get("/health")
    def health() -> ResponseReturnValue:
        return jsonify(status="ok")

    return app


app = create_app()
