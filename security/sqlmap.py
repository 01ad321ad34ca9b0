"""sqlmap at each filter, each body and each form, several at once, within a stated time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from app import clock
from security import forms
from security.running import BIN, Report, run
from security.target import Target

# Seconds for one door (most take two), and after which no further door is begun.
ONE_SECONDS = 30
ALL_SECONDS = 300
AT_ONCE = 2
STANDING = (
    "--batch", "--dbms=SQLite", "--level=1", "--risk=1", "--technique=BEU", "--flush-session",
    "--disable-coloring", "--timeout=15", "--retries=0", "--skip=csrf_token", "--ignore-code=*",
)  # fmt: skip
# What makes most doors say yes, so that a changed answer means something.
SAMPLES: dict[str, Any] = {
    "event_type": "lead.created", "system": "crm", "target_system": "crm", "source_system": "site",
    "url": "https://8.8.8.8/", "type": "lead.created", "source": "site", "phone": "11987654321",
    "target_systems": ["crm"], "mapping": {"name": "name"}, "payload": {"name": "Ana"},
    "from": "2026-01-01", "to": "2026-12-31", "date": "2026-01-01", "ids": [1], "limit": 1,
    "range": "24h", "why": "teste", "note": "teste", "cursor": "", "after": "", "upto": "",
}  # fmt: skip
PLACES = {"name": "crm", "system": "crm", "service": "crm", "event_type": "lead.created"}


@dataclass(frozen=True, slots=True)
class Door:
    """A name for the report, and how sqlmap is pointed at it."""

    name: str
    words: tuple[str, ...]


def scan(target: Target, folder: Path) -> Report:
    """Each door for statements that can be changed from outside."""
    doors = [*_described(target), *_forms(target)]
    until, left = clock.monotonic() + ALL_SECONDS, list[str]()

    def attack(numbered: tuple[int, Door]) -> tuple[list[str], int]:
        number, door = numbered
        if clock.monotonic() > until:
            left.append(door.name)
            return [], 0
        place = folder / str(number)
        place.mkdir()
        words = [str(BIN / "sqlmap"), *STANDING, f"--output-dir={place}", *door.words]
        return _read(door.name, run(words, ONE_SECONDS, place))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(attack, enumerate(doors)))
    findings = [finding for found, _ in answers for finding in found]
    if left:
        findings.append(f"not begun within {ALL_SECONDS} s: {len(left)} doors from {left[0]} on")
    return Report(findings, f"{len(doors)} doors, {sum(n for _, n in answers)} parameters")


def _read(name: str, output: str) -> tuple[list[str], int]:
    """What one run found, and how many parameters it tried."""
    found = [
        f"{name}: {line.strip()}"
        for line in output.splitlines()
        if line.startswith("Parameter:") or "is vulnerable" in line
    ]
    tried = output.count("testing for SQL injection on")
    if "[*] ending @" not in output:
        found.append(f"{name}: cut off after {ONE_SECONDS} s")
    elif not tried:
        found.append(f"{name}: nothing was tried: {output[-300:]!r}")
    return found, tried


def _described(target: Target) -> Iterator[Door]:
    """The filters and the JSON bodies of the description, with a key for everything."""
    schemas = target.described["components"]["schemas"]
    key = f"--headers=X-API-Key: {target.key}\nAccept: application/json"
    for path, methods in target.described["paths"].items():
        if path.startswith(forms.FATAL):
            continue
        place = target.url + re.sub(r"\{(\w+)\}", lambda found: PLACES.get(found[1], "1"), path)
        for method, operation in methods.items():
            named = {row["name"] for row in operation["parameters"] if row["in"] == "query"}
            if method == "get" and named:
                query = urlencode({name: SAMPLES.get(name, "1") for name in sorted(named)})
                yield Door(f"GET {path}", ("-u", f"{place}?{query}", key))
            if fields := _fields(operation, schemas):
                data = json.dumps({name: _sample(name, each) for name, each in fields.items()})
                words = ("-u", place, f"--method={method.upper()}", f"--data={data}", key)
                yield Door(f"{method.upper()} {path}", words)


def _fields(operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The fields of a door's JSON body."""
    content = operation.get("requestBody", {}).get("content", {})
    ref = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    found: dict[str, Any] = schemas.get(ref.rpartition("/")[2], {}).get("properties", {})
    return found


def _sample(name: str, schema: dict[str, Any]) -> Any:
    """A value that the field most likely takes."""
    if "enum" in schema:
        return schema["enum"][0]
    kinds = {"integer": 1, "number": 1, "boolean": True, "array": ["a"], "object": {"a": "a"}}
    return SAMPLES.get(name, kinds.get(schema.get("type", ""), "a"))


def _forms(target: Target) -> Iterator[Door]:
    """The forms of the console, with the manager's session."""
    cookie = f"--headers=Cookie: {target.cookie}\nAccept: text/html"
    for form in forms.find(target):
        values = urlencode({name: value or "a" for name, value in form.fields.items()})
        url = target.url + form.action
        if form.method == "GET":
            yield Door(f"form GET {form.action}", ("-u", f"{url}?{values}", cookie))
        else:
            words = ("-u", url, f"--method={form.method}", f"--data={values}", cookie)
            yield Door(f"form {form.method} {form.action}", words)
