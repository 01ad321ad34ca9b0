"""Phone numbers as everybody writes them, kept as digits with country code and ninth digit."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber

HOME = "BR"
BRAZIL = 55
LONGEST = 40
NOT_DIGITS = re.compile(r"[^0-9]+")
# An old mobile number: area code, then 8 digits that begin with 6 to 9.
OLD_MOBILE = re.compile(r"([1-9][1-9])([6-9][0-9]{7})")


def normalise(text: str) -> str:
    """`(11) 8765-4321` to `5511987654321`; '' for what is no phone. Doing it twice is harmless."""
    for candidate in _readings(text[:LONGEST].strip()):
        try:
            number = phonenumbers.parse(candidate, HOME)
        except NumberParseException:
            continue
        if found := _digits(_with_ninth(number)):
            return found
    return ""


def _readings(text: str) -> tuple[str, ...]:
    """What the digits may stand for: with country code, or as dialled in Brazil."""
    digits = NOT_DIGITS.sub("", text)
    if not digits:
        return ()
    international = f"+{digits}"
    if text.startswith("+"):
        return (international,)
    # 10 and 11 digits are an area code and a number, whatever country they look like.
    if len(digits) in (10, 11):
        return (digits, international)
    return (international, digits)


def _with_ninth(number: PhoneNumber) -> PhoneNumber:
    """A Brazilian mobile number with the digit that all of them got in front."""
    national = str(number.national_number)
    found = OLD_MOBILE.fullmatch(national) if number.country_code == BRAZIL else None
    if not found:
        return number
    return PhoneNumber(country_code=BRAZIL, national_number=int(f"{found[1]}9{found[2]}"))


def _digits(number: PhoneNumber) -> str:
    if not phonenumbers.is_valid_number(number):
        return ""
    formatted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return str(formatted).removeprefix("+")
