"""The short form of `make chaos`: 2,000 events, ten kills, two wipes, two outages, poison."""

from __future__ import annotations

import secrets

import pytest

from chaos.figures import BROKEN
from chaos.rows import big
from chaos.setting import Setting

pytestmark = [pytest.mark.faults, pytest.mark.timeout(500)]


def test_every_promise_of_the_big_run_is_kept() -> None:
    seed = secrets.randbelow(1_000_000)
    with Setting(seed, short=True) as setting:
        figures = big.run(setting)
    broken = [each for each in figures if each.verdict() == BROKEN and not each.timed]
    assert broken == [], f"again with: python -m chaos big --short --seed {seed}"
