"""Who sent a webhook: signatures and tokens, before a byte of the body is believed."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from htmx_flask import request

from app import clock
from app.config import Settings
from app.db import reading
from app.errors import Forbidden, Unauthenticated
from app.systems.queries import snapshot
from app.systems.rules import signing

MISSING, WRONG = "Missing webhook signature", "Invalid signature"
UNPROVABLE = "No webhook secret is configured for this system"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Proof:
    """How far a webhook is proved; `message_id` where a signature covers one."""

    verified: bool
    message_id: str | None = None


def prove(system: str, raw: bytes) -> Proof:
    """Check the signature with the system's secrets. NotFound, Unauthenticated, Forbidden."""
    secrets = _secrets_of(system)
    if not secrets:
        return _unproved(system)
    if not signing.is_signed(request.headers):
        raise Unauthenticated(MISSING)
    proof = _signature(raw, secrets)
    if proof is None:
        raise Unauthenticated(WRONG)
    return proof


def prove_whatsapp(raw: bytes) -> Proof:
    """The same for Z-API, which signs nothing: a proxy's signature or one of two tokens."""
    settings: Settings = current_app.extensions["settings"]
    secrets = _secrets_of("whatsapp")
    tokens = (
        (request.args.get("token"), settings.zapi_webhook_token),
        (request.headers.get("z-api-token"), settings.zapi_token),
    )
    if not secrets and not any(expected for _, expected in tokens):
        return _unproved("whatsapp")
    if secrets and (proof := _signature(raw, secrets)):
        return proof
    if any(_same(given, expected) for given, expected in tokens):
        return Proof(True)
    given = signing.is_signed(request.headers) or any(given for given, _ in tokens)
    raise Unauthenticated(WRONG if given else MISSING)


def _secrets_of(system: str) -> Sequence[str]:
    with reading() as c:
        return snapshot.system(c, system).webhook_secrets


def _signature(raw: bytes, secrets: Sequence[str]) -> Proof | None:
    """What the signature proves; where the standard's own is shown, that one decides.

    Otherwise an old request would pass by its second signature, which holds no time.
    """
    if (request.headers.get("webhook-signature") or "").strip():
        message_id = signing.verify_standard(raw, request.headers, secrets, clock.now())
        return Proof(True, message_id) if message_id else None
    return Proof(True) if signing.verify_hmac(raw, request.headers, secrets) else None


def _unproved(system: str) -> Proof:
    """Nothing to prove it with: refused in production, marked as not verified elsewhere."""
    if current_app.extensions["settings"].production:
        raise Forbidden(UNPROVABLE)
    log.warning("webhook of %s accepted unproved: no secret is configured", system)
    return Proof(False)


def _same(given: str | None, expected: str) -> bool:
    """Compare as bytes, in constant time; what is not configured fits nothing."""
    if not given or not expected:
        return False
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
