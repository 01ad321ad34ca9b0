"""What follows an attempt: sent, tried again at a time, or given up with a reason."""

from __future__ import annotations

from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import clock
from app.deliveries.rules import retry
from app.deliveries.rules.retry import (
    CONDITIONS,
    DEAD,
    HOPELESS,
    PERMANENT,
    RETRY,
    SENT,
    Policy,
    Verdict,
    breaks,
    decide,
    describe,
    parse_retry_after,
)

NOW = 1_700_000_000_000
POLICY = Policy()
CHANCES = st.floats(0, 1, exclude_max=True)


def verdict(
    status: int | None = None,
    error: str = "",
    *,
    after: float | None = None,
    attempt: int = 1,
    policy: Policy = POLICY,
    chance: float = 0.5,
) -> Verdict:
    return decide(status, error, after, attempt, policy, NOW, chance)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_2xx_is_sent(status: int) -> None:
    assert verdict(status) == Verdict(SENT)


@pytest.mark.parametrize("status", [*PERMANENT, 100, 199, 300, 301, 302, 304, 307, 308, 399])
def test_what_would_be_refused_again_is_dead_at_once(status: int) -> None:
    found = verdict(status)
    assert (found.kind, found.error_class, found.due_at) == (DEAD, f"http_{status}", None)
    assert str(status) in found.reason


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_the_named_refusals_have_words_of_their_own(status: int) -> None:
    assert verdict(status).reason == f"{PERMANENT[status]} (HTTP {status})"


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 501, 502, 503, 504, 507, 599])
def test_what_may_pass_is_tried_again(status: int) -> None:
    found = verdict(status)
    assert (found.kind, found.error_class) == (RETRY, f"http_{status}")
    assert found.due_at == NOW + 60_000


@pytest.mark.parametrize("error", sorted(set(CONDITIONS) - HOPELESS))
def test_errors_are_tried_again_and_named(error: str) -> None:
    found = verdict(None, error)
    assert (found.kind, found.error_class, found.reason) == (RETRY, error, CONDITIONS[error])


@pytest.mark.parametrize("error", sorted(HOPELESS))
def test_what_no_retry_helps_is_dead_at_once(error: str) -> None:
    assert verdict(None, error) == Verdict(DEAD, None, error, CONDITIONS[error])


@pytest.mark.parametrize("error", ["cut_off", "too_large", "protocol", "timeout"])
def test_a_2xx_that_did_not_come_whole_is_no_success(error: str) -> None:
    assert verdict(200, error).kind == RETRY


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 60), (2, 120), (3, 240), (4, 480)], ids=str)
def test_the_delay_doubles(attempt: int, seconds: int) -> None:
    assert verdict(503, attempt=attempt).due_at == NOW + seconds * 1000


@pytest.mark.parametrize("attempt", [5, 6, 50])
def test_dies_with_the_last_attempt(attempt: int) -> None:
    found = verdict(503, attempt=attempt)
    assert found.kind == DEAD
    assert found.reason.endswith(f"({attempt} tentativas)")


def test_one_attempt_is_counted_in_the_singular() -> None:
    assert verdict(500, policy=Policy(max_attempts=1)).reason.endswith("(1 tentativa)")


@pytest.mark.parametrize(
    ("after", "waited"),
    [(None, 60), (0.0, 60), (30.0, 60), (60.0, 60), (600.0, 600), (3600.0, 3600), (1e9, 3600)],
)
def test_the_partners_wish_counts_up_to_an_hour(after: float | None, waited: int) -> None:
    assert verdict(429, after=after).due_at == NOW + waited * 1000


@given(attempt=st.integers(1, 10_000), chance=CHANCES, base=st.floats(0.001, 3600))
def test_the_delay_is_within_a_fifth_of_the_plan_and_never_above_the_cap(
    attempt: int, chance: float, base: float
) -> None:
    policy = Policy(base_delay=base)
    plain = min(base * 2 ** min(attempt - 1, 64), policy.max_delay)
    delay = policy.delay(attempt, chance)
    assert plain * 0.8 - 1e-6 <= delay <= min(plain * 1.2 + 1e-6, policy.max_delay)


@given(attempt=st.integers(1, 200), chance=CHANCES, multiplier=st.floats(1, 10))
def test_later_attempts_never_wait_less(attempt: int, chance: float, multiplier: float) -> None:
    policy = Policy(multiplier=multiplier)
    assert policy.delay(attempt, chance) <= policy.delay(attempt + 1, chance) + 1e-9


@given(
    status=st.none() | st.integers(100, 999),
    error=st.sampled_from(["", *CONDITIONS]),
    after=st.none() | st.floats(0, 1e12),
    attempt=st.integers(1, 60),
    chance=CHANCES,
)
def test_every_outcome_has_exactly_one_sense(
    status: int | None, error: str, after: float | None, attempt: int, chance: float
) -> None:
    found = decide(status, error, after, attempt, POLICY, NOW, chance)
    assert (found.due_at is not None) == (found.kind == RETRY)
    assert bool(found.reason) == bool(found.error_class) == (found.kind != SENT)
    if found.due_at is not None:
        assert NOW < found.due_at <= NOW + 3_600_000
    assert len(found.error_class) <= 30
    assert len(found.reason) <= 500


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("999999999", 999_999_999.0),
        (format_datetime(clock.to_datetime(NOW + 90_000)), 90.0),
        (format_datetime(clock.to_datetime(NOW + 90_000), usegmt=True), 90.0),
        (format_datetime(clock.to_datetime(NOW + 90_000)).replace(" +0000", ""), 90.0),
        (format_datetime(clock.to_datetime(NOW + 90_000)).replace("+0000", "-0000"), 90.0),
        (format_datetime(clock.to_datetime(NOW - 90_000)), 0.0),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("\u0665", None),
        ("soon", None),
        ("9" * 400, None),
        ("Wed, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_reads_retry_after(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(st.text(max_size=80))
def test_no_retry_after_can_do_harm(value: str) -> None:
    found = parse_retry_after(value, NOW)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("status", "error", "bad"),
    [
        (200, "", False),
        (301, "", False),
        (404, "", False),
        (429, "", False),
        (499, "", False),
        (500, "", True),
        (503, "", True),
        (None, "", True),
        (None, "timeout", True),
        (None, "connect", True),
        (None, "dns", True),
        (200, "cut_off", True),
        (None, "worker_lost", None),
        (None, "internal", None),
        *((None, error, None) for error in sorted(HOPELESS)),
    ],
)
def test_only_5xx_and_connection_trouble_speak_against_a_system(
    status: int | None, error: str, bad: bool | None
) -> None:
    assert breaks(status, error) is bad


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (None, "", "sem resposta"),
        (429, "", "mais devagar"),
        (503, "", "erro interno"),
        (302, "", "redirecionamentos"),
        (418, "", "resposta inesperada (HTTP 418)"),
        (None, "timeout", "não respondeu a tempo"),
        (200, "cut_off", "cortada"),
        (None, "never_heard_of", "never_heard_of"),
    ],
)
def test_says_it_in_plain_portuguese(status: int | None, error: str, words: str) -> None:
    assert words in describe(status, error)


def test_the_worst_number_of_crashes_is_what_the_words_say() -> None:
    assert retry.WORST_CRASHES == 3
    assert "três vezes" in CONDITIONS["crash"]
