"""Terminal door of the endpoints: the weekly backup and the way back."""

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
from app.payloads import parse_json
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
