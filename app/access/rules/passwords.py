"""Passwords: what is accepted, and argon2id for keeping and checking them."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 128
FEWEST_DIFFERENT = 5
COMMON = ("123456789012", "1234567890123", "qwertyuiop12", "password1234", "senha1234567")

_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)
# Nobody's password: checking against it makes an unknown user take as long as a known one.
NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$+TiVF4gX7Y9CrzfLq9oYrA$mMhNMAmbiXgaHCDvfPfrtO6cyCvj0Uxu0pkGuTHxEhk"
)


def problems(password: str, email: str) -> list[str]:
    """Why a password is refused, in Portuguese; empty when it is good."""
    found = []
    if not SHORTEST <= len(password) <= LONGEST:
        found.append(f"Use de {SHORTEST} a {LONGEST} caracteres.")
    if len(set(password)) < FEWEST_DIFFERENT or password.lower() in COMMON:
        found.append("Esta senha é fácil de adivinhar.")
    local = email.partition("@")[0].lower()
    if len(local) >= 3 and local in password.lower():
        found.append("A senha não pode conter o seu e-mail.")
    return found


def hashed(password: str) -> str:
    """The hash to keep."""
    return _hasher.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Whether it is the password; about 30 ms either way."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with other costs than today's."""
    return _hasher.check_needs_rehash(password_hash)
