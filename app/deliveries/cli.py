"""Terminal door of the dead letters: list, show, retry, archive; and their retention."""

from __future__ import annotations

import json
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from app import clock
from app.access.actor import terminal
from app.db import reading
from app.deliveries.actions import bulk, dead_letters
from app.deliveries.actions.cleanup import cleanup_dead_letters, count_old_dead_letters
from app.deliveries.actions.revive import Moved
from app.deliveries.queries import dead_letters as queries
from app.deliveries.queries.dead_letters import DeadLetterFilter, Narrow
from app.deliveries.routes.shapes import letter_data, letter_with_attempts
from app.errors import HubError, Invalid
from app.web import validate

AT_ONCE = 500
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
why_option = click.option("--why", help="Reason for the audit trail.")


def filter_options(command: Any) -> Any:
    """The options that narrow the dead letters down."""
    for option in (
        click.option("--days", type=click.IntRange(1, 3650), help="Died in the last N days."),
        click.option("--status", type=click.IntRange(100, 599), help="HTTP status."),
        click.option("--error-class", default="", help="Such as timeout, connect, http_500."),
        click.option("--cause", default="", help="Key of a cause."),
        click.option("--system", default="", help="System that did not get the message."),
        click.option("--event-type", default="", help="Such as lead.created."),
    ):
        command = option(command)
    return command


@click.group()
def dlq() -> None:
    """Dead letters: messages that no system took."""


