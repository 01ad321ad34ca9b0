"""Reads of the API keys for people: state, use, what has to be replaced."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.access.models import ApiKey, ApiKeyUse
from app.access.rules.age import key_state
from app.clock import DAY
from app.paging import AnyRow

USES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class KeyCard:
    """A key as a person looks at it; `uses` are the addresses, newest first."""

    row: AnyRow
    state: str
    scopes: tuple[str, ...]
    uses: tuple[AnyRow, ...]

    @property
    def works(self) -> bool:
        """Whether it still opens doors."""
        return self.state not in ("revoked", "expired")

    @property
    def days(self) -> int | None:
        """For how many days it was made (a part of one counts whole); None: until revoked."""
        if self.row.expires_at is None:
            return None
        return int(-(-(self.row.expires_at - self.row.created_at) // DAY))


def key_cards(c: Connection, now: int) -> list[KeyCard]:
    """All keys, those that work first, the newest first."""
    uses: dict[int, list[AnyRow]] = {}
    for use in c.execute(select(ApiKeyUse.__table__).order_by(ApiKeyUse.last_at.desc())):
        uses.setdefault(use.key_id, []).append(use)
    rows: Sequence[AnyRow] = c.execute(select(ApiKey.__table__).order_by(ApiKey.id.desc())).all()
    cards = [
        KeyCard(
            row,
            key_state(row.status, row.created_at, row.expires_at, row.replaced_by, now),
            tuple(json.loads(row.scopes_json)),
            tuple(uses.get(row.id, ())[:USES_SHOWN]),
        )
        for row in rows
    ]
    return sorted(cards, key=lambda card: not card.works)
