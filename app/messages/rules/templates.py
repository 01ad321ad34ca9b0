"""Texts with placeholders: which ones each may use, and how they are filled in."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

WHATSAPP, EMAIL = "whatsapp", "email"
CHANNELS = (WHATSAPP, EMAIL)
LONGEST_TEXT = 4_000
LONGEST_HTML = 60_000
LONGEST_VALUE = 300
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

# What every text may say, with the value that a preview shows.
COMMON: Mapping[str, str] = {"nome": "Helena", "empresa": "Carinho com Você"}
SERVICE: Mapping[str, str] = {"cuidador": "Joana Lima", "servico": "cuidador diurno", "horas": "8"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A text the hub sends: what it is for, and its own placeholders with sample values."""

    label: str
    channels: tuple[str, ...]
    own: Mapping[str, str]

    @property
    def samples(self) -> dict[str, str]:
        """All placeholders with what a preview shows."""
        return {**COMMON, **self.own}


KINDS: Mapping[str, Kind] = {
    "auto_reply": Kind("Resposta a um novo contato", (WHATSAPP,), {}),
    "welcome": Kind("Boas-vindas ao cliente", CHANNELS, {"servico": "cuidador diurno"}),
    "service_notice": Kind("Aviso de atendimento concluído", (WHATSAPP,), SERVICE),
    "feedback_request": Kind(
        "Pedido de avaliação", CHANNELS, {**SERVICE, "link": "https://exemplo/feedback/abc"}
    ),
    "thanks_warm": Kind("Agradecimento por avaliação boa", (WHATSAPP,), {"nota": "5"}),
    "thanks": Kind("Agradecimento por avaliação", (WHATSAPP,), {"nota": "2"}),
}


@dataclass(frozen=True, slots=True)
class Words:
    """A template's parts, or a message made of them."""

    subject: str
    text: str
    html: str = ""


def problems(key: str, channel: str, words: Words) -> dict[str, list[str]]:
    """What is wrong with a template by field; empty when it may be saved."""
    kind = KINDS.get(key)
    if kind is None or channel not in kind.channels:
        return {"key": ["este modelo não existe neste canal"]}
    found: dict[str, list[str]] = {}
    if not words.text.strip():
        found["text"] = ["o texto é obrigatório"]
    if channel == EMAIL and not words.subject.strip():
        found["subject"] = ["o assunto é obrigatório"]
    if "\n" in words.subject or "\r" in words.subject:
        found["subject"] = ["o assunto tem uma linha só"]
    for field, value, longest in (
        ("subject", words.subject, 200),
        ("text", words.text, LONGEST_TEXT),
        ("html", words.html, LONGEST_HTML),
    ):
        wrong = _unknown(value, kind)
        if len(value) > longest:
            wrong.append(f"tem mais de {longest} caracteres")
        if wrong:
            found[field] = [*found.get(field, []), *wrong]
    return found


def _unknown(text: str, kind: Kind) -> list[str]:
    """Placeholders that nobody fills in, and braces that close nothing."""
    wrong = []
    for name in PLACEHOLDER.findall(text):
        if name not in kind.samples:
            known = ", ".join(f"{{{each}}}" for each in kind.samples)
            wrong.append(f"{{{name}}} não existe aqui; use {known}")
    if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        wrong.append("há uma chave { ou } sozinha")
    return wrong


def fill(words: Words, values: Mapping[str, object]) -> Words:
    """The message: placeholders replaced, unknown and missing ones by nothing; HTML escaped."""
    plain = {name: _short(value) for name, value in {**COMMON_VALUES, **values}.items()}
    escaped = {name: html.escape(value) for name, value in plain.items()}
    subject = " ".join(_filled(words.subject, plain).split())
    return Words(subject, _filled(words.text, plain), _filled(words.html, escaped))


COMMON_VALUES: Mapping[str, str] = {"empresa": COMMON["empresa"]}


def _filled(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: values.get(found[1], ""), text)


def _short(value: object) -> str:
    """A value as text, on one line: nobody's name starts a paragraph of ours."""
    return " ".join(str(value if value is not None else "").split())[:LONGEST_VALUE]


def first_name(name: object) -> str:
    """What one calls a person; a friendly word where the name is not known."""
    words = str(name or "").split()
    return words[0].title() if words and words[0].isalpha() else "tudo bem"
