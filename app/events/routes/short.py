"""The short way of POST /api/events, for what is plainly good; the long one is in routes.api."""

from __future__ import annotations

from functools import partial

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.access.guards import rate_headers
from app.access.known_keys import known_keys
from app.access.queries import Found
from app.access.rate_limit import limiter_of
from app.access.rules import scopes
from app.access.rules.rate import Verdict
from app.events.actions import intake
from app.events.routes.bodies import event_body
from app.events.rules import Accepted, NewEvent
from app.events.rules.incoming import Incoming, with_key
from app.payloads import parse_json
from app.web import validate
from app.web.shortcuts import Answer, Refusal, Request, shortcuts

STATUS = {False: "201 CREATED", True: "200 OK"}


def init_app(app: Flask) -> None:
    """Open it."""
    shortcuts(app).ways["POST", "/api/events"] = partial(post_event, app)


def post_event(app: Flask, request: Request) -> Answer | None:
    """Accept one event; None or Invalid where there is anything to refuse."""
    owner = _owner(app, request)
    if owner is None:
        return None
    event = _event(app, request, f"api:{owner.actor.name}")
    verdict = limiter_of(app).take(f"key:{owner.actor.id}")
    if not verdict.allowed:
        return None
    try:
        with app.app_context():
            accepted = intake.submit(event, owner.actor.id)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the error contract answers
        # It may have been written: the long way must not write it again.
        raise Refusal(problem, rate=verdict) from None
    return _answer(accepted, verdict)


def _owner(app: Flask, request: Request) -> Found | None:
    """Whose key it is, if it may write events and its use was noted lately."""
    key = request.header("X_API_KEY")
    try:
        found = known_keys(app).owner_of(key) if key else None
    except SQLAlchemyError:
        return None
    if key and found and found.is_stale(clock.now()):
        known_keys(app).forget(key)
        return None
    return found if found and scopes.allow(found.actor.scopes, "events:write") else None


def _event(app: Flask, request: Request, via: str) -> NewEvent:
    document = parse_json(request.body, app.extensions["settings"].max_nesting)
    incoming = validate(Incoming, with_key(document, request.header("IDEMPOTENCY_KEY")))
    return incoming.as_new(request.body, via)


def _answer(accepted: Accepted, verdict: Verdict) -> Answer:
    headers = [("Location", f"/api/events/{accepted.id}"), *rate_headers(verdict)]
    return Answer(STATUS[accepted.repeat], event_body(accepted), headers)
