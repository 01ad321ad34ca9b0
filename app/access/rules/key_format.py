"""How an API key looks: `carinho_<40 random characters>_<6 of checksum>`."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib

START = "carinho_"
LENGTH = 40
SHOWN = len(START) + 8
_ALPHABET = string.digits + string.ascii_letters
_KEY = re.compile(rf"{START}[0-9A-Za-z]{{{LENGTH}}}_[0-9A-Za-z]{{6}}", re.ASCII)


def new_key() -> str:
    """A fresh key with 238 bits of chance."""
    stem = START + "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
    return f"{stem}_{_checksum(stem)}"


def well_formed(key: str) -> bool:
    """Whether it can be a key of ours; typing errors and cut keys need no look-up."""
    stem, _, checksum = key.rpartition("_")
    return bool(_KEY.fullmatch(key)) and checksum == _checksum(stem)


def key_hash(key: str) -> str:
    """What is stored: SHA-256 in hex. A key is long and random, so no slow hash is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(stem: str) -> str:
    """CRC-32 in base 62, six characters."""
    number, digits = zlib.crc32(stem.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits
