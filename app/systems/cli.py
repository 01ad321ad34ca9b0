"""Terminal door of the systems: backup of the endpoints and the way back; breakers."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import BinaryIO

import click
from flask import current_app
from flask.cli import with_appcontext

from app import clock
from app.access.actor import terminal
from app.db import reading
from app.errors import Invalid
from app.payloads import parse_json
from app.systems.actions import breakers as breaker_actions
from app.systems.actions import exchange
from app.systems.rules.exchange import Exchange
from app.web import validate

OUTCOMES = {"created": "novo", "changed": "alterado", "unchanged": "igual"}


@click.command("export-endpoints")
@click.option("--with-secrets", is_flag=True, help="Inclui os segredos: guarde o arquivo bem.")
@click.option("--json", "_as_json", is_flag=True, help="A saída já é sempre JSON.")
@with_appcontext
def export_endpoints(with_secrets: bool, _as_json: bool) -> None:
    """Escreve os endpoints, em JSON, na saída padrão.

    Antes: php artisan integrations:export-endpoints > endpoints_backup.json
    """
    with reading() as connection:
        found = exchange.export_endpoints(connection, with_secrets)
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


@click.command("import-endpoints")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Mostra o que mudaria e não muda nada.")
@click.option("--json", "as_json", is_flag=True, help="Mostra as mudanças em JSON.")
@with_appcontext
def import_endpoints(file: BinaryIO, dry_run: bool, as_json: bool) -> None:
    """Traz de volta o que export-endpoints escreveu: tudo ou nada.

    O que não está no arquivo fica como está. Um endpoint novo sem segredo no arquivo recebe um,
    mostrado só aqui. O sistema antigo não tinha este comando.
    """
    try:
        results = _import(file.read(), dry_run)
    except Invalid as refused:
        for field, problems in refused.details.items():
            click.echo(f"{field}: {' '.join(problems)}", err=True)
        raise click.ClickException("Nada foi importado.") from None
    _tell(results, dry_run, as_json)


def _import(raw: bytes, dry_run: bool) -> list[exchange.Imported]:
    nesting = current_app.extensions["settings"].max_nesting
    wanted = validate(Exchange, parse_json(raw, nesting))
    return exchange.import_endpoints(wanted, by=terminal(), now=clock.now(), dry_run=dry_run)


def _tell(results: list[exchange.Imported], dry_run: bool, as_json: bool) -> None:
    # A secret made in a dry run is never stored: showing it would only mislead.
    shown = [result.as_data() for result in results]
    if dry_run:
        shown = [{**entry, "secret": ""} if "secret" in entry else entry for entry in shown]
    if as_json:
        told = {"dry_run": dry_run, "endpoints": shown}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for entry in shown:
        secret = f" (segredo: {entry['secret']})" if entry.get("secret") else ""
        click.echo(f"{OUTCOMES[entry['outcome']]}: {entry['system']} {entry['url']}{secret}")
    changed = sum(result.outcome != "unchanged" for result in results)
    click.echo(f"{changed} endpoints {'mudariam' if dry_run else 'mudaram'}.")


@click.group()
def breakers() -> None:
    """Circuit breakers: which systems are spared for the moment."""


@breakers.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def list_breakers(as_json: bool) -> None:
    """List the breakers; open means that nothing is sent to the system.

    Was: curl …/circuit-breakers | jq
    """
    with reading() as connection:
        found = breaker_actions.load(connection).values()
    rows = [{**asdict(row), "opened_at": clock.iso(row.opened_at)} for row in found]
    names = ("system", "state", "failures", "successes", "opened_at")
    told = [{name: row[name] for name in names} for row in rows]
    lines = [f"{r['system']:<14} {r['state']:<10} failures {r['failures']}" for r in told]
    text = json.dumps(told, ensure_ascii=False, indent=2) if as_json else "\n".join(lines)
    click.echo(text)


@breakers.command("reset")
@click.argument("system")
@click.option("--why", help="Reason for the audit trail.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def reset_breaker(system: str, why: str | None, as_json: bool) -> None:
    """Close the breaker of SYSTEM by hand; what waits is let out gradually.

    Was: curl -X POST …/circuit-breakers/crm/reset
    """
    try:
        after = breaker_actions.reset(system, why or "", by=terminal(), now=clock.now())
    except Invalid as refused:
        allowed = ", ".join(refused.details["service"])
        raise click.ClickException(f"{refused.message}; allowed: {allowed}") from None
    told = {"system": system, "state": after.state}
    click.echo(json.dumps(told) if as_json else f"breaker of {system} is {after.state}")
