"""What comes in, as validated models; the answer to anything else names the field."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import current_app
from htmx_flask import request
from pydantic import BaseModel, ValidationError

from app.errors import Invalid
from app.payloads import parse_json

# What an integer column of every database takes.
LARGEST = 2**63 - 1
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
Model = TypeVar("Model", bound=BaseModel)


def body(model: type[Model]) -> Model:
    """The request's JSON object (or form) as the model; Invalid names each wrong field."""
    if request.mimetype in FORMS:
        return validate(model, _plain(request.form.to_dict()))
    raw = request.get_data()
    return validate(model, parse_json(raw, max_nesting()) if raw else {})


def arguments(model: type[Model]) -> Model:
    """The query string as the model; Invalid names each wrong field."""
    return validate(model, request.args.to_dict())


def max_nesting() -> int:
    """Deepest nesting the settings allow."""
    nesting: int = current_app.extensions["settings"].max_nesting
    return nesting


def validate(model: type[Model], data: Any) -> Model:
    """Validate parsed data; Invalid with {field: [problem…]} in the contract's shape."""
    try:
        made = model.model_validate(data)
    except ValidationError as problem:
        raise Invalid(details=_details(problem)) from None
    if large := [name for name in model.model_fields if _is_too_large(getattr(made, name))]:
        raise Invalid(details={_written(model, name): ["is too large"] for name in large})
    return made


def _written(model: type[BaseModel], name: str) -> str:
    """A field as clients write it, where that is not its name here."""
    return model.model_fields[name].alias or name


def _is_too_large(value: Any) -> bool:
    """Whether it is a whole number that no column takes, or a list with one."""
    if isinstance(value, list):
        return any(isinstance(each, int) and abs(each) > LARGEST for each in value)
    return isinstance(value, int) and abs(value) > LARGEST


def _plain(fields: dict[str, str]) -> dict[str, str]:
    """The fields of a form; PostgreSQL refuses NUL, so every database does."""
    if odd := [name for name, text in fields.items() if "\0" in text]:
        raise Invalid(details={name: ["contains the NUL character"] for name in odd})
    return fields


def _details(problem: ValidationError) -> dict[str, list[str]]:
    """pydantic's errors as {field: [text…]}."""
    details: dict[str, list[str]] = {}
    for error in problem.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join(str(part) for part in error["loc"]) or "body"
        details.setdefault(field, []).append(error["msg"])
    return details
