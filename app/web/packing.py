"""Our own files travel compressed; pages do not, because a token beside typed text must not."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app
from htmx_flask import request

KINDS = {"text/css", "text/javascript", "application/javascript", "image/svg+xml"}
# More than there are files: each is compressed once per process and change.
FILES = 64


def init_app(app: Flask) -> None:
    """Compress what is under static/ for whoever takes gzip."""
    app.after_request(pack)


def pack(response: Response) -> Response:
    """The same file, smaller; the tag turns weak, since two forms of it share it."""
    if request.endpoint != "static" or response.mimetype not in KINDS:
        return response
    response.vary.add("Accept-Encoding")
    tag, _ = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)
    # A HEAD, a part (206) and "not modified" have no body to pack.
    if response.status_code != 200 or request.method != "GET" or not tag:
        return response
    if request.accept_encodings["gzip"] > 0:
        response.direct_passthrough = False
        response.set_data(_packed(_file((request.view_args or {})["filename"]), tag))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _file(name: str) -> Path:
    return Path(current_app.static_folder or "") / name


@lru_cache(FILES)
def _packed(path: Path, _tag: str) -> bytes:
    """The file's bytes, compressed; the tag changes with the file."""
    return gzip.compress(path.read_bytes(), 9, mtime=0)
