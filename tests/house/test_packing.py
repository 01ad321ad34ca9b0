"""Files of ours travel compressed to whoever takes that; pages never do."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from flask.testing import FlaskClient

STATIC = Path(__file__).parents[2] / "static"
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.parametrize("name", ["css/base.css", "js/live.js", "icons.svg"])
def test_a_file_is_compressed_once(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/static/{name}", headers=GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data) == (STATIC / name).read_bytes()
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert "Accept-Encoding" in answer.headers["Vary"]
    again = client.get(f"/static/{name}", headers=GZIP | {"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("headers", [{}, {"Accept-Encoding": "gzip;q=0"}])
def test_others_get_it_as_it_is(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get("/static/css/base.css", headers=headers)
    assert "Content-Encoding" not in answer.headers
    assert answer.data == (STATIC / "css/base.css").read_bytes()


def test_a_part_and_a_head_stay_plain(client: FlaskClient) -> None:
    part = client.get("/static/css/base.css", headers=GZIP | {"Range": "bytes=0-9"})
    assert (part.status_code, len(part.data)) == (206, 10)
    assert "Content-Encoding" not in part.headers
    assert client.head("/static/css/base.css", headers=GZIP).data == b""


def test_pages_and_missing_files_are_left_alone(client: FlaskClient) -> None:
    assert "Content-Encoding" not in client.get("/login", headers=GZIP).headers
    assert client.get("/static/nada.css", headers=GZIP).status_code == 404
    assert client.get("/static/../app/db.py", headers=GZIP).status_code == 404
