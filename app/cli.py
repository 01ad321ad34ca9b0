"""What is typed in a terminal: one command for each that the runbook names, and `prepare`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from app import backup, clock, heartbeats, pipeline, queues, schema
from app.access import cli as access
from app.automations import cli as automations
from app.config import SettingsError
from app.db import reading
from app.deliveries import cli as deliveries
from app.errors import HubError
from app.events import cli as events
from app.events.actions.cleanup import cleanup_events, count_old_events
from app.mappings import cli as mappings
from app.messages import cli as messages
from app.monitoring import cli as monitoring
from app.runbook import cli as runbook
from app.supervisor import premises
from app.syncs import cli as syncs
from app.syncs.queries.board import paused_jobs
from app.systems import cli as systems

T = TypeVar("T")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def init_app(app: Flask) -> None:
    """Give `flask` the hub's commands."""
    for command in (
        access.generate_api_key, access.revoke_api_key, access.list_api_keys, access.create_user,
        access.set_password, mappings.export_mappings, mappings.import_mappings,
        systems.export_endpoints, systems.import_endpoints, cleanup, deliveries.cleanup_dlq,
        monitoring.check_counters,
    ):  # fmt: skip
        integrations.add_command(command)
    for group in (
        integrations, deliveries.dlq, systems.breakers, events.events, workers, schedule,
        automations.automations, messages.messages, runbook.privacy,
    ):  # fmt: skip
        app.cli.add_command(group)
    for single in (prepare, make_backup, restore_backup):
        app.cli.add_command(single)


@click.command()
@with_appcontext
def prepare() -> None:
    """Migrate and seed the database; prints the login of the first manager it makes, once.

    Was: php artisan migrate --seed
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    password = _or_refuse(lambda: schema.prepare(app))
    if password:
        click.echo(f"{app.extensions['settings'].admin_email} / {password}")


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_json
@with_appcontext
def make_backup(file: Path, as_json: bool) -> None:
    """Write the whole database into FILE while the hub works on.

    Keep the secret key apart: without it the credentials in the backup stay sealed.
    """
    size = _or_refuse(lambda: backup.backup(file))
    _say({"file": str(file), "bytes": size}, f"{file}: {size:,} bytes", as_json)


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@as_json
@with_appcontext
def restore_backup(file: Path, as_json: bool) -> None:
    """Bring a backup back where there is no database yet; start the hub afterwards."""
    _or_refuse(lambda: backup.restore(file))
    _say({"file": str(file), "status": "restored"}, f"restored from {file}", as_json)


@click.group()
def integrations() -> None:
    """Keys, people, clean-up and backups (was: php artisan integrations:…)."""


@click.command()
@click.option("--days", type=click.IntRange(1, 3650), help="Kept so long; else the setting.")
@click.option("--dry-run", is_flag=True, help="Count them, delete nothing.")
@as_json
@with_appcontext
def cleanup(days: int | None, dry_run: bool, as_json: bool) -> None:
    """Delete processed events, with their deliveries and attempts, that ended long ago.

    Was: php artisan integrations:cleanup --days=30
    """
    kept = days or current_app.extensions["settings"].event_retention_days
    before = clock.now() - kept * clock.DAY
    count = count_old_events(before) if dry_run else cleanup_events(before)
    verb = "would be deleted" if dry_run else "deleted"
    data = {"days": kept, "dry_run": dry_run, "events": count}
    _say(data, f"{count} processed events older than {kept} days {verb}", as_json)


@click.group()
def workers() -> None:
    """The processes that send."""


@workers.command()
@as_json
@with_appcontext
def status(as_json: bool) -> None:
    """Say which workers live and how many bells wait; exit code 1 where a queue has no worker.

    Was: php artisan horizon:status
    """
    with reading() as c:
        alive = heartbeats.alive(c, clock.now())
    rows = [
        {"kind": beat.kind, "host": beat.host, "pid": beat.pid, "doing": beat.doing,
         "beat_at": clock.iso(beat.beat_at), "started_at": clock.iso(beat.started_at)}
        for beat in alive
    ]  # fmt: skip
    kinds = {beat.kind for beat in alive}
    missing = [queue for queue in queues.QUEUES if f"worker:{queue}" not in kinds]
    missing += [] if "scheduler" in kinds else ["scheduler"]
    lines = [f"{row['kind']:<28} pid {row['pid']:<8} {row['host']}" for row in rows]
    lines += [f"missing: {', '.join(missing)}"] if missing else []
    _say({"processes": rows, "missing": missing}, "\n".join(lines), as_json)
    if missing:
        raise SystemExit(1)


@workers.command()
@as_json
@with_appcontext
def restart(as_json: bool) -> None:
    """Renew the workers one after the other, then the web process; nothing in hand is lost.

    Was: php artisan horizon:terminate && php artisan horizon; supervisorctl restart
    carinho-integracoes:*
    """
    data_dir = current_app.extensions["settings"].data_dir
    pid = premises.renew(data_dir)
    if pid is None:
        raise click.ClickException(f"no supervisor runs on {data_dir.resolve()}")
    _say({"supervisor": pid}, f"supervisor {pid} renews its processes", as_json)


@click.group()
def schedule() -> None:
    """Work at times of day."""


@schedule.command("list")
@as_json
@with_appcontext
def list_jobs(as_json: bool) -> None:
    """List the jobs and when each is next.

    Was: php artisan schedule:list
    """
    zone, now = current_app.extensions["settings"].zone, clock.now()
    with reading() as c:
        paused = paused_jobs(c)
    times = {slot.name: slot.schedule.next(now, zone) for slot in pipeline.SLOTS}
    rows = [
        {"job": job, "next_at": clock.iso(at), "paused": job in paused}
        for job, at in times.items()
    ]  # fmt: skip
    here = {job: f"{clock.to_datetime(at, zone):%Y-%m-%d %H:%M}" for job, at in times.items()}
    lines = [f"{job:<28} {'paused' if job in paused else at}" for job, at in here.items()]
    _say(rows, "\n".join([f"next, in {zone.key}:", *lines]), as_json)


@schedule.command()
@click.option("--job", required=True, help="Name of the job (see list), or sync-full.")
@click.option("--why", help="Reason for the audit trail (syncs).")
@as_json
@with_appcontext
def run(job: str, why: str | None, as_json: bool) -> None:
    """Run a job now, whatever its time; its next slot stays. A sync shows how far it is.

    Was: php artisan schedule:run --job=sync-crm-operacao
    """
    if job.startswith("sync-"):
        syncs.run_sync(job, why, as_json)
        return
    known = {slot.name: slot for slot in pipeline.SLOTS}
    if job not in known:
        raise click.ClickException(f"no job {job!r}; known: {', '.join(sorted(known))}")
    pipeline.resolve(known[job].function)()
    _say({"job": job, "status": "done"}, f"{job} done", as_json)


def _or_refuse(deed: Callable[[], T]) -> T:
    try:
        return deed()
    except HubError as problem:
        raise click.ClickException(problem.message) from None
    except SettingsError as problem:
        raise click.ClickException(str(problem)) from None


def _say(data: Any, text: str, as_json: bool) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2) if as_json else text)
