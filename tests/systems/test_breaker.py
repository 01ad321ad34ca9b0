"""The circuit breaker as a state machine: when it opens, probes, closes and spares the system."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.systems.rules.breaker import (
    CLOSED,
    HALF_OPEN,
    OPEN,
    RAMP_MS,
    Breaker,
    Limits,
    Outcome,
    after,
    allowance,
    closed,
    let_out,
    may_probe,
    probing,
    waited_in_vain,
    waits,
)

NOW = 1_700_000_000_000
LEASE = 30_000
HOUR = 3_600_000
LIMITS = Limits()
WELL = Breaker("crm")
DOWN = Breaker("crm", state=OPEN, failures=5, opened_at=NOW)
BAD, GOOD, SILENT = Outcome(True), Outcome(False), Outcome(None)


def test_five_failures_in_a_row_open_it() -> None:
    assert after(WELL, [BAD] * 4, LIMITS, NOW).state == CLOSED
    opened = after(WELL, [BAD] * 5, LIMITS, NOW)
    assert (opened.state, opened.opened_at) == (OPEN, NOW)


@pytest.mark.parametrize(
    ("outcomes", "failures"),
    [
        ([BAD, BAD, BAD, BAD, GOOD, BAD], 1),
        ([BAD, SILENT, BAD, SILENT, BAD], 3),
        ([SILENT] * 20, 0),
        ([GOOD] * 20, 0),
    ],
)
def test_success_starts_the_count_anew_and_silence_does_not(
    outcomes: list[Outcome], failures: int
) -> None:
    found = after(WELL, outcomes, LIMITS, NOW)
    assert (found.state, found.failures) == (CLOSED, failures)


@pytest.mark.parametrize(
    ("elapsed", "may"),
    [(0, False), (1, False), (59_999, False), (60_000, True), (HOUR, True), (-1, False),
     (-9_999, False), (-10_000, True), (-HOUR, True)],
)  # fmt: skip
def test_probes_after_its_time_whatever_the_clock_does(elapsed: int, may: bool) -> None:
    assert may_probe(DOWN, LIMITS, LEASE, NOW + elapsed) is may
    assert waits(DOWN, LIMITS, NOW + elapsed) is not may


def test_a_closed_breaker_needs_no_probe() -> None:
    assert not may_probe(WELL, LIMITS, LEASE, NOW)


@pytest.mark.parametrize(
    ("elapsed", "may"),
    [(0, False), (LEASE - 1, False), (LEASE, True), (HOUR, True), (-1, False), (-9_999, False),
     (-10_000, True), (-HOUR, True)],
)  # fmt: skip
def test_exactly_one_probe_until_its_lease_is_over(elapsed: int, may: bool) -> None:
    under_way = probing(DOWN, "one", NOW + LEASE)
    assert under_way.state == HALF_OPEN
    assert may_probe(under_way, LIMITS, LEASE, NOW + elapsed) is may


@pytest.mark.parametrize(
    ("breaker", "since", "vain"),
    [
        (DOWN, LIMITS.timeout_ms, False),
        (DOWN, 2 * LIMITS.timeout_ms - 1, False),
        (DOWN, 2 * LIMITS.timeout_ms, True),
        (probing(DOWN, "a", NOW + 2 * LIMITS.timeout_ms), 2 * LIMITS.timeout_ms, False),
        (probing(DOWN, "a", NOW + 2 * LIMITS.timeout_ms), 3 * LIMITS.timeout_ms, True),
        # Opened by a clock that was ahead.
        (DOWN, -HOUR, True),
    ],
)
def test_a_probe_is_missed_after_as_long_as_it_stays_open(
    breaker: Breaker, since: int, vain: bool
) -> None:
    assert waited_in_vain(breaker, LIMITS, NOW + since) is vain


def test_two_successful_probes_close_it() -> None:
    once = after(probing(DOWN, "one", NOW + LEASE), [Outcome(False, "one")], LIMITS, NOW + 5)
    assert (once.state, once.successes, once.probe) == (HALF_OPEN, 1, None)
    assert may_probe(once, LIMITS, LEASE, NOW + 5)
    twice = after(probing(once, "two", NOW + LEASE), [Outcome(False, "two")], LIMITS, NOW + 9)
    assert twice == Breaker("crm", closed_at=NOW + 9)


@pytest.mark.parametrize("successes", [0, 1])
def test_a_failed_probe_opens_it_again(successes: int) -> None:
    half = replace(probing(DOWN, "one", NOW + LEASE), successes=successes)
    found = after(half, [Outcome(True, "one")], LIMITS, NOW + 9)
    assert (found.state, found.opened_at, found.successes, found.probe) == (OPEN, NOW + 9, 0, None)
    assert waits(found, LIMITS, NOW + 10)


def test_a_probe_that_says_nothing_makes_room_for_another() -> None:
    found = after(probing(DOWN, "one", NOW + LEASE), [Outcome(None, "one")], LIMITS, NOW)
    assert (found.state, found.probe) == (HALF_OPEN, None)
    assert may_probe(found, LIMITS, LEASE, NOW)


@pytest.mark.parametrize(
    "outcome", [BAD, GOOD, SILENT, Outcome(True, "old"), Outcome(False, "old")]
)
@pytest.mark.parametrize("breaker", [DOWN, probing(DOWN, "one", NOW + LEASE)])
def test_what_left_before_says_nothing(breaker: Breaker, outcome: Outcome) -> None:
    assert after(breaker, [outcome] * 9, LIMITS, NOW) == breaker


def test_only_a_system_just_recovered_is_limited() -> None:
    fresh = closed(DOWN, NOW)
    assert allowance(WELL, NOW) is None
    assert allowance(fresh, NOW) == 5
    assert allowance(fresh, NOW + RAMP_MS) is None
    # A worker that waited for the lock knows an older time than the one that closed it.
    assert allowance(fresh, NOW - 1) == allowance(fresh, NOW - 9_999) == 5
    assert allowance(fresh, NOW - HOUR) is None


@given(st.lists(st.integers(1, 400), max_size=300))
def test_a_recovered_system_is_never_rushed(pauses: list[int]) -> None:
    """However long the workers were away: what nobody took does not leave all at once."""
    leaving = _let_out(pauses)
    for start in range(0, 1_000, 10):
        tenth = sum(count for at, count in leaving if start <= at < start + 100)
        assert tenth <= 20


def _let_out(pauses: Iterable[int]) -> list[tuple[int, int]]:
    """(ms, how many) of workers that take all they may, so many ms apart."""
    breaker, at, leaving = closed(DOWN, NOW), 0, []
    for pause in pauses:
        if count := allowance(breaker, NOW + at):
            breaker = let_out(breaker, count, NOW + at)
            leaving.append((at, count))
        assert allowance(breaker, NOW + at) in (0, None)
        at += pause
    return leaving


def test_it_is_let_out_ever_faster() -> None:
    leaving = _let_out([20] * 250)
    seconds = [sum(n for at, n in leaving if at // 1000 == second) for second in range(5)]
    assert seconds == sorted(seconds)
    assert 2_000 < sum(seconds) < 3_000


class Machine(RuleBasedStateMachine):
    """Workers that claim, answer, die and live with clocks that step."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.breaker = WELL
        self.probes: set[str] = set()
        self.sent_at: dict[str, int] = {}
        self.number = 0

    @initialize(failures=st.integers(1, 5), successes=st.integers(1, 3))
    def set_up(self, failures: int, successes: int) -> None:
        self.limits = Limits(failures, successes, 60_000)

    @rule(ms=st.integers(0, 90_000))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @rule(hours=st.sampled_from([-1, 1]))
    def the_clock_steps(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(bad=st.sampled_from([True, False, None]))
    def an_old_attempt_ends(self, bad: bool | None) -> None:
        before = self.breaker
        self.breaker = after(before, [Outcome(bad)], self.limits, self.now)
        if before.state != CLOSED:
            assert self.breaker == before

    @precondition(lambda self: self.breaker.state != CLOSED)
    @rule()
    def a_worker_asks_for_the_probe(self) -> None:
        if not may_probe(self.breaker, self.limits, LEASE, self.now):
            return
        self.number += 1
        name = str(self.number)
        self.probes.add(name)
        self.sent_at[name] = self.now
        self.breaker = probing(self.breaker, name, self.now + LEASE)
        assert not may_probe(self.breaker, self.limits, LEASE, self.now)

    @precondition(lambda self: self.probes)
    @rule(bad=st.sampled_from([True, False, None]), data=st.data())
    def a_probe_ends(self, bad: bool | None, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.probes)))
        self.probes.discard(name)
        before = self.breaker
        self.breaker = after(before, [Outcome(bad, name)], self.limits, self.now)
        if before.state != CLOSED and name != before.probe:
            assert self.breaker == before
        elif before.state != CLOSED and bad:
            assert self.breaker.state == OPEN

    @precondition(lambda self: self.breaker.state != CLOSED)
    @rule()
    def a_person_resets_it(self) -> None:
        self.breaker = closed(self.breaker, self.now)

    @invariant()
    def it_is_in_order(self) -> None:
        b = self.breaker
        assert (b.state == OPEN) <= (b.opened_at is not None)
        assert b.probe is None or b.state == HALF_OPEN
        assert b.state != CLOSED or (b.probe, b.successes) == (None, 0)
        assert b.state == CLOSED or b.successes < self.limits.successes

    @invariant()
    def it_never_waits_longer_than_it_may(self) -> None:
        later = self.now + max(60_000, LEASE)
        assert self.breaker.state == CLOSED or may_probe(self.breaker, self.limits, LEASE, later)


TestMachine = Machine.TestCase
