"""Conversions of one JSON value; None means that the value cannot be read as asked."""

import math
import re

TRUE_WORDS = frozenset({"true", "on", "yes", "y", "t", "sim", "s"})
FALSE_WORDS = frozenset({"", "false", "off", "no", "n", "f", "nao", "não"})

# Longer texts are never numbers; it also keeps int() far from its quadratic cost.
LONGEST_NUMBER = 64
EXACT_FLOAT = 10**15

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def to_number(value: object) -> int | float | None:
    """A finite number from a number, a boolean (1, 0) or a numeric text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return _number_from_text(value.strip())
    return value if isinstance(value, float) and math.isfinite(value) else None


def to_int(value: object) -> int | None:
    """A whole number, decimals cut off towards zero."""
    number = to_number(value)
    return None if number is None else int(number)


def to_float(value: object) -> float | None:
    """A finite float; None for a whole number too large to be one."""
    number = to_number(value)
    try:
        return None if number is None else float(number)
    except OverflowError:
        return None


def to_boolean(value: object) -> bool | None:
    """True or false by the words in use (English and Portuguese) or by being non-zero."""
    if not isinstance(value, str):
        return None if value is None else bool(value)
    word = value.strip().lower()
    if word in TRUE_WORDS or word in FALSE_WORDS:
        return word in TRUE_WORDS
    number = _number_from_text(word)
    return None if number is None else number != 0


def to_text(value: object) -> str:
    """The text of a value inside a longer text: 1 for true; nothing for null, false, lists."""
    if isinstance(value, str):
        return value
    if not value or not isinstance(value, int | float):
        return "0" if value == 0 and value is not False else ""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_FLOAT:
        return str(int(value))
    return "1" if value is True else str(value)


def to_map_keys(value: object) -> tuple[str, ...]:
    """The texts under which a `map` may list the value; JSON keys are always texts."""
    if isinstance(value, bool):
        return ("true", "1") if value else ("false", "0")
    return (to_text(value),) if isinstance(value, str | int | float) else ()


def _number_from_text(text: str) -> int | float | None:
    """Whole numbers stay exact; everything else becomes a float, if it is finite."""
    if len(text) > LONGEST_NUMBER or not _DECIMAL.fullmatch(text):
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else None
