"""Terminal door of the privacy commands (LGPD)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click
from flask.cli import with_appcontext

from app import clock
from app.access.actor import terminal
from app.errors import Invalid
from app.runbook.actions.privacy import erase as erase_person
from app.runbook.actions.privacy import note
from app.runbook.queries.privacy import export as export_person
from app.runbook.queries.privacy import further_names
from app.runbook.rules.privacy import Person, person


@click.group()
def privacy() -> None:
    """What is held of a person, by phone, e-mail or CPF (LGPD)."""


def _of_person(command: Callable[..., None]) -> Callable[..., None]:
    """The options that name a person."""
    for name, words in (("cpf", "CPF."), ("email", "E-mail address."), ("phone", "Phone.")):
        command = click.option(f"--{name}", default="", help=words)(command)
    command = click.option("--json", "_as_json", is_flag=True, help="The output is JSON anyway.")(
        command
    )
    return click.option("--why", help="Reason for the audit trail.")(command)


@privacy.command()
@_of_person
@with_appcontext
def export(phone: str, email: str, cpf: str, why: str | None, _as_json: bool) -> None:
    """Print as JSON all that is held of a person; the look is audited."""
    who = _person(phone, email, cpf)
    held = export_person(who)
    note(terminal(), "privacy.exported", who, why, {name: len(rows) for name, rows in held.items()})
    _say(held)


@privacy.command()
@_of_person
@click.option("--dry-run", is_flag=True, help="Count it, change nothing.")
@with_appcontext
def erase(phone: str, email: str, cpf: str, why: str | None, _as_json: bool, dry_run: bool) -> None:
    """Erase the contents that name a person; rows, counters and a wish for no messages stay.

    What is still on its way is left and counted as busy: ends with 1, to be repeated later.
    `also_known_by` are phones, e-mails and CPF beside the given ones in what was found: others may
    share them, so a person decides whether to erase by those, too.
    """
    who = _person(phone, email, cpf)
    others = further_names(who)
    done = erase_person(who, by=terminal(), why=why, dry_run=dry_run, now=clock.now())
    told = {"dry_run": dry_run, "erased": done.erased, "busy": done.busy}
    _say({**told, "also_known_by": others})
    if any(done.busy.values()):
        raise SystemExit(1)


def _person(phone: str, email: str, cpf: str) -> Person:
    try:
        return person(phone, email, cpf)
    except Invalid as problem:
        lines = [f"{field}: {' '.join(found)}" for field, found in problem.details.items()]
        raise click.ClickException("; ".join(lines)) from None


def _say(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))
