"""An answer as it comes in: a strict parser reads it, and what it lets through is judged here."""

from __future__ import annotations

import zlib
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from app.deliveries.http.problems import Garbled, TooLarge

READ_LIMIT = 64 * 1024
HEAD_LIMIT = 32 * 1024
HEADERS_READ = 64
START = b"HTTP/1."
KEPT = {
    name.lower().encode(): name
    for name in ("Content-Type", "Retry-After", "Location", "Server", "X-Request-ID")
}
PACKED = frozenset({b"gzip", b"x-gzip", b"deflate"})
# Whichever of the two heads the packed bytes begin with.
EITHER_HEAD = 47
BODILESS = frozenset({204, 304})


class Reply:
    """One answer, fed with bytes; the methods `on_…` are what the parser calls.

    `whole` is set only by the end that the answer itself announced, or by the end of a connection
    where it announced none. `reusable`: another request may follow on the connection.
    """

    __slots__ = (
        "_framed",
        "_head",
        "_headers",
        "_hints",
        "_parser",
        "_reading",
        "_size",
        "_unpacked",
        "_unpacker",
        "body",
        "headers",
        "heard",
        "reusable",
        "status",
        "whole",
    )  # fmt: skip

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, bytes] = {}
        self.body = bytearray()
        self.heard = False
        self.whole = False
        self.reusable = False
        self._parser: Any = HttpResponseParser(self)
        self._head = b""
        self._headers = 0
        self._size = 0
        # Informational answers that came before.
        self._hints = 0
        self._reading = True
        self._framed = False
        self._unpacker: zlib._Decompress | None = None
        self._unpacked = 0

    def feed(self, data: bytes) -> bool:
        """Take bytes in; whether the answer is whole now. Garbled, TooLarge."""
        self.heard = True
        if self._reading:
            self._head = self._head + data if self._head else data
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as problem:
            # An answer that was whole stays so whatever follows it, on a connection not used again.
            if not self.whole:
                raise _cause(problem) from None
            self.reusable = False
        if self._reading and len(self._head) > HEAD_LIMIT:
            raise Garbled("the head of the answer is too long")
        return self.whole

    def end(self) -> bool:
        """The connection has ended; whether that was the announced end of the answer."""
        if not self._reading and not self._framed:
            self.whole = True
        return self.whole

    def on_message_begin(self) -> None:
        """Another answer behind the end, which nobody asked for, is not even read."""
        if self.whole:
            raise Garbled("an answer to nothing")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody needs."""
        if not self._reading:
            return
        self._headers += 1
        self._size += len(name) + len(value)
        if self._headers > HEADERS_READ or self._size > HEAD_LIMIT:
            raise Garbled("the answer has too many headers")
        known = name.lower()
        if known in KEPT:
            self.headers[KEPT[known]] = value
        elif known == b"content-length":
            self._framed = True
        elif known == b"transfer-encoding":
            self._take_coding(value)
        elif known == b"content-encoding" and value.strip().lower() in PACKED:
            self._unpacker = zlib.decompressobj(EITHER_HEAD)

    def _take_coding(self, value: bytes) -> None:
        """Of the transfer codings only the plain one is understood, and only once."""
        if self._framed or value.strip().lower() != b"chunked":
            raise Garbled("the length of the answer is not clear")
        self._framed = True

    def on_headers_complete(self) -> None:
        """The head is there, unless it was only a hint of the answer to come."""
        status = self._parser.get_status_code()
        if status < 200:
            return
        begun = self._head.split(b"\r\n\r\n", self._hints + 1)[: self._hints + 1]
        if not all(part.startswith(START) and _is_text(part) for part in begun):
            raise Garbled("the answer is not HTTP/1")
        self.status = status
        self.reusable = self._parser.should_keep_alive()
        self._framed = self._framed or status in BODILESS
        self._reading = False

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        self.body += data
        if len(self.body) > READ_LIMIT or self._bursts(data):
            raise TooLarge(f"the answer is larger than {READ_LIMIT // 1024} KiB")

    def _bursts(self, data: bytes) -> bool:
        """Whether a packed body, which nobody asked for, holds more than is read of a plain one."""
        if self._unpacker is None:
            return False
        try:
            self._unpacked += len(self._unpacker.decompress(data, READ_LIMIT + 1))
        except zlib.error:
            self._unpacker = None
            return False
        return self._unpacked > READ_LIMIT or bool(self._unpacker.unconsumed_tail)

    def on_message_complete(self) -> None:
        """The announced end."""
        if self._reading:
            self._hints += 1
            self.headers.clear()
            self._framed = False
        else:
            self.whole = True

    def let_go(self) -> None:
        """Part with the parser, which knows this object too: no cycle is left to be collected."""
        self._parser = None


def _cause(problem: Exception) -> Exception:
    """What a method above raised inside the parser, else that the bytes are not HTTP."""
    inner = problem.__context__
    return inner if isinstance(inner, Garbled | TooLarge) else Garbled(str(problem))


def _is_text(head: bytes) -> bool:
    """Whether a status line is free of what no reason holds, although the parser takes it."""
    return not set(b"\0\v\f").intersection(head.split(b"\r\n", 1)[0])
