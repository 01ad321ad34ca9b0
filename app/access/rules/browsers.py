"""A browser's name for people, out of what it calls itself."""

from __future__ import annotations

# In this order: many a browser also bears the names of those after it.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
DEVICES = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser(agent: str) -> str:
    """Chrome, Android; the beginning of the text where nothing is known."""
    names = [
        next((word for mark, word in table if mark in agent), "") for table in (BROWSERS, DEVICES)
    ]
    return ", ".join(name for name in names if name) or agent[:40] or "—"
