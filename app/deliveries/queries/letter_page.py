"""What the console's list of dead letters shows beside the letters themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import Field
from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.engine import Connection

from app import counters
from app.deliveries.models import RETRYING, Attempt, Cause, DeadLetter
from app.deliveries.queries.dead_letters import COUNT_UP_TO, DeadLetterFilter, Narrow
from app.paging import AnyRow, AnySelect

PER_PAGE = 25
CHUNK = 1_000
NEWER_UP_TO = 1_000
# Beginning of an answer, enough for its first line.
HEAD = 800


class LetterFilter(DeadLetterFilter):
    """The filter with the console's page size; `upto` holds newer letters back until asked for."""

    per_page: int = Field(PER_PAGE, ge=1, le=100)
    upto: Annotated[str, Field(pattern=r"^(\d{1,18}\.\d{1,18})?$")] = ""

    def apply(self, query: AnySelect, now: int) -> AnySelect:
        """The conditions, without what died since the page was opened."""
        query = super().apply(query, now)
        return query.where(_key() <= _parts(self.upto)) if self.upto else query

    def fields(self) -> dict[str, Any]:
        """What is filtered by, as the fields of a form that acts on all of it."""
        names = set(Narrow.model_fields)
        given = self.model_dump(by_alias=True, exclude_defaults=True, include=names)
        return {name: value for name, value in given.items() if value not in (None, "")}

    def query_with(self, **changes: Any) -> str:
        """The query string of this list with changes."""
        kept = self.model_dump(by_alias=True, exclude_defaults=True, exclude={"upto", "page"})
        return urlencode({k: v for k, v in {**kept, **changes}.items() if v not in (None, "")})

    @property
    def active(self) -> bool:
        """Whether anything but the state is filtered."""
        return bool(self.fields())


def _key() -> Any:
    return tuple_(DeadLetter.died_at, DeadLetter.id)


def _parts(key: str) -> tuple[int, int]:
    died_at, letter_id = map(int, key.split("."))
    return died_at, letter_id


def newer(c: Connection, wanted: LetterFilter, now: int) -> int:
    """How many have died since the page was opened, counted up to NEWER_UP_TO."""
    if not wanted.upto:
        return 0
    all_of_it = wanted.model_copy(update={"upto": ""})
    query = all_of_it.apply(select(DeadLetter.id), now).where(_key() > _parts(wanted.upto))
    few = query.limit(NEWER_UP_TO).subquery()
    return int(c.execute(select(func.count()).select_from(few)).scalar_one())


def state_counts(c: Connection) -> dict[str, int]:
    """Open and retrying letters, for the tabs."""
    few = select(DeadLetter.id).where(DeadLetter.state == RETRYING).limit(COUNT_UP_TO + 1)
    going = c.execute(select(func.count()).select_from(few.subquery())).scalar_one()
    return {"open": counters.gauge(c, "dlq.open"), "retrying": int(going)}


def last_answers(c: Connection, delivery_ids: Sequence[int]) -> dict[int, bytes]:
    """The beginning of what each delivery was answered last."""
    newest = (
        select(func.max(Attempt.id))
        .where(Attempt.delivery_id.in_(list(delivery_ids)))
        .group_by(Attempt.delivery_id)
    )
    query = select(Attempt.delivery_id, Attempt.response_body).where(Attempt.id.in_(newest))
    return {row.delivery_id: bytes(row.response_body)[:HEAD] for row in c.execute(query)}


def error_classes(c: Connection) -> list[str]:
    """Classes of errors that messages have died of."""
    query = select(Cause.error_class).distinct().order_by(Cause.error_class)
    return list(c.scalars(query))


def cause_of(c: Connection, key: str) -> AnyRow | None:
    """A cause by its key."""
    return c.execute(select(Cause.__table__).where(Cause.key == key)).one_or_none()


def chunk(c: Connection, wanted: DeadLetterFilter, now: int, after: str) -> Sequence[AnyRow]:
    """The next rows of an export, newest first; `after` is the last row's key."""
    query = wanted.apply(select(DeadLetter.__table__), now)
    if after:
        died_at, letter_id = _parts(after)
        same = and_(DeadLetter.died_at == died_at, DeadLetter.id < letter_id)
        query = query.where(or_(DeadLetter.died_at < died_at, same))
    return c.execute(
        query.order_by(DeadLetter.died_at.desc(), DeadLetter.id.desc()).limit(CHUNK)
    ).all()
