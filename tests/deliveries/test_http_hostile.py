"""A hostile partner is never a success, and never holds the sender past its deadline."""

from __future__ import annotations

import time

import pytest

from tests.deliveries.rough import DEADLINE, HOSTILE, OK, SLACK, ask, run, says


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_partner_is_never_a_success(name: str) -> None:
    handler, error_class = HOSTILE[name]
    started = time.monotonic()
    answer, got = run(ask(handler))
    assert not answer.accepted
    assert answer.error_class == error_class or (not error_class and answer.error_class)
    assert answer.error
    assert answer.error.isprintable()
    assert len(got) == 1
    assert time.monotonic() - started < DEADLINE + SLACK
    assert answer.latency_ms <= (DEADLINE + SLACK) * 1000


def test_a_status_that_came_before_the_cut_is_kept() -> None:
    answer, _ = run(ask(says(OK + b"Content-Length: 10\r\n\r\nhalf")))
    assert (answer.status, answer.error_class) == (200, "cut_off")
