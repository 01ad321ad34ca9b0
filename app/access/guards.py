"""The guard at the doors: who is asking (key, person, trusted network), and may they?"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import quote

from flask import Response, current_app, g, redirect, url_for
from flask_login import current_user
from htmx_flask import request
from werkzeug.exceptions import HTTPException

from app import clock, web
from app.access import queries
from app.access.actions.api_keys import touch_api_key
from app.access.actions.looks import SAME_LOOK_MS, SAME_PAGE_MS, note_look
from app.access.actor import Actor
from app.access.rate_limit import limiter
from app.access.rules import scopes
from app.access.rules.abilities import ABILITIES
from app.access.rules.local_path import local_path
from app.access.rules.rate import Verdict
from app.access.whom import refusal
from app.errors import Forbidden, TooMany, Unauthenticated

P = ParamSpec("P")
R = TypeVar("R")

KEY_HEADER = "X-API-Key"
# All that somebody can do who has to switch on two-step login and has not yet.
BEFORE_ENROLMENT = ("access.enrol", "access.confirm_enrolment", "access.logout")
# Fields that people write into.
TYPED = ("note", "why", "text", "details", "title")
MISSING, WRONG, TOO_LITTLE = "API key is required", "Invalid API key", "Insufficient permissions"


@dataclass(frozen=True, slots=True)
class Guard:
    """What a view asks for; kept on the view, so that a test can list every route's guard."""

    ability: str
    scope: str | None
    network: bool


def require(
    ability: str, scope: str | None = None, *, network: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let in keys with the scope, people with the ability and, if said, trusted networks.

    Without a scope no key is let in. A trusted network only gets JSON: a browser signs in.
    """
    if ability not in ABILITIES:
        raise LookupError(f"no such ability: {ability!r}")
    guard = Guard(ability, scope, network)

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.actor = _admit(guard)
            return view(*args, **kwargs)

        guarded.guard = guard  # type: ignore[attr-defined]
        return guarded

    return decorate


def open_to_all(view: Callable[P, R]) -> Callable[P, R]:
    """Say that a view needs no guard (health, login, signed webhooks)."""
    view.guard = None  # type: ignore[attr-defined]
    return view


def by() -> Actor:
    """Who makes the current request; only behind `require`."""
    found: Actor = g.actor
    return found


def can(ability: str) -> bool:
    """Whether who is asking has the ability (templates show or disable by it)."""
    actor = g.get("actor") or signed_in()
    return bool(actor and actor.can(ability))


def sees_whole(target: str) -> bool:
    """Whether who is asking gets the personal data of `target` whole; if so, the look is audited.

    One rule for pages, parts and JSON: without the ability the data is masked in each of them.
    """
    whole = can("personal_data.read")
    if whole:
        note_look(by(), target, SAME_PAGE_MS if web.wants_part() else SAME_LOOK_MS)
    return whole


def _admit(guard: Guard) -> Actor:
    """The actor, or the refusal as an error."""
    if key := request.headers.get(KEY_HEADER):
        return _admit_key(guard, key)
    if person := signed_in():
        return _admit_person(guard, person)
    if guard.network and not web.wants_html() and _is_trusted(web.client_address()):
        return Actor("network", None, web.client_address(), address=web.client_address())
    raise _nobody()


def _admit_key(guard: Guard, key: str) -> Actor:
    """The key's owner, counted against its rate."""
    found = queries.owner_of(key, web.client_address())
    if found is None:
        raise Unauthenticated(WRONG)
    g.rate = verdict = limiter().take(f"key:{found.actor.id}")
    if not verdict.allowed:
        raise TooMany(verdict.retry_after)
    if guard.scope is None or not scopes.allow(found.actor.scopes, guard.scope):
        raise Forbidden(TOO_LITTLE)
    if found.actor.id is not None and found.is_stale(clock.now()):
        touch_api_key(found.actor.id, found.actor.address)
    return found.actor


def _admit_person(guard: Guard, person: Actor) -> Actor:
    """The person, if the page they came from is ours and their level is enough."""
    web.protect_from_forgery()
    if current_user.must_enrol and request.endpoint not in BEFORE_ENROLMENT:
        raise _enrol_first()
    if not person.can(guard.ability):
        raise Forbidden(refusal(guard.ability))
    return person


def signed_in() -> Actor | None:
    """The signed-in person as an actor, also where a view is open to all."""
    if not current_user.is_authenticated:
        return None
    return Actor(
        "user", current_user.id, current_user.name, current_user.level, (), web.client_address()
    )


def _enrol_first() -> Exception:
    """The way to the page that switches on two-step login; JSON gets a 403."""
    if not web.wants_html():
        return Forbidden("Ligue a verificação em duas etapas para continuar.")
    to = url_for("access.enrol")
    if web.is_htmx():
        return HTTPException(response=Response(status=401, headers={"HX-Redirect": to}))
    return HTTPException(response=redirect(to, code=303))


def _is_trusted(address: str) -> bool:
    """Whether the address is in HUB_TRUSTED_NETWORKS, or loopback and nobody forwarded it.

    A client of a proxy may have named itself so: X_Forwarded_For and X-Forwarded-For have one name
    where the server hands them over, and some proxies let the first one through.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    networks = current_app.extensions["settings"].trusted_networks
    near = found.is_loopback and not web.is_forwarded(request.environ)
    return near or any(found in network for network in networks)


def _nobody() -> Exception:
    """Nobody we know: JSON gets the contract's 401, a person the way to the login page."""
    if not web.wants_html():
        return Unauthenticated(MISSING)
    to = f"{url_for('access.login')}?next={quote(_here(), safe='')}"
    if not web.is_htmx():
        return HTTPException(response=web.send_again(401) or redirect(to, code=303))
    response = Response(status=401)
    # Nobody is sent away from a page that holds text that is not saved yet.
    if not _is_typing():
        response.headers["HX-Redirect"] = to
    return HTTPException(response=response)


def _is_typing() -> bool:
    """Whether the page that asks may hold a text: a poller's, or a command that carries one."""
    if request.method in ("GET", "HEAD"):
        return web.wants_part()
    return any(request.form.get(name, "").strip() for name in TYPED)


def _here() -> str:
    """The page that the person is looking at, to come back to after the login."""
    if web.is_htmx():
        return local_path(request.headers.get("HX-Current-URL"), request.host)
    if request.method in ("GET", "HEAD"):
        return local_path(request.full_path.rstrip("?"))
    return local_path(request.referrer, request.host)


def tell_rate(response: Response) -> Response:
    """Say on every answer to a key how much of its rate is left."""
    verdict: Verdict | None = g.get("rate")
    if verdict is not None:
        response.headers.extend(rate_headers(verdict))
    return response


def rate_headers(verdict: Verdict) -> list[tuple[str, str]]:
    """How much of its rate a key has left, and when it has all of it."""
    return [
        ("X-RateLimit-Limit", str(verdict.limit.per_minute)),
        ("X-RateLimit-Remaining", str(verdict.remaining)),
        ("X-RateLimit-Reset", str(clock.now() // clock.SECOND + verdict.reset_after)),
    ]
