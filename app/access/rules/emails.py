"""E-mail addresses as logins."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)+")


def normal_email(text: str) -> str:
    """Trimmed and in lower case; '' where it is no address."""
    email = text.strip().lower()
    return email if len(email) <= 190 and _EMAIL.fullmatch(email) else ""
