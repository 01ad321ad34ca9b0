"""Lists of ids as one parameter, on both databases."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update

from app.counters import Tally
from app.db import reading, transaction
from app.id_lists import among

ROWS = 10


@pytest.fixture(autouse=True)
def tallies(any_database: str, app: Flask, app_context: None) -> None:
    row = {"metric": "m", "bucket": 0, "a": "", "b": "", "n": 0}
    with transaction() as tx:
        tx.connection.execute(insert(Tally), [{**row, "id": id_} for id_ in range(1, ROWS + 1)])


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([], []),
        ([3], [3]),
        ([7, 2, 7], [2, 7]),
        ({4, 99}, [4]),
        (range(-5, 20_000), list(range(1, ROWS + 1))),
        ([2**63 - 1, -(2**63), 10], [10]),
    ],
    ids=["none", "one", "twice", "unknown", "many", "ends of the range"],
)
def test_rows_of_a_list_are_found_and_changed(ids: Collection[int], expected: list[int]) -> None:
    meant = among(Tally.id, ids)
    with transaction() as tx:
        assert (
            list(tx.connection.scalars(select(Tally.id).where(meant).order_by(Tally.id)))
            == expected
        )
        changed = tx.connection.execute(update(Tally).where(meant).values(n=5)).rowcount
    assert changed == len(expected)
    with reading() as c:
        assert c.scalar(select(func.sum(Tally.n))) == 5 * len(expected)


def test_a_list_of_another_length_is_the_same_statement() -> None:
    first, second = (select(Tally.id).where(among(Tally.id, range(n))) for n in (1, 9))
    assert first._generate_cache_key() == second._generate_cache_key() is not None
