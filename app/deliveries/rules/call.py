"""A call to a system's API as a delivery: what its body says, and what its answer leaves.

The body is JSON: `method`, `path`, `query`, `json`, `key` (an Idempotency-Key of its own), and
`leaves`: name → path in the answer. `demands` names what must be there; `absent` says that a 404
only means "there is none".
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from app.deliveries.rules.message import Message, message_id
from app.mappings.rules.paths import lookup, parse_path
from app.payloads import TooDeep, dump_json, is_plain, read_json
from app.systems.rules.answer import Answer

UNREADABLE = "bad_answer"


class Call(Struct, frozen=True, omit_defaults=True):
    """One call; `leaves` maps names to dotted paths in the answer."""

    method: str
    path: str
    json: Any = None
    query: dict[str, Any] = {}
    leaves: dict[str, str] = {}
    demands: tuple[str, ...] = ()
    absent: bool = False
    key: str = ""

    def as_body(self) -> bytes:
        """The call as a delivery keeps it; what is as usual is not said."""
        return dump_json(self)

    @classmethod
    def read(cls, body: bytes) -> Call:
        """The call in a delivery."""
        return _read(body)

    def url(self, base: str) -> str:
        """Where it goes."""
        query = f"?{urlencode(self.query)}" if self.query else ""
        return f"{base.rstrip('/')}{self.path}{query}"

    def content(self) -> bytes:
        """The bytes to send; none for a call that only reads."""
        return b"" if self.json is None else dump_json(self.json)


_read = Decoder(Call).decode
_path = lru_cache(maxsize=256)(parse_path)


def headers_of_call(message: Message, call: Call, api_key: str) -> dict[str, str]:
    """Headers of a call; its request id and key are the same on every attempt."""
    known_by = message_id(message.id, message.created_at)
    headers = {
        "Accept": "application/json",
        "X-Source-System": "integracoes",
        "X-Request-ID": known_by,
        "X-API-Key": api_key,
    }
    if call.method != "GET":
        headers |= {"Content-Type": "application/json", "Idempotency-Key": call.key or known_by}
    return headers


def judged(call: Call, answer: Answer) -> Answer:
    """The answer with what it leaves, plain values only.

    One that lacks what was asked for, or has there what no id and no number is, is a failure.
    """
    if call.absent and answer.status == 404 and not answer.error_class:
        return replace(answer, settled=True, output="{}")
    if not answer.accepted or not call.leaves:
        return answer
    try:
        document = read_json(answer.body)
    except TooDeep:
        return _unusable(answer, "the answer is nested too deeply")
    except ValueError:
        return _unusable(answer, "the answer is not JSON")
    left = {name: lookup(document, _path(path)) for name, path in call.leaves.items()}
    if missing := [name for name in call.demands if left.get(name) is None]:
        return _unusable(answer, f"no {missing[0]} in the answer")
    if strange := [name for name, value in left.items() if not is_plain(value)]:
        return _unusable(answer, f"{strange[0]} in the answer is no short text or number")
    return replace(answer, output=json.dumps(left, ensure_ascii=False))


def _unusable(answer: Answer, why: str) -> Answer:
    return replace(answer, error_class=UNREADABLE, error=why)
