"""Dead letters that died of the same thing share a cause."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.rules.cause import LONGEST, key, normalise

UUID_A = "0b6e1a52-9f3c-4c1d-8f00-2f6f3d1f0a11"
UUID_B = "ffffffff-0000-4000-8000-1234567890ab"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pedido 17 recusado", "pedido 42 recusado"),
        (f"cliente {UUID_A} sumiu", f"cliente {UUID_B} sumiu"),
        ("hash deadbeefdeadbeef00", "hash 0123456789abcdef99"),
        ("e-mail ana@example.com inválido", "e-mail joao.silva@carinho.com.vc inválido"),
        ('campo "nome" vazio', 'campo "telefone" vazio'),
        ("muito   espaço\n aqui", "muito espaço aqui"),
        ("2026-11-23 08:00", "2025-01-02 23:59"),
    ],
)
def test_what_differs_from_case_to_case_is_left_out(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)
    assert key("crm", 422, "http_422", one) == key("crm", 422, "http_422", other)


@pytest.mark.parametrize(
    "other",
    [
        ("operacao", 422, "http_422", "recusado"),
        ("crm", 400, "http_422", "recusado"),
        ("crm", None, "http_422", "recusado"),
        ("crm", 422, "timeout", "recusado"),
        ("crm", 422, "http_422", "aceito"),
    ],
)
def test_what_tells_causes_apart(other: tuple[str, int | None, str, str]) -> None:
    assert key("crm", 422, "http_422", "recusado") != key(*other)


def test_parts_cannot_run_into_each_other() -> None:
    assert key("crm", None, "ab", "c") != key("crm", None, "a", "bc")


@given(st.text(max_size=2_000))
def test_any_text_has_a_short_cause(message: str) -> None:
    short = normalise(message)
    assert len(short) <= LONGEST
    assert short == short.strip()
    assert not re.search(r"\d", short)
    assert re.fullmatch(r"[0-9a-f]{20}", key("crm", None, "x", message))


@given(st.text(max_size=300))
def test_a_cause_is_its_own_cause(message: str) -> None:
    once = normalise(message)
    assert normalise(once) == once


@pytest.mark.parametrize("piece", ['"', "@", "a@", "0", "a" * 16, "-", " "])
def test_hostile_text_costs_no_time(piece: str) -> None:
    assert len(normalise(piece * 200_000)) <= LONGEST
