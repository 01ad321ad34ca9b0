"""A backup at full load, restored in an empty place: a second hub goes on from there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter

from bench.processes import ROOT, until
from chaos.clients import Clients
from chaos.figures import NONE, Figure, at_least, yes
from chaos.hub import Hub
from chaos.setting import Setting
from chaos.target_server import ACCEPTED

RATE = 60.0
SETTLE = 90.0
KEY = "the same key in both places, 0123456789"


def run(setting: Setting) -> list[Figure]:
    """Half of the traffic waits for a system that fails while the backup is made."""
    target = setting.target()
    hub = setting.hub(target, RETRY_MAX_ATTEMPTS="20", HUB_SECRET_KEY=KEY)
    file = hub.folder / "hub.backup"
    with Clients(hub, 0, RATE, seconds=14) as clients:
        time.sleep(5)
        target.mode("503", "crm")
        time.sleep(4)
        began = time.time_ns() // 1_000_000
        _flask(hub, "backup", str(file))
        took = time.time_ns() // 1_000_000 - began
        sent = clients.finish(60)
    accepted = {t.id for t in sent.tries if t.id is not None and t.ended <= began}
    there = {each.event for each in target.entries() if each.outcome == ACCEPTED}
    status = hub.stop()

    elsewhere, place, database = setting.target(), setting.place(), setting.fresh_database()
    # What waits in the backup leaves as soon as the second hub is up.
    elsewhere.knows(hub.secrets())
    given = {"HUB_DATA_DIR": str(place / "data"), "DATABASE_URL": database}
    _flask(hub, "restore", str(file), **given)
    restored = setting.hub(elsewhere, database, place, HUB_SECRET_KEY=KEY)
    known = {row[0] for row in restored.query("SELECT id FROM integration_events")}
    until(lambda: not restored.count("deliveries", "status = 'pending'"), SETTLE, "all delivered")
    came = Counter(e.event for e in elsewhere.entries() if e.outcome == ACCEPTED)
    return [
        Figure("events acknowledged before the backup", len(accepted), at_least(100)),
        Figure("time of the backup at full load", took / 1000, None, "s"),
        Figure("requests refused meanwhile", sum(t.status >= 300 for t in sent.tries), NONE),
        Figure("acknowledged before, but not in the backup", len(accepted - known), NONE),
        Figure("pending in the backup, not delivered", len(known - there - set(came)), NONE),
        Figure("delivered again by the restored hub", sum(n > 1 for n in came.values()), NONE),
        Figure("delivered before the backup and once more", len(there & set(came)), NONE),
        yes("the restored database is intact", restored.intact() and status == 0),
    ]


def _flask(hub: Hub, *words: str, **environ: str) -> None:
    """One of the product's commands."""
    command = [sys.executable, "-m", "flask", "--app", "app", *words]
    given = {**hub.environ, "REDIS_URL": hub.settings.redis_url, **environ}
    done = subprocess.run(command, env=given, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"flask {' '.join(words)}: {done.stderr.decode()[-500:]}")
