"""Where a redirect may lead: only to a page of this hub."""

from __future__ import annotations

from urllib.parse import urlsplit


def local_path(wanted: str | None, host: str = "") -> str:
    """Path and query of `wanted` if it stays here, else '/'; a full URL must be on `host`."""
    text = wanted or "/"
    # Browsers read a backslash as a slash and drop control characters: //evil in disguise.
    if "\\" in text or any(ord(sign) < 33 or ord(sign) == 127 for sign in text):
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    if (parts.scheme or parts.netloc) and not (host and parts.netloc == host):
        return "/"
    if not parts.path.startswith("/") or parts.path.startswith("//"):
        return "/"
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
