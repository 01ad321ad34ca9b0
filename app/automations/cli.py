"""Terminal door of the automations: which are on, and their switch."""

from __future__ import annotations

import json

import click
from flask.cli import with_appcontext

from app import clock
from app.access.actor import terminal
from app.automations.actions.switch import switch
from app.automations.queries.board import board, card_json
from app.db import reading
from app.errors import HubError

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def automations() -> None:
    """Steps that follow an event."""


@automations.command("list")
@as_json
@with_appcontext
def list_automations(as_json: bool) -> None:
    """List the automations, whether each is on, and its steps."""
    with reading() as c:
        cards = board(c)
    if as_json:
        click.echo(json.dumps([card_json(card) for card in cards], ensure_ascii=False, indent=2))
        return
    for card in cards:
        state = "on" if card.active else "off"
        click.echo(f"{card.flow.name:<20} {state:<4} after {card.flow.event_type}")
        for step in card.steps:
            click.echo(f"    {step.label} ({step.turn})")


@automations.command("switch")
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--why", required=True, help="Reason for the audit trail.")
@as_json
@with_appcontext
def switch_automation(name: str, state: str, why: str, as_json: bool) -> None:
    """Switch an automation on or off; what is under way goes on."""
    try:
        changed = switch(name, state == "on", by=terminal(), why=why, now=clock.now())
    except HubError as problem:
        raise click.ClickException(problem.message) from None
    data = {"name": name, "active": state == "on", "changed": changed}
    click.echo(json.dumps(data) if as_json else f"{name} is {state}")
