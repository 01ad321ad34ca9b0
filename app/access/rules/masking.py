"""Personal data for lists and for those who may not see it: enough is left to recognise it."""

from __future__ import annotations

import json
import re
from typing import Any

from app.payloads import DEEPEST, TooDeep, read_json

_EMAIL = re.compile(r"([^\s@\"'<>,;:]{1,64})@([^\s@\"'<>,;]{1,190}\.[^\s@\"'<>,;.]{2,})")
_CPF = re.compile(r"(?<!\d)\d{3}\.\d{3}\.\d{3}-(\d{2})(?!\d)")
_PHONE = re.compile(r"(?<![\w#.])\+?\(?\d(?:[ ().-]{0,2}\d){9,12}(?![\w])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
LONGEST_SHOWN = 65_536
HIDDEN = "***"
# Values whose key says that they are personal, whatever they look like.
_NAMED = re.compile(r"(?:^|_)(?:name|nome|phone|telefone|celular|email|cpf|rg|address|endereco)$")

_MEMBER = re.compile(r'"(?P<key>\w{1,80})"\s*:\s*"(?P<value>(?:[^"\\]|\\.)*)(?:"|\\?$)')


def mask_text(text: str) -> str:
    """`text` with its e-mail addresses, CPF and phone numbers masked: +55 11 9****-1234."""
    text = _EMAIL.sub(lambda found: f"{found[1][0]}***@{found[2]}", text)
    text = _CPF.sub(lambda found: f"***.***.***-{found[1]}", text)
    return _PHONE.sub(lambda found: _phone(found[0]), text)


def _phone(text: str) -> str:
    """A phone with area code, first and last digits; dates look alike and are left alone."""
    if _DATE.match(text):
        return text
    digits = re.sub(r"\D", "", text)
    country, local = (digits[:2], digits[2:]) if len(digits) > 11 else ("", digits)
    shown = f"{local[:2]} {local[2]}****-{digits[-4:]}"
    return f"+{country} {shown}" if country else shown


def mask_value(value: Any, key: str = "", levels: int = DEEPEST) -> Any:
    """A JSON value masked throughout; values under personal keys keep their first letter only.

    What lies deeper than so many levels is masked whole.
    """
    if isinstance(value, dict | list) and not levels:
        return HIDDEN
    if isinstance(value, dict):
        return {name: mask_value(item, str(name), levels - 1) for name, item in value.items()}
    if isinstance(value, list):
        return [mask_value(item, key, levels - 1) for item in value]
    if not _NAMED.search(key.lower()):
        return mask_text(value) if isinstance(value, str) else value
    masked = mask_text(str(value))
    return masked if value is None or masked != str(value) else f"{masked[:1]}***"


def shown(raw: bytes, whole: bool) -> str:
    """Stored bytes for a page: JSON with line breaks, anything else as it is; masked or whole.

    JSON that is nested too deeply is shown as it is, or not at all.
    """
    text = raw[:LONGEST_SHOWN].decode(errors="replace")
    try:
        value = read_json(raw) if len(raw) <= LONGEST_SHOWN else None
    except TooDeep:
        return text if whole else HIDDEN
    except ValueError:
        value = None
    if value is None:
        return words(text, whole)
    pretty = json.dumps(value if whole else mask_value(value), ensure_ascii=False, indent=2)
    # A lone surrogate is no text that can be sent: it stays written as the partner wrote it.
    return pretty.encode(errors="backslashreplace").decode()


def content(raw: bytes, whole: bool) -> Any:
    """Stored JSON as a value; masked or whole."""
    value = json.loads(raw)
    return value if whole else mask_value(value)


def words(text: str, whole: bool) -> str:
    """A stored text; masked or whole."""
    return text if whole else mask_text(text)


def first_line(raw: bytes, longest: int = 200) -> str:
    """Beginning of an answer, on one line and masked, JSON that is cut off too."""
    text = " ".join(raw[: 4 * longest].decode(errors="replace").split())
    return mask_text(_MEMBER.sub(_member, text))[:longest]


def _member(found: re.Match[str]) -> str:
    """A member of an object, its value reduced to a letter where the key says it is personal."""
    if not _NAMED.search(found["key"].lower()) or mask_text(found["value"]) != found["value"]:
        return found[0]
    return f'"{found["key"]}": "{found["value"][:1]}***"'
