"""A request ready to leave: where it goes, and its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from app.deliveries.http.problems import Garbled, InvalidUrl
from app.systems.rules.addresses import is_name

BODY_KEPT = 8 * 1024
PORTS = {"http": 80, "https": 443}
# Everything a URL may hold; what stands escaped already stays so.
URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
STANDING = "User-Agent: carinho-integracoes\r\nAccept-Encoding: identity\r\n"


class Outgoing(NamedTuple):
    """A request ready to leave; timeouts in seconds, `timeout` covers all of it.

    `kept`: so many bytes of the answer's body are handed back.
    """

    url: str
    body: bytes
    headers: Mapping[str, str]
    connect_timeout: float
    timeout: float
    method: str = "POST"
    kept: int = BODY_KEPT


class Origin(NamedTuple):
    """Whom a connection leads to; connections are kept by it."""

    host: str
    port: int
    tls: bool


class Place(NamedTuple):
    """An origin, and how a request to the URL begins."""

    origin: Origin
    head: str


@lru_cache(maxsize=1024)
def place(method: str, url: str) -> Place:
    """Where a request goes; InvalidUrl."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise InvalidUrl(f"not a URL to call: {url}") from None
    host = parts.hostname or ""
    if "@" in parts.netloc or not (_is_address(host) or is_name(host)):
        raise InvalidUrl(f"no host to call: {url}")
    named = parts.netloc.removesuffix(f":{PORTS[parts.scheme]}")
    head = f"{method} {_target(parts)} HTTP/1.1\r\nHost: {named}\r\n{STANDING}"
    return Place(Origin(host, port, parts.scheme == "https"), head)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _target(parts: SplitResult) -> str:
    query = f"?{parts.query}" if parts.query else ""
    return quote((parts.path or "/") + query, safe=URL_CHARACTERS)


def encoded(out: Outgoing, head: str) -> bytes:
    """The bytes of a request; Garbled for a header that would break out of its line."""
    lines = [f"{name}: {value}\r\n" for name, value in out.headers.items()]
    text = "".join(lines)
    if text.count("\r") != len(lines) or text.count("\n") != len(lines) or "\0" in text:
        raise Garbled("a header holds a line break")
    if "Accept" not in out.headers:
        text += "Accept: */*\r\n"
    if out.body or out.method != "GET":
        text += f"Content-Length: {len(out.body)}\r\n"
    return b"%b%b\r\n%b" % (head.encode(), text.encode(), out.body)
