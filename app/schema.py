"""The database's schema: brought to this release's version, with what every installation has."""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from flask import Flask
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.access.actions.people import ensure_first_manager
from app.access.actions.release import note_release
from app.automations.seed import seed as seed_automations
from app.config import SettingsError
from app.db import IdBlock, db, insert_missing, reading, transaction
from app.errors import Unavailable
from app.mappings.seed import seed as seed_mappings
from app.messages.seed import seed as seed_messages
from app.release import release
from app.secrets import unseal
from app.syncs.actions.schedules import ensure as ensure_syncs
from app.systems.actions import breakers
from app.systems.models import Endpoint
from app.systems.rules.defaults import CARRIERS
from app.systems.seed import seed as seed_systems

MIGRATIONS = Path(__file__).parent / "migrations"
# The newest file in migrations/versions; a test holds the two together.
HEAD = "0007"
ID_BLOCKS = ("events",)


def load_models() -> None:
    """Import every room that has tables, so that the metadata is whole."""
    for path in sorted(Path(__file__).parent.glob("*/models*")):
        import_module(f"app.{path.parent.name}.{path.stem}")
    for room in ("counters", "heartbeats", "slots"):
        import_module(f"app.{room}")


def current() -> str | None:
    """Version the database has, None for an empty one."""
    with db.engine.connect() as c:
        if not inspect(c).has_table("alembic_version"):
            return None
        version: str | None = c.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return version


def wait_until_current(app: Flask, seconds: float) -> bool:
    """Wait for a migration under way; False when it is not done (or no database) in time."""
    end = clock.monotonic() + seconds
    pause = threading.Event()
    with app.app_context():
        while clock.monotonic() < end:
            with suppress(SQLAlchemyError):
                if current() == HEAD:
                    return True
            pause.wait(0.02)
    return False


def note_start(app: Flask) -> None:
    """Tell the audit trail which release runs now, where that is news; never in the way."""
    with app.app_context(), suppress(SQLAlchemyError):
        note_release(release(app.extensions["settings"].commit))


def upgrade() -> bool:
    """Bring the schema to HEAD; whether anything had to be done."""
    if current() == HEAD:
        return False
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with db.engine.connect() as bare:
        # Writing from its first word: beside a hub that serves, SQLite does not let a reader become
        # a writer.
        connection = bare.execution_options(writes=True)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    return True


def _keep_to_ourselves() -> None:
    """Nobody else on the machine reads a SQLite file; what SQLite puts beside it is like it."""
    file = db.engine.url.database
    if db.engine.dialect.name == "sqlite" and file:
        for each in (file, f"{file}-wal", f"{file}-shm"):
            with suppress(FileNotFoundError):
                Path(each).chmod(0o600)


def _check_key() -> None:
    """Another key than before would leave a hub that looks well and can send nothing."""
    with reading() as c:
        sealed = c.scalar(select(Endpoint.secret_sealed).where(Endpoint.secret_sealed != ""))
    try:
        unseal(sealed or "")
    except Unavailable:
        raise SettingsError(
            "HUB_SECRET_KEY: not the one that the stored secrets were sealed with"
        ) from None


def prepare(app: Flask) -> str | None:
    """Migrate and seed; returns the first manager's random password when one was made.

    SettingsError where the key is not the one that the stored secrets were sealed with.
    """
    with app.app_context():
        upgrade()
        _keep_to_ourselves()
        _check_key()
        with transaction() as tx:
            insert_missing(
                tx.connection, IdBlock, [{"name": name, "next_id": 1} for name in ID_BLOCKS]
            )
        settings = app.extensions["settings"]
        now = clock.now()
        seed_systems(settings, now=now)
        seed_mappings(now=now)
        seed_messages(now=now)
        seed_automations(now=now)
        with transaction() as tx:
            breakers.ensure(tx, (*settings.systems, *CARRIERS))
        ensure_syncs(now)
        return ensure_first_manager(settings)
