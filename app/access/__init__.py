"""People, levels and abilities, API keys, the audit trail, and the guard at every door."""

from __future__ import annotations

from flask import Flask
from flask_login import LoginManager

from app import clock
from app.access import guards, known_keys, queries, rate_limit, whom
from app.access.actions.logins import touch_session
from app.access.actor import Person
from app.access.routes import audit, door, keys, people, profile, second_step, sign_in
from app.access.rules.abilities import CONTACTS

logins = LoginManager()
# The modules that hang their views into the blueprint.
DOORS = (audit, keys, people, profile, second_step, sign_in)
# Sessions live on the server and can be ended there; the library's guess adds nothing.
logins.session_protection = None


def init_app(app: Flask) -> None:
    """Install sign-in, the rate limit, and what templates ask about abilities."""
    logins.init_app(app)
    rate_limit.init_app(app)
    known_keys.init_app(app)
    app.after_request(guards.tell_rate)
    app.extensions["contacts"] = lambda: CONTACTS
    app.jinja_env.globals.update(can=guards.can, refusal=whom.refusal, whom=whom.ask)
    app.register_blueprint(door.blueprint)


@logins.user_loader  # type: ignore[untyped-decorator]
def _load(token: str) -> Person | None:
    """The person behind the token in the cookie; notes the use once a minute."""
    person = queries.person_of(token)
    if person and abs(clock.now() - person.seen_at) >= clock.MINUTE:
        touch_session(token)
    return person
