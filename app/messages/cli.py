"""Terminal door of the messages: who wants none, and when nobody is disturbed."""

from __future__ import annotations

import json

import click
from flask.cli import with_appcontext

from app import clock
from app.access.actor import terminal
from app.access.rules.masking import mask_text
from app.db import reading
from app.errors import HubError, Invalid
from app.messages.actions import texts as actions
from app.messages.queries import log

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
why = click.option("--why", required=True, help="Reason for the audit trail.")


@click.group()
def messages() -> None:
    """Messages between the hub and people."""


@messages.command("list")
@click.option("--phone", default="", help="Phone or e-mail, whole.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, help="How many (20).")
@as_json
@with_appcontext
def list_messages(phone: str, limit: int, as_json: bool) -> None:
    """List messages sent and received, the newest first; addresses are masked."""
    with reading() as c:
        rows = log.messages(c, log.LogFilter(q=phone, after=0, upto=0, per_page=limit))
    told = [log.message_json(row) for row in rows]
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for one in told:
        words = f"{one['direction']:<4}{one['channel']:<10}{one['address']:<24}{one['state']:<10}"
        click.echo(f"{one['id']:<8}{one['created_at']}  {words} {one['template']}")


@messages.command("opt-out")
@click.argument("phone")
@why
@as_json
@with_appcontext
def opt_out(phone: str, why: str, as_json: bool) -> None:
    """Send a person no more automatic messages."""
    try:
        digits = actions.opt_out_by_hand(phone, by=terminal(), now=clock.now(), why=why)
    except HubError as problem:
        raise click.ClickException(_words(problem)) from None
    _say(digits, "gets no automatic messages", as_json)


@messages.command("opt-in")
@click.argument("phone")
@why
@as_json
@with_appcontext
def opt_in(phone: str, why: str, as_json: bool) -> None:
    """Send a person automatic messages again."""
    try:
        actions.opt_in(phone, by=terminal(), why=why)
    except HubError as problem:
        raise click.ClickException(_words(problem)) from None
    _say(phone, "gets automatic messages again", as_json)


@messages.command("quiet-hours")
@click.argument("starts")
@click.argument("ends")
@why
@as_json
@with_appcontext
def quiet_hours(starts: str, ends: str, why: str, as_json: bool) -> None:
    """Set the hours (HH:MM) in which nobody is disturbed; equal ones mean none."""
    try:
        actions.set_quiet_hours(starts, ends, by=terminal(), why=why)
    except HubError as problem:
        raise click.ClickException(_words(problem)) from None
    data = {"starts": starts, "ends": ends}
    click.echo(json.dumps(data) if as_json else f"quiet from {starts} to {ends}")


def _words(problem: HubError) -> str:
    """What is wrong, with the fields where there are any."""
    if isinstance(problem, Invalid) and problem.details:
        return "; ".join(f"{name}: {' '.join(told)}" for name, told in problem.details.items())
    return problem.message


def _say(phone: str, what: str, as_json: bool) -> None:
    masked = mask_text(phone)
    click.echo(json.dumps({"phone": masked, "status": what}) if as_json else f"{masked} {what}")
