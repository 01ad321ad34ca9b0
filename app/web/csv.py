"""Lists as CSV that Excel in Portuguese opens: UTF-8 with BOM, `;`, no cell that is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Response, stream_with_context

BOM = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guard(cell: Any) -> str:
    """A cell as text; what a spreadsheet would run gets an apostrophe in front."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if not isinstance(cell, int | float) and text.startswith(FORMULA) else text


def lines(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The file, line by line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    yield BOM
    writer.writerow([guard(cell) for cell in head])
    for row in rows:
        writer.writerow([guard(cell) for cell in row])
        yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    """What was written since the last time."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def download(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """The rows as a file, sent while they are read."""
    response = Response(
        stream_with_context(lines(head, rows)), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
