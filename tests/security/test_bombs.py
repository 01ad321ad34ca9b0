"""Bombs: bodies that are small to send and dear to read."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import Invalid
from app.payloads import dump_json, parse_json


@pytest.fixture
def environ() -> dict[str, str]:
    return {"RATE_LIMIT_PER_MINUTE": "1000000", "RATE_LIMIT_BURST": "1000000"}


def _event(payload: str) -> bytes:
    return b'{"event_type":"lead.created","source_system":"site","payload":%b}' % payload.encode(
        "utf-8", "surrogatepass"
    )


REFUSED = {
    "deep lists": _event('{"a":' + "[" * 5_000 + "]" * 5_000 + "}"),
    "deep objects": _event('{"a":' * 2_000 + "1" + "}" * 2_000),
    "one level too deep": _event('{"a":' * 32 + "1" + "}" * 32),
    "unclosed depth": b"[" * 500_000,
    "unclosed objects": b'{"a":' * 100_000,
    "infinity": _event('{"a":1e400}'),
    "NaN": _event('{"a":NaN}'),
    "minus infinity": _event('{"a":-Infinity}'),
    "a number of 5,000 digits": _event('{"a":' + "9" * 5_000 + "}"),
    "a lone surrogate": _event('{"a":"\\ud800"}'),
    "a lone surrogate as a key": _event('{"\\udfff":1}'),
    "NUL": _event('{"a":"\\u0000"}'),
    "NUL as a key": _event('{"\\u0000":1}'),
    "bytes that are no UTF-8": _event('{"a":"x"}').replace(b"x", b"\xff\xfe"),
    "surrogates in bytes": _event('{"a":"\ud800"}'),
    "two documents": _event("{}") * 2,
    "a BOM": b"\xef\xbb\xbf" + _event("{}"),
    "UTF-16": json.dumps({"event_type": "lead.created"}).encode("utf-16"),
    "comments": b"/* */" + _event("{}"),
    "single quotes": b"{'event_type':'lead.created'}",
    "a trailing comma": b'{"event_type":"lead.created",}',
    "leading zeros": _event('{"a":007}'),
    "hexadecimal": _event('{"a":0x10}'),
    "a raw line end in a text": _event('{"a":"x\ny"}'),
    "a list for an object": b"[]",
    "a text for an object": b'"x"',
    "null": b"null",
    "nothing but white space": b"   \n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bomb_is_refused_at_the_door(client: FlaskClient, api_key, name: str) -> None:
    answer = client.post(
        "/api/events", data=REFUSED[name], headers={"X-API-Key": api_key("events:write")}
    )
    assert answer.status_code == 422, answer.text
    assert len(answer.data) < 2_000


@pytest.mark.parametrize("name", REFUSED)
def test_and_by_the_webhooks(seeded_app: Flask, client: FlaskClient, name: str) -> None:
    answer = client.post("/webhooks/site/lead", data=REFUSED[name])
    assert answer.status_code == 422 or name == "NUL", answer.text


KEPT = {
    "many keys": "{" + ",".join(f'"k{n}":{n}' for n in range(20_000)) + "}",
    "many items": '{"a":[' + ",".join("1" * 1 for _ in range(100_000)) + "]}",
    "a long text": '{"a":"' + "x" * 900_000 + '"}',
    "equal keys": '{"a":1,"a":2}',
    "odd but lawful names": '{"__proto__":{"x":1},"constructor":1,"__class__":"x"}',
    "numbers at the edge": '{"a":1e308,"b":-9223372036854775808,"d":18446744073709551617}',
}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_large_but_lawful_is_kept(
    seeded_app: Flask, client: FlaskClient, api_key, name: str
) -> None:
    headers = {"X-API-Key": api_key("events:*")}
    answer = client.post("/api/events", data=_event(KEPT[name]), headers=headers)
    assert answer.status_code == 201, answer.text
    shown = client.get(answer.headers["Location"], headers=headers).json
    assert shown["data"]["payload"] == json.loads(KEPT[name])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
@pytest.mark.parametrize("path", ["/api/events", "/webhooks/site/lead"])
def test_compressed_bodies_are_not_unpacked(
    seeded_app: Flask, client: FlaskClient, api_key, encoding: str, path: str
) -> None:
    huge = b'{"event_type":"lead.created","pad":"' + b" " * 20_000_000
    packed = zlib.compress(huge, 9) if encoding == "deflate" else gzip.compress(huge, 9)
    headers = {"X-API-Key": api_key("events:write"), "Content-Encoding": encoding}
    answer = client.post(path, data=packed, headers=headers)
    assert answer.status_code in (415, 422), answer.text


@pytest.mark.parametrize("path", ["/login", "/api/events", "/webhooks/whatsapp", "/preferences"])
def test_a_body_over_the_limit_is_refused_unread(client: FlaskClient, path: str) -> None:
    answer = client.post(path, data=b"x" * 1_100_000, content_type="application/json")
    assert answer.status_code in (401, 403, 413)


def test_a_form_of_a_hundred_thousand_fields_is_refused(
    seeded_app: Flask, client: FlaskClient, login
) -> None:
    login(client, 3)
    form = "&".join(f"f{n}={n}" for n in range(100_000))
    kind = "application/x-www-form-urlencoded"
    answer = client.post("/dlq/retry", data=form[:1_000_000], content_type=kind)
    assert answer.status_code < 500
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="f{n}"\r\n\r\n1\r\n' for n in range(12_000)
    )
    kind = "multipart/form-data; boundary=x"
    answer = client.post("/dlq/retry", data=f"{parts}--x--\r\n"[:1_000_000], content_type=kind)
    assert answer.status_code < 500


SHARED = {"b": "x" * 400_000, "l": [1] * 100_000}


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "concat", "sources": ["b"] * 50},
        {"type": "array", "sources": ["b"] * 50},
        {"type": "array", "sources": ["l"] * 50},
        {"type": "array", "sources": {f"k{n}": "l" for n in range(10)}},
        {"type": "direct", "source": "b"},
        "b",
    ],
    ids=["texts joined", "lists of texts", "lists of lists", "named lists", "a text", "a path"],
)
def test_a_mapping_does_not_multiply_a_payload(
    seeded_app: Flask, client: FlaskClient, api_key, rule: object
) -> None:
    """A text named ten thousand times would be gigabytes in the process that answers everybody."""
    document = {f"t{n}": rule for n in range(200)}
    body = {"event_type": "lead.created", "target_system": "crm", "mapping": document}
    headers = {"X-API-Key": api_key("mappings:read")}
    answer = client.post("/api/mappings/test", json={**body, "payload": SHARED}, headers=headers)
    assert answer.status_code == 422
    assert "4 MiB" in answer.json["error"]
    small = {"b": "x", "l": [1]}
    answer = client.post("/api/mappings/test", json={**body, "payload": small}, headers=headers)
    assert answer.status_code == 200


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300))
def test_whatever_bytes_come_are_stored_or_refused(raw: bytes) -> None:
    try:
        value = parse_json(raw, 32)
    except Invalid:
        return
    try:
        assert json.loads(dump_json(value)) == value
    except Invalid:
        return


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_value_comes_is_stored_or_refused(value: object) -> None:
    try:
        parsed = parse_json(json.dumps(value).encode(), 32)
        dump_json(parsed)
    except Invalid:
        return
