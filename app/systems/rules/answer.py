"""What came of a request to a partner, as a value."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Answer(Struct, frozen=True):
    """What came of a request.

    `error_class` is '' when a whole answer came (whatever its status), else one of: timeout,
    connect, dns, tls, blocked_address, cut_off, too_large, protocol, invalid_url. `status` may be
    known even then: a 200 that was cut off is no success. `settled`: the purpose is served,
    whatever the status says. `output` is JSON that the answer leaves for later steps, `url` where
    it went, without secrets, if its sender chose that.
    """

    status: int | None
    body: bytes
    headers: Mapping[str, str]
    latency_ms: int
    error_class: str = ""
    error: str = ""
    settled: bool = False
    output: str | None = None
    url: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the partner took it: a whole answer with a 2xx."""
        return not self.error_class and self.status is not None and 200 <= self.status < 300
