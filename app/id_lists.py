"""Long lists of ids in a statement, as one parameter: 500 names cost more than the rows."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, cast, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.functions import FunctionElement


class _Listed(FunctionElement[int]):
    """The rows of a JSON array of integers."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Listed, "sqlite")
def _on_sqlite(element: _Listed, compiler: Any, **options: Any) -> str:
    rows = func.json_each(*element.clauses).table_valued("value")
    return str(compiler.process(select(rows.c.value).scalar_subquery(), **options))


@compiles(_Listed, "postgresql")
def _on_postgresql(element: _Listed, compiler: Any, **options: Any) -> str:
    (text,) = element.clauses
    array = cast(text, JSON)
    rows = func.json_array_elements_text(array).table_valued("value")
    ids = select(cast(rows.c.value, BigInteger))
    return str(compiler.process(ids.scalar_subquery(), **options))


def among(column: InstrumentedAttribute[Any], ids: Collection[int]) -> ColumnElement[bool]:
    """Whether the column is one of the ids; never, where there are none."""
    return column.op("IN", is_comparison=True)(_Listed(json.dumps(list(ids))))
