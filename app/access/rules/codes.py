"""Codes of the second step: six digits that change every 30 s, and codes for a lost phone."""

from __future__ import annotations

import hashlib
import re
import secrets

import pyotp

STEP_SECONDS = 30
# Steps before and after now that count too: clocks of phones are not exact.
DRIFT = 1
RECOVERY_CODES = 10
ISSUER = "Carinho Integrações"
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_secret() -> str:
    """A fresh secret for an authenticator application."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, email: str) -> str:
    """What the QR code says."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_of(secret: str, code: str, now: int, last: int) -> int | None:
    """The time step whose code this is; None: wrong, or a step that has counted before.

    `last` is the newest step that counted, `now` in ms.
    """
    digits = re.sub(r"\s", "", code)
    present = now // 1000 // STEP_SECONDS
    totp, found = pyotp.TOTP(secret), None
    for step in range(present - DRIFT, present + DRIFT + 1):
        right = secrets.compare_digest(totp.generate_otp(step).encode(), digits.encode())
        if right and step > last:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes of 79 bits, in groups that can be read aloud."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
        for _ in range(RECOVERY_CODES)
    ]


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code; case, spaces and dashes do not count."""
    plain = re.sub(r"[\s-]", "", code).lower()
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


def stamp(password_hash: str, secret: str | None, last_login_at: int | None) -> str:
    """What half a login is bound to: it ends with another password or phone, and by a login."""
    bound = f"{password_hash} {secret} {last_login_at}"
    return hashlib.sha256(bound.encode()).hexdigest()