@dlq.command("list")
@filter_options
@click.option("--state", type=click.Choice(["open", "retrying", "resolved", "archived"]))
@click.option("--per-page", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--page", type=click.IntRange(1), default=1)
@as_json
@with_appcontext
def list_(as_json: bool, state: str | None, **given: Any) -> None:
    """List dead letters, newest first.

    Was: curl -H "X-API-Key: {KEY}" …/api/dlq | jq
    """
    wanted = _validated(DeadLetterFilter, {**given, "state": state or "open"})
    with reading() as c:
        page = queries.list_dead_letters(c, wanted, clock.now())
    lines = [
        f"{row.id:>7}  {clock.iso(row.died_at)}  {row.system:<12} {row.event_type:<20} {row.reason}"
        for row in page.rows
    ]
    text = "\n".join([*lines, f"{len(page.rows)} of {page.total}"])
    _say(page.as_json(letter_data), text, as_json)


@dlq.command()
@click.argument("letter_id", type=click.IntRange(1))
@as_json
@with_appcontext
def show(letter_id: int, as_json: bool) -> None:
    """Show one with its attempts and its payload.

    Was: curl -H "X-API-Key: {KEY}" …/api/dlq/{id} | jq
    """
    try:
        with reading() as c:
            row = queries.find_dead_letter(c, letter_id)
            attempts = queries.attempts_of(c, row.delivery_id)
    except HubError as problem:
        raise refused(problem) from None
    data = letter_with_attempts(row, attempts, whole=True)
    lines = [f"{name}: {value}" for name, value in letter_data(row).items()]
    lines += [f"payload: {json.dumps(data['payload'], ensure_ascii=False)}"]
    lines += [f"{a['started_at']}  {a['status'] or '-'}  {a['error']}" for a in data["attempt_log"]]
    _say(data, "\n".join(lines), as_json)


@dlq.command()
@click.argument("ids", type=click.IntRange(1), nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All that the options mean, in the background.")
@click.option("--limit", type=click.IntRange(1), help="With --all: at most so many.")
@filter_options
@why_option
@as_json
@with_appcontext
def retry(
    ids: tuple[int, ...],
    all_: bool,
    limit: int | None,
    why: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Send dead letters again: IDS, or --all of a filter.

    Was: curl -X POST -H "X-API-Key: {KEY}" …/api/dlq/{id}/retry
    """
    if _is_bulk(ids, all_, given):
        _ask("retry", _validated(Narrow, given), limit, why, as_json)
        return
    _tell(_each(dead_letters.retry_selection, ids, why), "queued for retry", as_json)


@dlq.command()
@click.argument("ids", type=click.IntRange(1), nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All that the options mean, in the background.")
@filter_options
@why_option
@as_json
@with_appcontext
def archive(
    ids: tuple[int, ...], all_: bool, why: str | None, as_json: bool, **given: Any
) -> None:  # fmt: skip
    """Put dead letters aside: IDS, or --all of a filter.

    Was: curl -X POST -H "X-API-Key: {KEY}" …/api/dlq/{id}/archive
    """
    if _is_bulk(ids, all_, given):
        _ask("archive", _validated(Narrow, given), None, why, as_json)
        return
    _tell(_each(dead_letters.archive_selection, ids, why), "archived", as_json)


@click.command("cleanup-dlq")
@click.option("--archived", is_flag=True, help="Needed: only archived ones are deleted.")
@click.option("--days", type=click.IntRange(0, 3650), help="Kept so long; else the setting.")
@click.option("--dry-run", is_flag=True, help="Count them, delete nothing.")
@as_json
@with_appcontext
def cleanup_dlq(archived: bool, days: int | None, dry_run: bool, as_json: bool) -> None:
    """Delete dead letters that were archived long ago.

    Was: php artisan integrations:cleanup-dlq --archived --days=90
    """
    if not archived:
        raise click.UsageError("Only archived ones can be deleted: say --archived.")
    kept = current_app.extensions["settings"].dlq_retention_days if days is None else days
    before = clock.now() - kept * clock.DAY
    count = count_old_dead_letters(before) if dry_run else cleanup_dead_letters(before)
    verb = "would be deleted" if dry_run else "deleted"
    data = {"days": kept, "dry_run": dry_run, "dead_letters": count}
    _say(data, f"{count} archived dead letters older than {kept} days {verb}", as_json)


def _is_bulk(ids: tuple[int, ...], all_: bool, given: dict[str, Any]) -> bool:
    """IDS or --all, never both and never a filter without --all."""
    if bool(ids) is all_:
        raise click.UsageError("Name IDS, or --all with the options of a filter.")
    if ids and any(given.values()):
        raise click.UsageError("The options of a filter go with --all.")
    return all_


def _ask(action: str, wanted: Narrow, limit: int | None, why: str | None, as_json: bool) -> None:
    asked = bulk.ask(action, wanted, by=terminal(), now=clock.now(), why=why, limit=limit)
    data = {"bulk_id": asked.id, "count": asked.total}
    _say(data, f"bulk {asked.id}: {asked.total} dead letters in the background", as_json)


def _each(deed: Any, ids: tuple[int, ...], why: str | None) -> Moved:
    """The deed on ids, however many."""
    moved = Moved([], {})
    for start in range(0, len(ids), AT_ONCE):
        part = deed(ids[start : start + AT_ONCE], by=terminal(), why=why, now=clock.now())
        moved = Moved(moved.done + part.done, moved.skipped | part.skipped)
    return moved


def _tell(moved: Moved, verb: str, as_json: bool) -> None:
    """What was done; exit code 1 where something was not."""
    data = {"done": moved.done, "skipped": {str(k): v for k, v in moved.skipped.items()}}
    _say(data, f"{len(moved.done)} dead letters {verb}", as_json)
    for letter_id, reason in moved.skipped.items():
        click.echo(f"{letter_id}: {reason}", err=True)
    if moved.skipped:
        raise SystemExit(1)


def _validated(model: Any, given: dict[str, Any]) -> Any:
    try:
        return validate(model, {k: v for k, v in given.items() if v is not None})
    except Invalid as problem:
        raise refused(problem) from None


def refused(problem: HubError) -> click.ClickException:
    """The refusal as a line on stderr and exit code 1."""
    if isinstance(problem, Invalid) and problem.details:
        lines = [f"{field}: {' '.join(found)}" for field, found in problem.details.items()]
        return click.ClickException("; ".join(lines))
    return click.ClickException(problem.message)


def _say(data: Any, text: str, as_json: bool) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2) if as_json else text)
