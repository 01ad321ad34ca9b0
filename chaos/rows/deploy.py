"""New code under load: SIGHUP renews every process, SIGTERM ends them; nobody notices."""

from __future__ import annotations

import signal
import time

from bench.processes import until
from chaos.clients import Clients, Sent
from chaos.figures import NONE, Figure, at_least, at_most, exactly
from chaos.hub import Hub
from chaos.reconcile import reconcile
from chaos.setting import Setting

RATE = 50.0
# A stop cuts off requests, if any, in the milliseconds in which connections are closed.
ENDING_RATE = 200.0
RELOADS = 2
GRACE = 25.0
SETTLE = 60.0
# So long a system takes to answer: requests are in flight at every moment.
ANSWERS_AFTER = "slow:300"


def run(setting: Setting) -> list[Figure]:
    """Two reloads, then an end and a new start."""
    target = setting.target()
    hub = setting.hub(target)
    target.mode(ANSWERS_AFTER, "crm")
    reloads = setting.of(RELOADS, 1)
    with Clients(hub, 0, RATE, name="reload", seconds=25.0 * reloads) as clients:
        renewed = sum(_reload(hub) for _ in range(reloads))
        reloaded = clients.finish(25.0 * reloads + SETTLE)
    with Clients(hub, 0, ENDING_RATE, name="ending", seconds=12.0) as clients:
        time.sleep(4)
        began = time.monotonic()
        status = hub.stop()
        took = time.monotonic() - began
        left = hub.count("deliveries", "lease IS NOT NULL")
        hub.start_again()
        ended = clients.finish(SETTLE)
    target.mode("ok", "crm")
    accepted = len(reloaded.ids) + len(ended.ids)
    done = "status IN ('done', 'failed')"
    until(lambda: hub.count("integration_events", done) >= accepted, SETTLE, "all are done")
    lost = [reconcile(sent, target.entries()) for sent in (reloaded, ended)]
    setting.note("deploy", reloaded=reloaded.tries, ended=ended.tries, log=hub.text()[-200_000:])
    return [
        Figure("processes renewed", renewed, at_least(8 * reloads)),
        Figure("requests that a reload refused or cut off", _bad(reloaded), NONE),
        Figure("slowest request during the reloads", reloaded.late(100), None, "ms"),
        Figure("exit status after SIGTERM", status, exactly(0)),
        Figure("exit after SIGTERM", took, at_most(GRACE), "s"),
        Figure("answers that were neither 2xx nor a refused connection", _answered(ended), NONE),
        Figure("deliveries still leased after the end", left, NONE),
        Figure("attempts burnt", hub.count("attempts", "outcome <> 'sent'"), NONE),
        Figure("lost", sum(len(account.lost) for account in lost), NONE),
        Figure("duplicated", len(lost[0].again), NONE),
    ]


def _reload(hub: Hub) -> int:
    """One SIGHUP; how many processes are new once it is through."""
    time.sleep(2)
    before = hub.pids()
    web = {process.pid for process in hub.family()}
    hub.send_signal(signal.SIGHUP)
    workers = [name for name in before if name not in ("web", "redis")]

    def through() -> bool:
        now = hub.pids()
        return all(now.get(name) not in (None, before[name]) for name in workers)

    until(through, 120, "every worker is a new one", 0.1)
    fresh = [process for process in hub.family() if process.pid not in web]
    return len(fresh)


def _bad(sent: Sent) -> int:
    return sum(not 200 <= each.status < 300 for each in sent.tries)


def _answered(sent: Sent) -> int:
    """While nobody listens connections are refused; whoever got through gets an answer."""
    refused = ("ClientConnectorError",)
    return sum(not 200 <= each.status < 300 and each.error not in refused for each in sent.tries)
