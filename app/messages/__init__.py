"""Messages: WhatsApp and e-mail as kinds of delivery, their templates, ticks and opt-outs."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Open the doors of the messages."""
    from app.messages.routes import feedback, log, templates, texts, whatsapp

    app.register_blueprint(feedback.blueprint)
    app.register_blueprint(whatsapp.blueprint)
    app.register_blueprint(templates.blueprint)
    app.register_blueprint(log.blueprint)
    app.register_blueprint(texts.blueprint)
