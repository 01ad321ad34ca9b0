"""The OpenAPI 3.1 document, made of doors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel

from app.openapi.rules.door import Door
from app.openapi.rules.words import AREAS, OPERATIONS

JSON, PROBLEM, FORM = (
    "application/json",
    "application/problem+json",
    "application/x-www-form-urlencoded",
)
# Answers that are no JSON.
MEDIA = {
    "/metrics": "text/plain",
    "/auditoria.csv": "text/csv",
    "/dlq/export.csv": "text/csv",
}
# A number in their search leads to the one it names, which may not be there.
LEADS_ON = frozenset({"/events"})
FAILURES = {
    400: "O pedido não é HTTP que o hub entenda",
    401: "Falta a chave de API ou a assinatura, ou está errada",
    403: "A chave não tem o escopo",
    404: "Não existe",
    405: "Este método não é atendido neste endereço",
    409: "Não é possível no estado atual",
    413: "Corpo grande demais",
    422: "Um campo está errado; `details` diz qual",
    429: "Pedidos demais; `Retry-After` diz quanto esperar",
    503: "Indisponível por um momento; `Retry-After` diz quanto esperar",
}
Ref = dict[str, Any]


def document(doors: Iterable[Door], version: str) -> dict[str, Any]:
    """The whole description as JSON data."""
    schemas: dict[str, Any] = {"Problem": _problem()}
    paths: dict[str, dict[str, Any]] = {}
    areas = set()
    for door in doors:
        paths.setdefault(door.path, {})[door.method.lower()] = _operation(door, schemas)
        areas.add(door.area)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Carinho com Você – hub de integrações",
            "version": version,
            "description": "Eventos entram, são guardados, mapeados e entregues a cada sistema. "
            "Dados pessoais só vêm inteiros com a permissão personal_data:read; cada consulta "
            "dessas fica na auditoria.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": AREAS.get(area, area)} for area in sorted(areas)],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {_failure_name(status): _failure(status) for status in FAILURES},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


def _operation(door: Door, schemas: dict[str, Any]) -> dict[str, Any]:
    """One method of one address."""
    summary = OPERATIONS.get(f"{door.method} {door.path}", "")
    operation: dict[str, Any] = {
        "operationId": f"{door.endpoint}.{door.method.lower()}",
        "tags": [AREAS.get(door.area, door.area)],
        "summary": summary,
        "parameters": [*map(_place, door.places), *_query(door.query, schemas)],
        "responses": _responses(door),
    }
    if content := _content(door, schemas):
        needed = door.body is not None and _is_needed(door.body)
        operation["requestBody"] = {"required": needed, "content": content}
    if door.scope is None and not door.network:
        operation["security"] = []
    elif door.network:
        # A trusted network needs no key.
        operation["security"] = [{"key": []}, {}]
    if door.scope:
        operation["x-scope"] = door.scope
    return operation


def _place(place: tuple[str, str, str]) -> dict[str, Any]:
    """A place in the address as a parameter."""
    name, kind, told = place
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if kind == "int":
        schema = {"type": "integer", "minimum": 0, **_bounds(told)}
    elif kind == "any":
        schema = {"type": "string", "enum": [word.strip(" '\"") for word in told.split(",")]}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _bounds(told: str) -> dict[str, int]:
    """`min=1, max=3` as JSON Schema has it."""
    words = {"min": "minimum", "max": "maximum"}
    pairs = (part.split("=") for part in told.split(",") if "=" in part)
    return {words[key.strip()]: int(value) for key, value in pairs}


def _query(model: type[BaseModel] | None, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of a filter as parameters."""
    if model is None:
        return []
    schema = _schema(model, schemas)
    needed = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": field}
        for name, field in schema.get("properties", {}).items()
    ]


def _content(door: Door, schemas: dict[str, Any]) -> dict[str, Any]:
    """What the body may be; {} where none is read."""
    if door.body is not None:
        name = f"{door.endpoint}.{door.body.__name__}"
        schemas[name] = _schema(door.body, schemas)
        return {JSON: {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return {FORM: {"schema": {"type": "object"}}} if door.form else {}


def _is_needed(model: type[BaseModel]) -> bool:
    """Whether a request without a body is refused."""
    return any(field.is_required() for field in model.model_fields.values())


def _schema(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    """A model as JSON Schema; what it refers to goes beside it."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    return schema


def _responses(door: Door) -> dict[str, Any]:
    """Every answer the door gives."""
    media = MEDIA.get(door.path, JSON)
    shape: dict[str, Any] = {} if media != JSON else {"schema": {"type": "object"}}
    good = {str(s): {"description": "Feito", "content": {media: shape}} for s in door.statuses}
    found = [status for status in FAILURES if _may(door)(status)]
    bad = {str(s): {"$ref": f"#/components/responses/{_failure_name(s)}"} for s in found}
    return {**good, **bad}


def _may(door: Door) -> Callable[[int], bool]:
    """Which failures a door can answer with."""
    never = set()
    if not door.places and door.method == "GET" and door.path not in LEADS_ON:
        never.add(404)
    if door.method == "GET":
        never |= {409, 413}
    return lambda status: status not in never


def _failure_name(status: int) -> str:
    return f"Problem{status}"


def _failure(status: int) -> dict[str, Any]:
    shape = {"schema": {"$ref": "#/components/schemas/Problem"}}
    made: dict[str, Any] = {"description": FAILURES[status], "content": {PROBLEM: shape}}
    if status == 422:
        # A form's door tells a program what the form would show.
        made["content"][JSON] = {"schema": {"type": "object"}}
    if status in (429, 503):
        made["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 0}}}
    return made


def _problem() -> dict[str, Any]:
    """The error contract."""
    texts = {"type": "array", "items": {"type": "string"}}
    return {
        "type": "object",
        "required": ["type", "title", "status", "error"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "error": {"type": "string"},
            "details": {"type": "object", "additionalProperties": texts},
            "retry_after": {"type": "integer"},
        },
    }
