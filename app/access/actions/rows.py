"""Rows that must exist before they can be locked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CursorResult, insert
from sqlalchemy.exc import IntegrityError

from app.db import Base, Tx


def ensure_row(tx: Tx, model: type[Base], **values: Any) -> None:
    """Insert the row unless it is there; the race of two first writers is lost quietly."""
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(insert(model).values(**values))
    except IntegrityError:
        pass


def inserted_id(result: CursorResult[Any]) -> int:
    """Identifier that the database gave to the row just inserted."""
    key = result.inserted_primary_key
    if key is None:
        raise LookupError("the statement inserted no single row")
    return int(key[0])
