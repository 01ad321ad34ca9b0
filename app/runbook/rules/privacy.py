"""What in stored data is about a person, and the data without it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.access.rules.emails import normal_email
from app.errors import Invalid
from app.messages.rules.phones import normalise
from app.payloads import read_json

ERASED = "[apagado]"
_PHONE = re.compile(r"(?<![\w])\+?\(?\d[\d ().-]{8,20}\d(?!\w)")
_CPF = re.compile(r"(?<!\d)\d{3}\.?\d{3}\.?\d{3}-?\d{2}(?!\d)")
_DIGITS = re.compile(r"\D+")
# In a record about the person these say who it is, or what was written.
_PERSONAL = re.compile(
    r"(?:^|_)(?:name|nome|phone|telefone|celular|email|cpf|rg|address|endereco|message|body|text|"
    r"html|comment|caption|subject|to)$|^(?:idempotency-)?key$",
    re.IGNORECASE,
)
# `client_phone` and `client_email` are of one person, `caregiver_phone` of another.
_NAMES = re.compile(r"((?:\w+_)?)(phone|email|cpf)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is about: at least one of phone (digits with country code), e-mail, CPF (digits)."""

    phone: str = ""
    email: str = ""
    cpf: str = ""

    @property
    def hints(self) -> tuple[str, ...]:
        """A stored text without any of these cannot be about the person (formats may differ)."""
        return tuple(each for each in (self.phone[-4:], self.email, self.cpf[-2:]) if each)

    def in_text(self, text: str) -> bool:
        """Whether a text names the person, however phone and CPF are written."""
        if self.email and _has_email(text.lower(), self.email):
            return True
        if self.phone and any(normalise(found) == self.phone for found in _PHONE.findall(text)):
            return True
        return bool(self.cpf) and any(_bare(found) == self.cpf for found in _CPF.findall(text))

    def in_value(self, value: Any) -> bool:
        """Whether a JSON value names the person anywhere."""
        if isinstance(value, dict):
            return any(self.in_text(str(k)) or self.in_value(v) for k, v in value.items())
        if isinstance(value, list):
            return any(self.in_value(each) for each in value)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return False
        return self.in_text(str(value))


def person(phone: str, email: str, cpf: str) -> Person:
    """The person of what was typed; Invalid names what cannot be used."""
    found = Person(normalise(phone), normal_email(email), _bare(cpf))
    problems = {}
    if phone and not found.phone:
        problems["phone"] = ["is not a phone number"]
    if email and not found.email:
        problems["email"] = ["is not an e-mail address"]
    if cpf and len(found.cpf) != 11:
        problems["cpf"] = ["has 11 digits"]
    if not (phone or email or cpf):
        problems["person"] = ["give a phone, an e-mail or a CPF"]
    if problems:
        raise Invalid(details=problems)
    return found


def about(who: Person, stored: str) -> bool:
    """Whether a stored text (JSON or not) names the person."""
    lowered = stored.lower()
    if not any(hint in lowered for hint in who.hints):
        return False
    try:
        return who.in_value(read_json(stored))
    except ValueError:
        return who.in_text(stored)


def erased(who: Person, stored: str) -> str:
    """The stored text without the person; what is no JSON goes as a whole."""
    try:
        document = read_json(stored)
    except ValueError:
        return ERASED
    if not isinstance(document, dict | list):
        return json.dumps(ERASED)
    left = json.dumps(_without(who, document, ""), ensure_ascii=False, separators=(",", ":"))
    # No database takes a lone surrogate: it stays written as an escape.
    return left.encode(errors="backslashreplace").decode()


def is_record(stored: str) -> bool:
    """Whether a stored text is JSON with fields."""
    try:
        return isinstance(read_json(stored), dict | list)
    except ValueError:
        return False


def _without(who: Person, value: Any, key: str) -> Any:
    """Personal fields of the record and all that names the person, replaced."""
    if isinstance(value, dict):
        return {name: _without(who, each, str(name)) for name, each in value.items()}
    if isinstance(value, list):
        return [_without(who, each, key) for each in value]
    if value is None or isinstance(value, bool):
        return value
    return ERASED if _PERSONAL.search(key) or who.in_value(value) else value


def known_as(who: Person, stored: str) -> Iterator[tuple[str, str]]:
    """Further names of the person in a record: phone, email or cpf beside the one that is known."""
    try:
        yield from _beside(who, read_json(stored))
    except ValueError:
        return


def _beside(who: Person, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _beside(who, each)
    if not isinstance(value, dict):
        return
    named = [(found, str(each)) for k, each in value.items() if (found := _NAMES.fullmatch(k))]
    mine = {found[1] for found, text in named if who.in_text(text)}
    for found, text in named:
        if found[1] in mine and not who.in_text(text) and (name := _NORMAL[found[2]](text)):
            yield found[2], name
    for each in value.values():
        yield from _beside(who, each)


def _has_email(text: str, email: str) -> bool:
    """Whether the address stands there as a whole, not as the end of a longer one."""
    return re.search(rf"(?<![\w.+-]){re.escape(email)}(?![\w.-]*\w)", text) is not None


def _bare(text: str) -> str:
    return _DIGITS.sub("", text)


_NORMAL: Mapping[str, Callable[[str], str]] = {
    "phone": normalise, "email": normal_email, "cpf": _bare
}  # fmt: skip
