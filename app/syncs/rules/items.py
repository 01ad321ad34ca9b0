"""Items as the sources give them: what is one, what names it, and how the pages go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.payloads import DEEPEST, cut, depth, dump_json
from app.syncs.rules.table import Sync, fingerprint

LONGEST_ID = 80
# Two million items at the usual size of a page: far more than any of the systems has to tell.
MOST_PAGES = 10_000


class Unreadable(Exception):
    """The source answered with something that is no page of items."""


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a source: `next` is the number of the following page, None after the last."""

    items: Sequence[Any]
    next: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """An item that can be stored; `skip` where the source says there is nothing to do."""

    source_id: str
    version: str
    payload: str
    idempotency_key: str
    skip: bool


def page_of(raw: bytes, number: int) -> Page:
    """The page in a source's answer; Unreadable where it is none.

    A source without `meta` gives all there is at once, whatever page was asked for.
    """
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("a resposta não é JSON válido") from None
    items = document.get("data") if isinstance(document, dict) else document
    if not isinstance(items, list):
        raise Unreadable("a resposta não traz a lista `data`")
    meta = document.get("meta") if isinstance(document, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    last, total = _count(meta.get("last_page")), _count(meta.get("total"))
    # An empty page ends it, whatever the source says of its last page.
    more = bool(items) and last is not None and last > number
    return Page(items, number + 1 if more else None, total)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class NoItem:
    """Something in the list that cannot be worked on, named by its content."""

    source_id: str
    payload: str
    reason: str
    version: str = ""
    idempotency_key: str = ""


def found(sync: Sync, item: Any) -> Found | NoItem:
    """The item with its names; a NoItem where it has no id or an unexpected shape.

    One that is nested too deeply is kept and named as far as can be walked.
    """
    if too_deep := depth(item) > DEEPEST:
        item = cut(item)
    payload = json.dumps(item)
    source_id = item.get("id") if isinstance(item, Mapping) else None
    if not _is_id(source_id):
        return NoItem(f"?{fingerprint(item)}", payload, "o item não tem um id que se possa usar")
    text = str(source_id)
    if too_deep:
        return NoItem(text, payload, "o item está aninhado fundo demais", fingerprint(item))
    try:
        version, skip = sync.version(item), sync.skip(item)
        dump_json(sync.write(item, date.min).body)
    except Exception as problem:  # noqa: BLE001 - whatever a source sends is an item or is not
        reason = f"o item não tem a forma esperada ({type(problem).__name__})"
        return NoItem(text, payload, reason, fingerprint(item))
    return Found(text, version, payload, key(sync, text, version), skip)


def _is_id(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    return 0 < len(str(value)) <= LONGEST_ID and str(value).isprintable()


def key(sync: Sync, source_id: str, version: str) -> str:
    """The Idempotency-Key of an item's write: the same for ever, also in a new database."""
    if sync.own_key is not None:
        return sync.own_key(source_id)
    digest = hashlib.sha256(f"{sync.job_type}\0{source_id}\0{version}".encode()).hexdigest()
    return f"{sync.job}-{digest[:32]}"
