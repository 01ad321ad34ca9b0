"""What templates may say: filters for times and numbers, and what the person may do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import Flask, current_app, url_for
from flask_babel import format_decimal, lazy_gettext
from werkzeug.routing import BuildError

from app import clock

UNITS = ((clock.DAY, "d"), (clock.HOUR, "h"), (clock.MINUTE, "min"), (clock.SECOND, "s"))


def when(ms: int | None) -> str:
    """Absolute time in the zone of the operation: 23/11/2026 08:05:09."""
    if ms is None:
        return "—"
    zone = current_app.extensions["settings"].zone
    return clock.to_datetime(ms, zone).strftime("%d/%m/%Y %H:%M:%S")


def iso_local(ms: int | None) -> str:
    """ISO-8601 with the operation's offset, for `datetime` attributes."""
    if ms is None:
        return ""
    zone = current_app.extensions["settings"].zone
    return clock.to_datetime(ms, zone).isoformat(timespec="seconds")


def duration(ms: int | None) -> str:
    """A length of time with its two largest units: 1 h 20 min."""
    if ms is None:
        return "—"
    if 0 <= ms < clock.SECOND:
        return f"{ms} ms"
    parts: list[str] = []
    for size, unit in UNITS:
        count, ms = divmod(ms, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0 s"


def ago(ms: int | None) -> str:
    """Relative time: há 4 min, em 20 s."""
    if ms is None:
        return "—"
    gap = clock.now() - ms
    if abs(gap) < clock.SECOND:
        return "agora"
    text = duration(abs(gap)).split(" ")
    return f"há {' '.join(text[:2])}" if gap > 0 else f"em {' '.join(text[:2])}"


def number(value: float | None) -> str:
    """12.345,6"""
    return "—" if value is None else format_decimal(value)


def size(count: int | None) -> str:
    """Bytes in a unit people read."""
    value = float(count or 0)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def pairs(values: Iterable[str]) -> list[tuple[str, str]]:
    """Values as the options of a select that are their own words."""
    return [(value, value) for value in values]


def sentence(text: str) -> str:
    """The text with a capital at its beginning; the rest stays (HTTP, CRM)."""
    return f"{text[:1].upper()}{text[1:]}"


def headers(stored: str) -> str:
    """Headers that are stored as a JSON object, one a line."""
    return "\n".join(f"{name}: {value}" for name, value in json.loads(stored or "{}").items())


def has_endpoint(name: str) -> bool:
    """Whether a page of that name exists (navigation lists only what is built)."""
    return name in current_app.view_functions


def url_or_none(name: str, **values: Any) -> str | None:
    """A link, or None where the page does not exist."""
    try:
        return url_for(name, **values)
    except BuildError:
        return None


def init_app(app: Flask) -> None:
    """Install filters and globals."""
    app.jinja_env.filters.update(
        when=when, ago=ago, iso=iso_local, duration=duration, number=number, bytes=size,
        pairs=pairs, sentence=sentence, headers=headers,
    )  # fmt: skip
    app.jinja_env.globals.update(
        has_endpoint=has_endpoint,
        url_or_none=url_or_none,
        lazy_gettext=lazy_gettext,
        live_poll=app.extensions["settings"].live_poll,
        zone_name="horários de Brasília",
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
