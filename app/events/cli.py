"""Terminal door of the events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, BinaryIO

import click
from flask import current_app
from flask.cli import with_appcontext

from app.access.actor import terminal
from app.errors import Conflict, HubError, Invalid
from app.events.actions import batch
from app.events.actions.batch import AT_ONCE, ItemOutcome, Refused
from app.events.rules import Accepted, NewEvent
from app.payloads import parse_json

Told = dict[str, Any]


@click.group("events")
def events() -> None:
    """Events: put them into the hub by hand."""


@events.command("send")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only check the events, store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def send(file: BinaryIO, dry_run: bool, as_json: bool) -> None:
    """Store the events of FILE (- is the standard input): a JSON object, a list, or JSON lines.

    Each is what POST /api/events takes. Ends with 1 if one was refused; those with an
    idempotency_key may be sent again safely. Was: php artisan tinker, events created by hand.
    """
    try:
        items = read_items(file.read(), current_app.extensions["settings"].max_nesting)
    except HubError as problem:
        raise click.ClickException(_text_of(problem)) from None
    told = [_told(number, each) for number, each in enumerate(_outcomes(items, dry_run), 1)]
    click.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else _lines(told))
    if any("error" in each for each in told):
        raise SystemExit(1)


def read_items(content: bytes, max_nesting: int) -> list[Any]:
    """The events of a file; Invalid names the line that is no JSON."""
    try:
        whole = parse_json(content, max_nesting)
        return whole if isinstance(whole, list) else [whole]
    except Invalid:
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [_line(number, line, max_nesting) for number, line in enumerate(lines, 1)]


def _line(number: int, line: bytes, max_nesting: int) -> Any:
    try:
        return parse_json(line, max_nesting)
    except Invalid as problem:
        raise Invalid(details={f"line {number}": problem.details["body"]}) from None


def _outcomes(items: Sequence[Any], dry_run: bool) -> list[ItemOutcome | NewEvent]:
    """Of each item, in order; a dry run stops before the database."""
    via = f"cli:{terminal().name}"
    if dry_run:
        return list(batch.judge(items, via))
    found: list[ItemOutcome | NewEvent] = []
    for start in range(0, len(items), AT_ONCE):
        found += batch.accept_items(items[start : start + AT_ONCE], via)
    return found


def _told(number: int, outcome: ItemOutcome | NewEvent) -> Told:
    if isinstance(outcome, Refused | Conflict):
        error = outcome.error if isinstance(outcome, Refused) else outcome
        return {"number": number, "error": _text_of(error)}
    told: Told = {"number": number, "event_type": outcome.event_type}
    if isinstance(outcome, Accepted):
        told |= {"id": outcome.id, "repeat": outcome.repeat}
    return told


def _text_of(problem: HubError) -> str:
    if isinstance(problem, Invalid):
        return "; ".join(f"{field}: {' '.join(why)}" for field, why in problem.details.items())
    return problem.message


def _lines(told: Sequence[Told]) -> str:
    """One line for each event, and the sum."""
    lines = []
    for each in told:
        result = each.get("error") or ("valid" if "id" not in each else f"event {each['id']}")
        again = " (there already)" if each.get("repeat") else ""
        lines.append(f"{each['number']:>5}  {each.get('event_type', '-'):<24} {result}{again}")
    refused = sum("error" in each for each in told)
    return "\n".join([*lines, f"{len(told) - refused} good, {refused} refused"])
