"""The document as chapters of a page."""

from __future__ import annotations

import json
from typing import Any


def chapters(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Operations by area, in the order of the document, with what a reader wants to know."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            told = _told(document, operation)
            row = {**told, "path": path, "method": method.upper(), "summary": operation["summary"]}
            found.setdefault(operation["tags"][0], []).append(row)
    return dict(sorted(found.items()))


def _told(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    return {
        "scope": operation.get("x-scope", ""),
        "open": operation.get("security") == [],
        "query": [row for row in operation["parameters"] if row["in"] == "query"],
        "fields": _fields(document, content),
        "statuses": [status for status in operation["responses"] if status.startswith("2")],
    }


def _fields(document: dict[str, Any], content: dict[str, Any]) -> list[dict[str, Any]]:
    """The members of a JSON body."""
    ref = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    schemas = document["components"]["schemas"]
    schema = schemas.get(ref.rpartition("/")[2], {})
    if first := schema.get("anyOf", [{}])[0].get("$ref"):
        schema = schemas[first.rpartition("/")[2]]
    needed = schema.get("required", ())
    return [
        {"name": name, "required": name in needed, "schema": field}
        for name, field in schema.get("properties", {}).items()
    ]


def kind(schema: dict[str, Any]) -> str:
    """A JSON Schema in a few words: type, choices, bounds."""
    options = schema.get("anyOf", [schema])
    names = [str(option.get("type", "…")) for option in options if option.get("type") != "null"]
    words = [" | ".join(dict.fromkeys(names))]
    if "enum" in schema:
        words = [", ".join(map(str, schema["enum"]))]
    bounds = {"minimum": "≥ ", "maximum": "≤ ", "maxLength": "até ", "maxItems": "até "}
    words += [f"{sign}{schema[key]}" for key, sign in bounds.items() if key in schema]
    if schema.get("default") not in (None, "", []):
        words.append(f"= {json.dumps(schema['default'], ensure_ascii=False)}")
    return ", ".join(words)
