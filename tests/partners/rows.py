"""The small books of business of one system: its leads, invoices, schedules."""

import itertools
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Answer = tuple[int, Any]


class BadRequest(Exception):
    """The body of a call cannot be used."""


@dataclass(slots=True)
class Call:
    """One call to an endpoint of a system."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Row:
        """The body as an object."""
        try:
            document = json.loads(self.body or b"{}")
        except ValueError as error:
            raise BadRequest("The body is not JSON") from error
        if not isinstance(document, dict):
            raise BadRequest("The body is not an object")
        return document


class Rows:
    """Tables of rows by id, and the answers already given to idempotency keys."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._tables: dict[str, dict[str, Row]] = defaultdict(dict)
        self._numbers = itertools.count(1001)
        self.answers: dict[tuple[str, str, str], Answer] = {}

    def insert(self, table: str, values: Row) -> Row:
        """Add a row; an id of its own is kept, else it gets the next number."""
        row = {"id": next(self._numbers), **values}
        self._tables[table][str(row["id"])] = row
        return row

    def get(self, table: str, row_id: str) -> Row | None:
        """One row by its id."""
        return self._tables[table].get(row_id)

    def all(self, table: str) -> list[Row]:
        """The rows of a table in the order in which they came."""
        return list(self._tables[table].values())

    def remove(self, table: str, row_id: str) -> Row | None:
        """Take a row out."""
        return self._tables[table].pop(row_id, None)

    def dump(self) -> dict[str, list[Row]]:
        """All tables that hold something."""
        return {name: list(rows.values()) for name, rows in self._tables.items() if rows}


def digits(phone: object) -> str:
    """A phone as digits with country code."""
    bare = "".join(sign for sign in str(phone) if sign.isdigit())
    return f"55{bare}" if len(bare) in (10, 11) else bare
