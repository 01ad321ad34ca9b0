"""One commit in a hundred succeeds and raises: nothing is lost and nothing written twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.processes import ROOT, until
from chaos.clients import Clients
from chaos.figures import NONE, Figure, at_least, yes
from chaos.hub import Hub
from chaos.reconcile import reconcile
from chaos.setting import Setting

EVENTS, RATE, SHARE = 2_000, 60.0, 0.01
HOOK = Path(__file__).parents[1] / "commit_raises"
# An event type that goes to two systems: a plan written twice would show.
TYPE, SYSTEMS = "client.updated", ("crm", "operacao")


def run(setting: Setting) -> list[Figure]:
    """Every process of the hub is lied to, from the first event to the last."""
    count, place = setting.of(EVENTS, 500), setting.place()
    order = {"flag": str(place / "flag"), "book": str(place / "book"), "share": SHARE}
    environ = {"CHAOS_COMMIT": json.dumps(order | {"seed": setting.seed}), "PYTHONPATH": str(HOOK)}
    target = setting.target()
    hub = setting.hub(target, **environ)
    (place / "flag").touch()
    with Clients(hub, count, RATE, event_type=TYPE) as clients:
        sent = clients.finish(180)
    open_ = "status IN ('pending', 'processing')"
    until(lambda: not hub.count("integration_events", open_), 120, "all events settled", 0.2)
    (place / "flag").unlink()
    raised = (place / "book").stat().st_size if (place / "book").exists() else 0
    accounts = [reconcile(sent, target.entries(), system=system) for system in SYSTEMS]
    return [
        Figure("commits that raised", raised, at_least(5)),
        *accounts[0].figures(count),
        Figure("lost at the other system", len(accounts[1].lost), NONE),
        Figure("events stored twice", _twice(hub), NONE),
        Figure("deliveries planned twice", _planned_twice(hub), NONE),
        Figure("outcomes written twice", _written_twice(hub), NONE),
        Figure("dead letters", hub.count("dead_letters"), NONE),
        yes("the counters say what the rows say", _counters_agree(hub)),
    ]


def _twice(hub: Hub) -> int:
    keys = "SELECT idempotency_key FROM integration_events GROUP BY 1 HAVING count(*) > 1"
    return len(hub.query(keys))


def _planned_twice(hub: Hub) -> int:
    pairs = "SELECT event_id, system FROM deliveries GROUP BY 1, 2 HAVING count(*) > 1"
    return len(hub.query(pairs))


def _written_twice(hub: Hub) -> int:
    """A delivery that ended twice, or an attempt twice there (lost ones do not count on)."""
    ends = "SELECT delivery_id FROM attempts WHERE outcome = 'sent' GROUP BY 1 HAVING count(*) > 1"
    tried = "SELECT delivery_id, number FROM attempts WHERE outcome <> 'lost'"
    numbers = f"{tried} GROUP BY 1, 2 HAVING count(*) > 1"
    return len(hub.query(ends)) + len(hub.query(numbers))


def _counters_agree(hub: Hub) -> bool:
    words = [sys.executable, "-m", "flask", "--app", "app", "integrations", "check-counters"]
    environ = {name: value for name, value in hub.environ.items() if name != "PYTHONPATH"}
    environ["REDIS_URL"] = hub.settings.redis_url
    return subprocess.run(words, env=environ | {"PWD": os.fspath(ROOT)}, cwd=ROOT).returncode == 0
