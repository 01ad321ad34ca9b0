"""Both ends compared: what the senders were promised, what the systems got, what the hub says.

The words are Jepsen's. attempted: sent at least once · acknowledged: answered with 2xx · lost:
acknowledged, but it never reached its system · unexpected: reached it, but was never sent, or twice
under different ids · duplicated: accepted by its system more than once · recovered: the answer got
lost on its way, the event did not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from chaos.clients import Sent
from chaos.figures import NONE, Figure, exactly
from chaos.target import Entry
from chaos.target_server import ACCEPTED, FORGED


@dataclass(frozen=True, slots=True)
class Account:
    """The counts; `again` holds the moments (ms) at which a message was accepted once more."""

    attempted: int
    acknowledged: int
    lost: Collection[int]
    unexpected: Collection[int]
    again: Sequence[tuple[int, int]]
    recovered: int
    forged: int

    def figures(self, expected: int) -> list[Figure]:
        """As lines of the table, for `expected` events."""
        return [
            Figure("attempted", self.attempted, exactly(expected)),
            Figure("acknowledged", self.acknowledged, exactly(expected)),
            Figure("lost", len(self.lost), NONE),
            Figure("unexpected", len(self.unexpected), NONE),
            Figure("recovered", self.recovered),
            Figure("bad signatures", self.forged, NONE),
        ]


def reconcile(
    sent: Sent, entries: Sequence[Entry], never: Collection[int] = (), system: str = "crm"
) -> Account:
    """Compare; events in `never` (poison) must not be accepted by anybody."""
    mine = [each for each in entries if each.system == system]
    accepted = [each for each in mine if each.outcome == ACCEPTED]
    delivered = {each.event for each in accepted}
    return Account(
        attempted=sent.attempted,
        acknowledged=len(sent.ids),
        lost=[n for n, id_ in sent.ids.items() if n not in never and id_ not in delivered],
        unexpected=_unexpected(sent, mine, set(never)),
        again=_again(accepted),
        recovered=sent.recovered,
        forged=sum(each.outcome == FORGED for each in mine),
    )


def _unexpected(sent: Sent, entries: Sequence[Entry], never: set[int]) -> list[int]:
    """Numbers that nobody sent, that came under two ids, or that should have been refused."""
    ids: Mapping[int | None, set[tuple[int, str]]] = defaultdict(set)
    for each in entries:
        ids[each.number].add((each.event, each.message))
    wrong = {n if n is not None else -1 for n, found in ids.items()
             if n not in sent.by_number or len(found) > 1
             or (n in sent.ids and sent.ids[n] not in {event for event, _ in found})}  # fmt: skip
    accepted = {each.number for each in entries if each.outcome == ACCEPTED}
    return sorted(wrong | {n for n in never if n in accepted})


def _again(accepted: Sequence[Entry]) -> list[tuple[int, int]]:
    """(number, ms) of every acceptance after the first of a message."""
    seen: set[str] = set()
    found = []
    for each in sorted(accepted):
        if each.message in seen:
            found.append((each.number or 0, each.at))
        seen.add(each.message)
    return found
