"""Lists as CSV that Excel in Portuguese opens: UTF-8 with BOM, `;`, no cell that is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Response, stream_with_context

BOM = "\ufeff"
# What begins a formula, the full-width forms that some spreadsheets take for the same included.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
# What a spreadsheet may drop before it looks at the first sign.
IGNORED = "\t\r\n\v\f \0\xa0\ufeff\u200b\u2060"


def guard(cell: Any) -> str:
    """A cell as text; what a spreadsheet would run gets an apostrophe in front."""
    text = "" if cell is None else str(cell)
    if isinstance(cell, int | float):
        return text
    runs = text.lstrip(IGNORED).startswith(FORMULA) or text.startswith(("\t", "\r", "\n"))
    return f"'{text}" if runs else text


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
