"""Every page of the URL map, with something in each place of its address."""

from __future__ import annotations

import re
from typing import Any

from app import config, create_app
from tests.faults.running import RunningHub

# Data, files and parts of pages: what a browser does not show as a page.
NOT_PAGES = re.compile(
    r"/api/(?!docs)|/static/|/metrics$|/health|/status$|/report/daily$|/webhooks/|.*\.csv$"
    r"|/procedimentos/backups/<name>$|/whatsapp-connection/qr$"
)
# Pages that nobody who is signed in sees; they are walked on their own.
OUTSIDE = ("/login", "/login/code", "/feedback/<token>")
# Where the same place in an address means something else.
SPECIAL = {
    "/procedimentos/backups/<name>/comparar": {"name": "backup"},
    "/syncs/runs/<run_id>": {"run_id": "sync"},
    "/messages/templates/<key>/<channel>": {"key": "text"},
}
# Further faces of a page: filters, tabs, ranges, a form that came back, a run that is over.
FACES = (
    "/dlq?state=archived", "/dlq?cause=none", "/dlq?q=nada-assim", "/events?status=failed",
    "/sla?range=7d", "/queues?range=1h", "/incidentes?state=all", "/auditoria?q=nada-assim",
    "/procedimentos/execucoes/<finished>", "/procedimentos/whatsapp_disconnected",
    "/procedimentos/execucoes/<run_id>?passo=reset", "/hoje/modelo/evening",
    "/mapeamentos/<event_type>/<system>?de=1.0.0&para=1.0.1", "/nada-assim", "/incidentes/999999",
    "/messages/<answer>", "/messages/templates/welcome/whatsapp", "/messages?phone=nada",
)  # fmt: skip


def rules_of(hub: RunningHub) -> list[str]:
    """The paths that answer GET, as the URL map has them, without the converters."""
    app = create_app(config.load(hub.hub.environ | {"REDIS_URL": "redis://127.0.0.1:1"}))
    found = {
        re.sub(r"<(?:\w+\([^>]*\):)?(\w+)>", r"<\1>", rule.rule.replace("path:", ""))
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
    }
    return sorted(path for path in found if not NOT_PAGES.match(path))


def filled(path: str, made: dict[str, Any]) -> str:
    """The address with something in each place; KeyError for a place that nothing is known for."""
    here = {place: made[name] for place, name in SPECIAL.get(path, {}).items()}
    return re.sub(r"<(\w+)>", lambda place: str((made | here)[place[1]]), path)


def addresses(hub: RunningHub, made: dict[str, Any]) -> list[str]:
    """What somebody who is signed in can open."""
    paths = [path for path in rules_of(hub) if path not in OUTSIDE]
    return [filled(path, made) for path in (*paths, *FACES)]
