"""Terminal door of the mappings: the weekly backup and the way back."""

from __future__ import annotations

import json
from typing import BinaryIO

import click
from flask import current_app
from flask.cli import with_appcontext

from app import clock
from app.access.actor import terminal
from app.db import reading
from app.errors import Invalid
from app.mappings.actions import ImportPlan, export_all, import_all, preview_import
from app.mappings.rules.exchange import Exchange
from app.payloads import parse_json
from app.web import validate


@click.command("export-mappings")
@click.option("--json", "_as_json", is_flag=True, help="The output is JSON anyway.")
@with_appcontext
def export_mappings(_as_json: bool) -> None:
    """Write routes and the mappings in force to the standard output, as JSON.

    Was: php artisan integrations:export-mappings > mappings_backup.json
    """
    with reading() as connection:
        exchange = export_all(connection)
    click.echo(json.dumps(exchange.model_dump(), ensure_ascii=False, indent=2))


@click.command("import-mappings")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Say what would change, change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def import_mappings(file: BinaryIO, dry_run: bool, as_json: bool) -> None:
    """Bring back what export-mappings wrote: all of it or none of it.

    What differs becomes a new version; what the file does not name stays. The way back from
    php artisan integrations:export-mappings, which had none.
    """
    try:
        plan = _import(file.read(), dry_run)
    except Invalid as refused:
        for field, problems in refused.details.items():
            click.echo(f"{field}: {' '.join(problems)}", err=True)
        raise click.ClickException("nothing was imported") from None
    _tell(plan, dry_run, as_json)


def _import(raw: bytes, dry_run: bool) -> ImportPlan:
    nesting = current_app.extensions["settings"].max_nesting
    exchange = validate(Exchange, parse_json(raw, nesting))
    if dry_run:
        with reading() as connection:
            return preview_import(connection, exchange)
    return import_all(exchange, by=terminal(), now=clock.now())


def _tell(plan: ImportPlan, dry_run: bool, as_json: bool) -> None:
    if as_json:
        told = {"dry_run": dry_run, **plan.as_data()}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for route in plan.routes:
        state = "on" if route.active else "off"
        click.echo(f"route {route.event_type} → {route.system}: {state}")
    for change in plan.mappings:
        event_type, system = change.entry.pair
        before = change.before or "none"
        click.echo(f"mapping {event_type} → {system}: {before} → {change.version}")
    click.echo(
        f"{len(plan.routes)} routes and {len(plan.mappings)} mappings "
        f"{'would change' if dry_run else 'changed'}."
    )
