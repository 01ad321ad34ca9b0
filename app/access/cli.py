"""Commands for API keys and people."""

from __future__ import annotations

import json
from typing import Any

import click
from flask.cli import with_appcontext

from app import clock
from app.access import queries
from app.access.actions import api_keys, people
from app.access.actor import terminal
from app.access.models import ApiKey
from app.access.rules import scopes
from app.access.rules.emails import normal_email
from app.errors import HubError, Invalid

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
password_option = click.password_option(
    help="Asked for when not given; the command line is visible to others on the machine."
)


@click.command("generate-api-key")
@click.option("--name", required=True, help='Who will use it, e.g. "Sistema X".')
@click.option(
    "--scopes",
    "wanted",
    default=",".join(scopes.DEFAULT),
    show_default=True,
    help="Comma-separated: events:write, dlq:*, *.",
)
@click.option("--expires-days", type=click.IntRange(1, 3650), help="Days until it ends.")
@as_json
@with_appcontext
def generate_api_key(name: str, wanted: str, expires_days: int | None, as_json: bool) -> None:
    """Make an API key; its text is shown this once.

    Was: php artisan integrations:generate-api-key --name="Sistema X"
    """
    ends = clock.now() + expires_days * clock.DAY if expires_days else None
    names = [scope.strip() for scope in wanted.split(",") if scope.strip()]
    try:
        made = api_keys.generate_api_key(terminal(), name, names, ends)
    except HubError as problem:
        raise _refused(problem) from None
    told = {"id": made.id, "name": name, "key": made.key, "scopes": names}
    _say({**told, "expires_at": clock.iso(ends)}, f"{made.id}  {made.key}", as_json)


@click.command("revoke-api-key")
@click.option("--id", "key_id", type=int, required=True, help="Number of the key (see the list).")
@click.option("--why", help="Reason for the audit trail.")
@as_json
@with_appcontext
def revoke_api_key(key_id: int, why: str | None, as_json: bool) -> None:
    """Revoke an API key; it is worthless from the next request on.

    Was: php artisan integrations:revoke-api-key --id=123
    """
    try:
        api_keys.revoke_api_key(terminal(), key_id, why)
    except HubError as problem:
        raise _refused(problem) from None
    _say({"id": key_id, "status": "revoked"}, f"API key {key_id} revoked", as_json)


@click.command("list-api-keys")
@as_json
@with_appcontext
def list_api_keys(as_json: bool) -> None:
    """List API keys: who has which, last use, end."""
    rows = [_row(key) for key in queries.api_keys()]
    lines = [
        f"{row['id']:>5}  {row['prefix']}…  {row['status']:<8} {row['last_used_at'] or '-':<25} "
        f"{row['name']}  [{' '.join(row['scopes'])}]"
        for row in rows
    ]
    _say(rows, "\n".join(lines) or "no API keys", as_json)


@click.command("create-user")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option(
    "--level", type=click.IntRange(1, 3), default=1, help="1 Operação, 2 Desenvolvimento, 3 Gestão."
)
@password_option
@as_json
@with_appcontext
def create_user(email: str, name: str, level: int, password: str, as_json: bool) -> None:
    """Add a person who may sign in."""
    try:
        user_id = people.create_user(terminal(), email, name, level, password)
    except HubError as problem:
        raise _refused(problem) from None
    _say({"id": user_id, "email": normal_email(email)}, f"user {user_id} created", as_json)


@click.command("set-password")
@click.option("--email", required=True)
@password_option
@with_appcontext
def set_password(email: str, password: str) -> None:
    """Set a person's password; all their logins end."""
    user_id = queries.user_id_of(normal_email(email))
    if user_id is None:
        raise click.ClickException(f"nobody signs in as {email}")
    try:
        people.change_password(terminal(), user_id, password)
    except HubError as problem:
        raise _refused(problem) from None
    click.echo("password changed")


def _row(key: ApiKey) -> dict[str, Any]:
    """A key as the list shows it."""
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "status": key.status,
        "created_at": clock.iso(key.created_at),
        "created_by": key.created_by,
        "last_used_at": clock.iso(key.last_used_at),
        "expires_at": clock.iso(key.expires_at),
    }


def _say(data: Any, text: str, as_json: bool) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2) if as_json else text)


def _refused(problem: HubError) -> click.ClickException:
    """The refusal as a line on stderr and exit code 1."""
    if isinstance(problem, Invalid):
        lines = [f"{field}: {' '.join(found)}" for field, found in problem.details.items()]
        return click.ClickException("; ".join(lines))
    return click.ClickException(problem.message)
