"""The whole database into one file while the hub works, and back in an empty place."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError

from app.db import db
from app.errors import Conflict, Invalid, Unavailable

SQLITE_HEAD = b"SQLite format 3\0"
# Longer than any transaction: who copies waits for those who write, never the other way round.
BUSY_SECONDS = 60


def backup(file: Path) -> int:
    """Write a consistent copy of all that is committed now; its bytes. Conflict: file is there."""
    if file.exists():
        raise Conflict(f"{file} is there already")
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    # What it holds is as secret as the database.
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _copy_sqlite(part) if _kind() == "sqlite" else _dump(part)
        _sync(part)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def restore(file: Path) -> None:
    """Bring a backup back where there is no database yet; Conflict where there is one."""
    if not file.is_file():
        raise Invalid(f"{file} is not there")
    if _is_there():
        raise Conflict("there is a database already; a backup is restored in an empty place only")
    _put_sqlite(file) if _kind() == "sqlite" else _load(file)


def _kind() -> str:
    name = db.engine.dialect.name
    if name not in ("sqlite", "postgresql"):
        raise Invalid(f"use the dump program of {name} itself")
    return name


def _place() -> Path:
    return Path(db.engine.url.database or "")


def _is_there() -> bool:
    if _kind() == "sqlite":
        return _place().exists()
    try:
        return bool(inspect(db.engine).get_table_names())
    except OperationalError as problem:
        raise Unavailable(f"no database: {problem.orig}") from None


def _copy_sqlite(part: Path) -> None:
    """A copy of the file itself would be torn; this is one snapshot, and holds no writer up."""
    try:
        with closing(sqlite3.connect(f"file:{_place()}?mode=ro", uri=True)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
            connection.execute("VACUUM INTO ?", (str(part),))
    except sqlite3.Error as problem:
        raise Unavailable(f"not copied: {problem}") from None


def _put_sqlite(file: Path) -> None:
    with file.open("rb") as opened:
        if opened.read(len(SQLITE_HEAD)) != SQLITE_HEAD:
            raise Invalid(f"{file} is not a backup of SQLite")
    part = _place().with_name("restored.part")
    shutil.copyfile(file, part)
    part.chmod(0o600)
    _sync(part)
    part.rename(_place())


def _dump(part: Path) -> None:
    _run("pg_dump", "--format=custom", f"--file={part}")


def _load(file: Path) -> None:
    _run("pg_restore", "--exit-on-error", "--no-owner", "--single-transaction", str(file))


def _run(program: str, *words: str) -> None:
    """One of PostgreSQL's programs on our database; the password is no word that `ps` shows."""
    url = db.engine.url
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environ = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    try:
        command = [program, f"--dbname={plain}", *words]
        subprocess.run(command, check=True, env=environ, capture_output=True)
    except FileNotFoundError:
        raise Unavailable(f"{program} is needed; it comes with PostgreSQL's client") from None
    except subprocess.CalledProcessError as problem:
        raise Unavailable(f"{program}: {problem.stderr.decode(errors='replace')[:300]}") from None


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())
