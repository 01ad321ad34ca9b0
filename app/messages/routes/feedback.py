"""The public page behind the feedback link; the token in the address is the proof."""

from __future__ import annotations

from flask import Blueprint, Response, render_template
from flask_babel import gettext as _

from app import clock
from app.access.guards import open_to_all
from app.errors import Conflict, Invalid, NotFound
from app.messages.actions import feedback
from app.messages.rules.feedback import Opinion
from app.messages.rules.templates import first_name
from app.web import body
from app.web.answers import html

blueprint = Blueprint("feedback", __name__, url_prefix="/feedback")


@blueprint.get("/<token>")
@open_to_all
def show(token: str) -> Response:
    """The form, or why there is none."""
    return _page(token, "")


@blueprint.post("/<token>")
@open_to_all
def give(token: str) -> Response:
    """Take the opinion, once."""
    try:
        opinion = body(Opinion)
    except Invalid:
        return _page(token, _("Escolha de 1 a 5 estrelas."), 422)
    try:
        feedback.give(token, opinion, clock.now())
    except (Conflict, NotFound) as problem:
        return _said(problem.message, _status(problem))
    return _said(_("Muito obrigado! Sua avaliação chegou."), 200)


def _page(token: str, error: str, status: int = 200) -> Response:
    try:
        asked = feedback.asked_by(token, clock.now())
    except (Conflict, NotFound) as problem:
        return _said(problem.message, _status(problem))
    page = render_template(
        "messages/feedback.html",
        token=token,
        error=error,
        name=first_name(asked.service.get("client_name")),
        caregiver=str(asked.service.get("caregiver_name") or ""),
    )
    return html(page, status)


def _said(message: str, status: int) -> Response:
    return html(render_template("messages/feedback.html", message=message), status)


def _status(problem: Conflict | NotFound) -> int:
    """A link that was used is gone, like one whose time is over."""
    return 410 if isinstance(problem, feedback.Used) else 404
