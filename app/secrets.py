"""Secrets at rest: the installation's key, and sealing of what must be read back later."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets as randomness
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from flask import Flask, current_app

from app.config import Settings
from app.errors import Unavailable


def installation_key(settings: Settings) -> str:
    """The configured key, or the one made once in the data folder (development)."""
    if settings.secret_key:
        return settings.secret_key
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = settings.data_dir / "secret.key"
    if not path.exists():
        _write_once(path)
    return path.read_text().strip()


def _write_once(path: Path) -> None:
    """Create the key so that of two processes starting together one wins and both agree."""
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(randomness.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def init_app(app: Flask) -> None:
    """Give the application its key."""
    app.secret_key = installation_key(app.extensions["settings"])


@lru_cache(maxsize=4)
def _box(key: str) -> Fernet:
    digest = hashlib.blake2b(key.encode(), digest_size=32, person=b"hub-seal").digest()
    return Fernet(base64.urlsafe_b64encode(digest))


@lru_cache(maxsize=512)
def _opened(key: str, sealed: str) -> str:
    return _box(key).decrypt(sealed.encode()).decode()


def seal(plain: str) -> str:
    """Encrypt a secret for the database ('' stays '')."""
    return _box(str(current_app.secret_key)).encrypt(plain.encode()).decode() if plain else ""


def unseal(sealed: str) -> str:
    """Decrypt what `seal` made; Unavailable where the installation's key was changed."""
    if not sealed:
        return ""
    try:
        return _opened(str(current_app.secret_key), sealed)
    except InvalidToken:
        raise Unavailable(
            "a stored secret cannot be read: was HUB_SECRET_KEY changed?", 60
        ) from None


def mask(secret: str) -> str:
    """What of a secret may be shown: enough to recognise it, too little to use it."""
    return f"{secret[:4]}…{secret[-2:]}" if len(secret) >= 12 else "…" if secret else ""
