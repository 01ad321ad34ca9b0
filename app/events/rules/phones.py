"""Phone numbers as the hub keeps them: digits with the country code."""

from __future__ import annotations

import re

BRAZIL = "55"
LONGEST = 40
_NOT_DIGITS = re.compile(r"[^0-9]+")


def phone_digits(text: str) -> str:
    """Digits of a number; 10 or 11 of them (area code and number) get 55 in front."""
    digits = _NOT_DIGITS.sub("", text[:LONGEST])
    return BRAZIL + digits if len(digits) in (10, 11) else digits
