"""In which band a value lies: the runbook's table, both ends of each range."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.monitoring.rules.bands import ERRORS, RETRIES, SLA, Band

TABLE = [
    ("success_rate", [(100, "normal"), (95.01, "normal"), (95, "warning"), (90, "warning"),
                      (89.99, "critical"), (0, "critical")]),
    ("pending_events", [(0, "normal"), (99, "normal"), (100, "warning"), (500, "warning"),
                        (501, "critical")]),
    ("dead_letters", [(0, "normal"), (9, "normal"), (10, "warning"), (50, "warning"),
                      (51, "critical")]),
    ("database_latency", [(0.1, "normal"), (49.99, "normal"), (50, "warning"), (100, "warning"),
                          (100.01, "critical")]),
    ("queue_time", [(0, "normal"), (29.9, "normal"), (30, "warning"), (60, "warning"),
                    (60.1, "critical")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "value", "expected"),
    [(measure, value, level) for measure, cases in TABLE for value, level in cases],
)
def test_the_runbooks_table(measure: str, value: float, expected: str) -> None:
    assert SLA[measure].of(value) == expected


@pytest.mark.parametrize("measure", SLA)
def test_no_value_is_unknown(measure: str) -> None:
    assert SLA[measure].of(None) == "unknown"


@pytest.mark.parametrize("limits", [*SLA.values(), RETRIES, ERRORS], ids=lambda b: b.label)
@given(better=st.floats(0, 1000), gap=st.floats(0, 1000))
def test_worse_values_are_never_in_a_better_band(limits: Band, better: float, gap: float) -> None:
    order = ["normal", "warning", "critical"]
    low, high = limits.of(better), limits.of(better + gap)
    if limits.low_is_bad:
        low, high = high, low
    assert order.index(low) <= order.index(high)
