"""The grammar of a mapping document: what may be written, and what is wrong with it.

A document is an object: target key -> source path, or an object with `type`. Every problem
names its field (`campaign.sources.medium`) and says in Portuguese what to put right.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.errors import Invalid
from app.mappings.rules.date_format import unknown_directives
from app.payloads import depth

# Stays below the 65,535 bytes of a TEXT column of MariaDB.
MAX_BYTES = 60 * 1024
MAX_DEPTH = 12
MAX_TARGETS = 200
MAX_SOURCES = 50
MAX_MAP_ENTRIES = 500
MAX_TARGET = 100
MAX_PATH = 200
MAX_SEGMENTS = 16
MAX_TEXT = 100

# The delivery adds this key to every body; a mapping must not fight with it.
RESERVED_TARGETS = frozenset({"_meta"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a document: where (dotted field) and what to do about it."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class MappingError(Invalid):
    """A document that is no mapping; `problems` says why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(details=by_field(problems))
        self.problems = problems

    @property
    def reason(self) -> str:
        """One sentence for a dead letter."""
        return "Mapeamento inválido: " + "; ".join(map(str, self.problems))


def by_field(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """Problems as the contract's `details`: field -> messages."""
    details: dict[str, list[str]] = {}
    for problem in problems:
        details.setdefault(problem.field, []).append(problem.message)
    return details


def below(field: str, problems: Iterable[Problem]) -> list[Problem]:
    """The problems of a document that itself stands in `field` of something larger."""
    return [
        Problem(field if found.field == "mapping" else f"{field}.{found.field}", found.message)
        for found in problems
    ]


Checker = Callable[[str, object], list[Problem]]


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of one type of rule, each with the check of its value."""

    required: Mapping[str, Checker]
    optional: Mapping[str, Checker]


def check(document: object) -> list[Problem]:
    """All problems of a mapping document; an empty list means that it can be applied."""
    if not isinstance(document, dict):
        return [Problem("mapping", "deve ser um objeto JSON: chave de destino → origem.")]
    if not document:
        return [Problem("mapping", "deve ter ao menos uma chave de destino.")]
    if len(document) > MAX_TARGETS:
        return [Problem("mapping", f"deve ter no máximo {MAX_TARGETS} chaves de destino.")]
    size = _check_size(document)
    if size:
        return size
    return [found for target, rule in document.items() for found in _check_target(target, rule)]


def _check_size(document: object) -> list[Problem]:
    """Depth first: the encoder must not meet a document deeper than the stack."""
    if depth(document) > MAX_DEPTH:
        return [Problem("mapping", f"deve ter no máximo {MAX_DEPTH} níveis.")]
    try:
        size = len(json.dumps(document, ensure_ascii=False, allow_nan=False).encode())
    except (ValueError, TypeError):
        return [Problem("mapping", "contém um número ou texto que não existe em JSON.")]
    if size > MAX_BYTES:
        return [Problem("mapping", f"deve ter no máximo {MAX_BYTES // 1024} KiB.")]
    return []


def _check_target(target: str, rule: object) -> list[Problem]:
    if not target.strip() or len(target) > MAX_TARGET:
        message = f"a chave de destino deve ter de 1 a {MAX_TARGET} letras."
        return [Problem(target[:MAX_TARGET] or "mapping", message)]
    if target in RESERVED_TARGETS:
        return [Problem(target, "é uma chave reservada da entrega.")]
    if isinstance(rule, str):
        return _check_path(target, rule)
    if not isinstance(rule, dict):
        return [Problem(target, "deve ser um caminho de origem ou um objeto com “type”.")]
    return _check_rule(target, rule)


def _check_rule(target: str, rule: dict[str, object]) -> list[Problem]:
    kind = rule.get("type")
    shape = SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        known = ", ".join(SHAPES)
        return [Problem(f"{target}.type", f"deve ser um destes tipos: {known}.")]
    problems = [
        Problem(f"{target}.{name}", "é obrigatório.") for name in shape.required if name not in rule
    ]
    for name, value in rule.items():
        if name != "type":
            problems += _check_field(f"{target}.{name}", value, shape, name)
    return problems


def _check_field(field: str, value: object, shape: Shape, name: str) -> list[Problem]:
    checker = shape.required.get(name) or shape.optional.get(name)
    return checker(field, value) if checker else [Problem(field, "não existe neste tipo.")]


def _check_path(field: str, value: object) -> list[Problem]:
    if not isinstance(value, str) or not value or len(value) > MAX_PATH:
        return [Problem(field, f"deve ser um caminho de origem de 1 a {MAX_PATH} letras.")]
    segments = value.split(".")
    if len(segments) > MAX_SEGMENTS:
        return [Problem(field, f"deve ter no máximo {MAX_SEGMENTS} partes separadas por ponto.")]
    return [] if all(segments) else [Problem(field, "tem uma parte vazia entre os pontos.")]


def _check_source_list(field: str, value: object) -> list[Problem]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_SOURCES:
        return [Problem(field, f"deve ser uma lista de 1 a {MAX_SOURCES} caminhos.")]
    return [
        found for place, path in enumerate(value) for found in _check_path(f"{field}.{place}", path)
    ]


def _check_sources(field: str, value: object) -> list[Problem]:
    if not isinstance(value, dict):
        return _check_source_list(field, value)
    if not 1 <= len(value) <= MAX_SOURCES:
        return [Problem(field, f"deve ter de 1 a {MAX_SOURCES} caminhos.")]
    return [found for key, path in value.items() for found in _check_path(f"{field}.{key}", path)]


def _check_map(field: str, value: object) -> list[Problem]:
    if isinstance(value, dict) and 1 <= len(value) <= MAX_MAP_ENTRIES:
        return []
    return [Problem(field, f"deve ser um objeto de 1 a {MAX_MAP_ENTRIES} valores.")]


def _check_text(field: str, value: object, *, at_least: int = 0) -> list[Problem]:
    if isinstance(value, str) and at_least <= len(value) <= MAX_TEXT:
        return []
    return [Problem(field, f"deve ser um texto de {at_least} a {MAX_TEXT} letras.")]


def _check_format(field: str, value: object) -> list[Problem]:
    problems = _check_text(field, value, at_least=1)
    unknown = unknown_directives(value) if isinstance(value, str) and not problems else []
    if unknown:
        problems = [Problem(field, f"contém um código de data desconhecido: {unknown[0]}.")]
    return problems


def _check_number_type(field: str, value: object) -> list[Problem]:
    return [] if value in ("int", "float") else [Problem(field, "deve ser “int” ou “float”.")]


def _check_number(field: str, value: object) -> list[Problem]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return [] if value is None or is_number else [Problem(field, "deve ser um número.")]


def _check_boolean(field: str, value: object) -> list[Problem]:
    is_boolean = value is None or isinstance(value, bool)
    return [] if is_boolean else [Problem(field, "deve ser true ou false.")]


def _accept(_field: str, _value: object) -> list[Problem]:
    return []


SHAPES: dict[str, Shape] = {
    "direct": Shape({"source": _check_path}, {"default": _accept}),
    "concat": Shape({"sources": _check_source_list}, {"separator": _check_text}),
    "map": Shape({"source": _check_path, "map": _check_map}, {"default": _accept}),
    "date": Shape({"source": _check_path}, {"format": _check_format, "default": _accept}),
    "number": Shape(
        {"source": _check_path}, {"number_type": _check_number_type, "default": _check_number}
    ),
    "boolean": Shape({"source": _check_path}, {"default": _check_boolean}),
    "array": Shape({"sources": _check_sources}, {}),
    "static": Shape({"value": _accept}, {}),
}
