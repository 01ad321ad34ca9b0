"""The senders as the rows use them, and what their book says."""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from bench.processes import NotInTime, Process, until
from bench.stats import percentile
from chaos.hub import Hub

SENDERS = 16


class Try(NamedTuple):
    """One request of a sender; moments in ms, `status` 0 where no answer came."""

    n: int
    began: int
    ended: int
    status: int
    id: int | None
    error: str


class Sent:
    """What the senders know: every event's tries and the id that it was accepted under."""

    def __init__(self, tries: Sequence[Try]) -> None:
        self.tries = tries

    @cached_property
    def by_number(self) -> Mapping[int, list[Try]]:
        """The tries of each event."""
        found: dict[int, list[Try]] = defaultdict(list)
        for each in self.tries:
            found[each.n].append(each)
        return found

    @cached_property
    def ids(self) -> Mapping[int, int]:
        """Id by number of every event that was acknowledged."""
        return {each.n: each.id for each in self.tries if each.id is not None}

    @property
    def attempted(self) -> int:
        """How many events were sent at all."""
        return len(self.by_number)

    @property
    def recovered(self) -> int:
        """Whose first answer got lost, but which were stored: a later try said "known already"."""
        return sum(1 for each in self.tries if each.status == 200)

    def late(self, percent: float) -> float:
        """Milliseconds that so many of the requests did not exceed."""
        return percentile([each.ended - each.began for each in self.tries], percent)


class Clients:
    """Sixteen senders in a process of their own."""

    def __init__(
        self,
        hub: Hub,
        count: int,
        rate: float,
        name: str = "chaos",
        marks: Mapping[int, str] | None = None,
        event_type: str = "lead.updated",
        senders: int = SENDERS,
        seconds: float | None = None,
        folder: Path | None = None,
    ) -> None:
        """`count` 0 goes on until `seconds` are over; `marks` make events poisonous."""
        place = folder or hub.folder
        self.book = place / f"{name}.sent"
        self.count = count
        order = {
            "url": f"{hub.url}/api/events", "key": hub.api_key, "count": count, "rate": rate,
            "name": name, "marks": marks or {}, "event_type": event_type, "senders": senders,
            "book": str(self.book), **({} if seconds is None else {"seconds": seconds}),
        }  # fmt: skip
        paper = place / f"{name}.order"
        paper.write_text(json.dumps(order))
        with paper.open("rb") as given:
            words = [sys.executable, "-m", "chaos.posting"]
            log = place / f"{name}.log"
            self.process = Process(words, os.environ, log, stdin=given)

    def sent(self) -> Sent:
        """What has happened so far."""
        lines = self.book.read_text().splitlines() if self.book.exists() else []
        whole = [line for line in lines if line.endswith("}")]
        return Sent([Try(**json.loads(line)) for line in whole])

    def finish(self, seconds: float) -> Sent:
        """Wait until all is through."""
        until(lambda: not self.process.alive(), seconds, "all events are accepted", 0.1)
        if self.process.popen.returncode:
            raise NotInTime(f"the senders failed: {self.process.log.read_text()[-500:]}")
        return self.sent()

    def close(self) -> None:
        """End them, whatever is left."""
        self.process.stop()

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
