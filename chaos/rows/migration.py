"""The release before holds a hundred thousand events and serves while the schema moves under it."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.processes import ROOT, until
from chaos.clients import Clients
from chaos.figures import NONE, Figure, at_most, exactly, yes
from chaos.hub import SUPERVISOR, Hub
from chaos.reconcile import reconcile
from chaos.setting import Setting

EVENTS, SAMPLE = 100_000, 100
RATE = 30.0
SETTLE = 120.0
VERSIONS = "app/migrations/versions"
TABLES = ("integration_events", "deliveries", "attempts")


def run(setting: Setting) -> list[Figure]:
    """Old code before, during and after the migration; then new code on the same data."""
    commit = _before_the_newest()
    if commit is None:
        # One revision, or no history beside the code (a tarball): there is no release before.
        return [Figure("releases before this one to migrate from", 0)]
    target, place, old = setting.target(), setting.place(), setting.place()
    _lay_out(commit, old)
    hub = setting.hub(target, folder=place, words=_in(old))
    count = setting.of(EVENTS, 10_000)
    with Clients(hub, SAMPLE, 100, name="sample") as clients:
        sample = clients.finish(60)
    until(lambda: hub.count("deliveries", "status = 'sent'") >= SAMPLE, 60, "the sample is sent")
    _multiply(hub, count // SAMPLE)
    before = _counts(hub)
    with Clients(hub, 0, RATE, seconds=14) as clients:
        time.sleep(4)
        took = _migrate(hub)
        sent = clients.finish(SETTLE)
    after = _counts(hub)
    done = "status IN ('done', 'failed')"
    total = hub.count("integration_events")
    until(lambda: hub.count("integration_events", done) == total, SETTLE, "all are done")
    status = hub.stop()
    hub.words = SUPERVISOR
    hub.start_again()
    with Clients(hub, SAMPLE, 50, name="new") as clients:
        new = clients.finish(60)
    total = hub.count("integration_events")
    until(lambda: hub.count("integration_events", done) == total, SETTLE, "the new code delivers")
    lost = sum(len(reconcile(each, target.entries()).lost) for each in (sample, sent, new))
    refused = [t for t in sent.tries if not 200 <= t.status < 300]
    return [
        Figure("events before the migration", before[0]),
        Figure("rows after it, of those before", sum(after) - sum(before), NONE),
        Figure("time of the migration", took, None, "s"),
        Figure("refused by the old code meanwhile", len(refused), NONE),
        Figure("slowest request meanwhile", sent.late(100) / 1000, at_most(5), "s"),
        Figure("lost", lost, NONE),
        Figure("exit status of the old code", status, exactly(0)),
        yes("the database is intact", hub.intact()),
    ]


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def _before_the_newest() -> str | None:
    """The commit before the one that brought the newest revision, None where there is none."""
    newest = sorted((ROOT / VERSIONS).glob("[0-9]*.py"))
    if len(newest) < 2:
        return None
    name = f"{VERSIONS}/{newest[-1].name}"
    brought = _git("log", "-1", "--format=%H", "--diff-filter=A", "--", name).decode().strip()
    return f"{brought}^" if brought and _git("rev-parse", "--verify", f"{brought}^") else None


def _lay_out(commit: str, folder: Path) -> None:
    """The files of that commit; the installed libraries stay those of now."""
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit))) as archive:
        archive.extractall(folder, filter="data")


def _in(folder: Path) -> Sequence[str]:
    """The supervisor of the code in that folder."""
    return ("sh", "-c", f'cd "{folder}" && exec "{sys.executable}" -m app.supervisor Procfile')


def _multiply(hub: Hub, times: int) -> None:
    """Copy the sample until there are enough, as the tables are in this schema."""
    step = 1_000_000
    for table, key in zip(TABLES, ("id", "event_id", "delivery_id"), strict=True):
        row = hub.query(f"SELECT * FROM {table} LIMIT 1")[0]
        names = [name for name in row._mapping if name not in ("idempotency_key", "id")]
        kept = ", ".join(names)
        taken = ", ".join(f"{n} + k.n * {step}" if n == key else n for n in names)
        number = "id" if table != "attempts" else None
        first, second = (f"{number}, ", f"id + k.n * {step}, ") if number else ("", "")
        hub.run(
            f"WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < {times}) "
            f"INSERT INTO {table} ({first}{kept}) SELECT {second}{taken} FROM {table}, k "
            f"WHERE {table}.id < {step}"
        )


def _counts(hub: Hub) -> list[int]:
    """How many of the rows made before are there, in each table."""
    return [
        hub.count("integration_events", "id > 1000000"),
        hub.count("deliveries", "event_id > 1000000"),
        hub.count(
            "attempts", "delivery_id IN (SELECT id FROM deliveries WHERE event_id > 1000000)"
        ),
    ]


def _migrate(hub: Hub) -> float:
    """What the new release's `release` line does."""
    started = time.monotonic()
    command = [sys.executable, "-m", "flask", "--app", "app", "prepare"]
    given = {**hub.environ, "REDIS_URL": hub.settings.redis_url}
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-500:])
    return time.monotonic() - started
