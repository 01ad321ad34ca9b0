"""Pages of JSON lists: one shape of `meta`, bounded sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel, Field
from sqlalchemy import Row, Select, func, select
from sqlalchemy.engine import Connection

# Rows and queries of whatever columns.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


class Paging(BaseModel):
    """The query string of a list; filters inherit from it."""

    page: int = Field(1, ge=1, le=1_000_000)
    per_page: int = Field(20, ge=1, le=100)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and where it stands in the whole."""

    rows: Sequence[AnyRow]
    number: int
    per_page: int
    total: int

    @property
    def last(self) -> int:
        """Number of the last page; an empty list has one page."""
        return max(1, -(-self.total // self.per_page))

    def as_json(self, shape: Callable[[AnyRow], Any]) -> dict[str, Any]:
        """The contract's list: data[] and meta."""
        meta = {
            "current_page": self.number,
            "last_page": self.last,
            "per_page": self.per_page,
            "total": self.total,
        }
        return {"data": [shape(row) for row in self.rows], "meta": meta}


def paginate(connection: Connection, query: AnySelect, wanted: Paging) -> Page:
    """The rows of one page; `query` must have an order of its own."""
    counted = select(func.count()).select_from(query.order_by(None).subquery())
    total = connection.execute(counted).scalar_one()
    start = (wanted.page - 1) * wanted.per_page
    rows = connection.execute(query.limit(wanted.per_page).offset(start)).all()
    return Page(rows, wanted.page, wanted.per_page, total)
