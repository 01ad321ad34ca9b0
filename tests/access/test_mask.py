"""Masks of personal data: enough to recognise, not enough to use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.rules.masking import HIDDEN, first_line, mask_text, mask_value, shown
from app.payloads import DEEPEST


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+5511999991234", "+55 11 9****-1234"),
        ("5511999991234", "+55 11 9****-1234"),
        ("(11) 99999-1234", "11 9****-1234"),
        ("11 3333-4444", "11 3****-4444"),
        ("ana.souza@exemplo.com.br", "a***@exemplo.com.br"),
        ("CPF 123.456.789-09!", "CPF ***.***.***-09!"),
        ("12345678909", "12 3****-8909"),
        ("2026-11-23 22:15:00", "2026-11-23 22:15:00"),
        ("HTTP 422, tentativa 3", "HTTP 422, tentativa 3"),
        ("evento 12345", "evento 12345"),
    ],
)
def test_text(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_values_under_personal_keys() -> None:
    value = {"name": "Ana Souza", "n": 5, "phone": 5511999991234, "client_name": None,
             "deep": [{"email": "a@b.com", "cpf": 12345678909}]}  # fmt: skip
    masked = mask_value(value)
    assert masked["name"] == "A***"
    assert masked["n"] == 5
    assert masked["phone"] == "+55 11 9****-1234"
    assert masked["deep"][0]["email"] == "a***@b.com"
    assert "345678" not in str(masked["deep"][0]["cpf"])


@given(st.binary(max_size=200), st.booleans())
def test_shows_whatever_bytes(raw: bytes, whole: bool) -> None:
    assert isinstance(shown(raw, whole), str)
    assert "\n" not in first_line(raw)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ('{"name":"Ana Souza","n":1}', '{"name": "A***","n":1}'),
        ('{"client_name": "Ana Sou', '{"client_name": "A***"'),
        ('{"error": "name is missing"}', '{"error": "name is missing"}'),
        ('{"phone": "5511999991234"}', '{"phone": "+55 11 9****-1234"}'),
    ],
)
def test_a_line_of_json_is_masked_by_its_keys(raw: str, line: str) -> None:
    assert first_line(raw.encode()) == line


def test_whole_is_left_as_it_is() -> None:
    assert '"name": "Ana"' in shown(b'{"name": "Ana"}', True)
    assert "Ana" not in shown(b'{"name": "Ana"}', False)


@pytest.mark.parametrize("levels", [1, DEEPEST, DEEPEST + 1, 300, 450, 900, 10_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_what_is_nested_too_deeply_is_masked_whole(opening: str, levels: int) -> None:
    closing = "]" if opening == "[" else "}"
    raw = (opening * levels + '{"name": "Ana"}' + closing * levels).encode()
    masked = shown(raw, False)
    assert "Ana" not in masked
    assert (masked == HIDDEN) == (levels + 1 > DEEPEST)
    assert '"name": "Ana"' in shown(raw, True)


def test_a_value_is_masked_however_deep_it_is() -> None:
    value: object = "Ana"
    for _ in range(50_000):
        value = [value]
    assert "Ana" not in str(mask_value({"name": value}))


@pytest.mark.parametrize("whole", [True, False])
def test_half_a_pair_can_be_sent_to_a_browser(whole: bool) -> None:
    assert shown(rb'{"a": "\ud800"}', whole).encode() == b'{\n  "a": "\\ud800"\n}'
