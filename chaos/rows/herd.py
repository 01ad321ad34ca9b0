"""Two thousand messages are due when a system returns: it must not be run over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bench.processes import until
from chaos.clients import Clients
from chaos.figures import Figure, at_least, at_most
from chaos.hub import Hub
from chaos.setting import Setting
from chaos.target import Target
from chaos.target_server import ACCEPTED

WAITING, RATE = 2_000, 400
# The delay that is set when nobody sets one, in seconds.
DELAY = 60.0


def run(setting: Setting) -> list[Figure]:
    """It turns all of them away at once; while these wait, another one fails and answers again."""
    target, count = setting.target(), setting.of(WAITING, 500)
    hub = _turned_away(setting, target, count)
    due = [row.due_at for row in hub.query("SELECT due_at FROM deliveries")]
    ramp = _ramp(setting, count)
    spread = [Figure("retries due in the busiest second", _busiest(due, count), at_most(5), "%")]
    return [*ramp, *spread, *([] if setting.short else _came(hub, target, count))]


def _ramp(setting: Setting, count: int) -> list[Figure]:
    target = setting.target()
    hub = setting.hub(target)
    _fill(hub, target, count, "503")
    until(lambda: hub.count("breakers", "state <> 'closed'"), 30, "the breaker is open", 0.1)
    target.mode("ok", "crm")
    until(lambda: hub.count("deliveries", "status = 'sent'") == count, 60, "all delivered", 0.2)
    arrivals = [each.at for each in target.entries() if each.outcome == ACCEPTED]
    first = min(arrivals)
    tenths = Counter((at - first) // 100 for at in arrivals)
    early = max(tenths[n] for n in range(10))
    later = max(tenths[n] for n in range(10, 50))
    return [
        Figure("requests in a tenth of the first second, at most", early, at_most(20)),
        Figure("and in one of the four seconds after: it ramps up", later, at_least(early)),
    ]


def _turned_away(setting: Setting, target: Target, count: int) -> Hub:
    """A hub whose messages were all refused for now, at the same moment."""
    hub = setting.hub(target, RETRY_BASE_DELAY=str(DELAY))
    hub.run("UPDATE systems SET paused = :yes", yes=True)
    _fill(hub, target, count, "429")
    hub.run("UPDATE systems SET paused = :no", no=False)
    until(lambda: hub.count("deliveries", "attempts = 1") == count, 60, "all turned away", 0.2)
    target.mode("ok", "crm")
    return hub


def _came(hub: Hub, target: Target, count: int) -> list[Figure]:
    """The same once more, as the system saw it."""
    sent = "status = 'sent'"
    until(lambda: hub.count("deliveries", sent) == count, 2 * DELAY, "all came back", 0.5)
    came = [each.at for each in target.entries() if each.outcome == ACCEPTED]
    return [Figure("that came in the busiest second", _busiest(came, count), at_most(5), "%")]


def _busiest(moments: Sequence[int], count: int) -> float:
    """Percent of all that fall into the second into which most of them fall."""
    return max(Counter(at // 1000 for at in moments).values()) / count * 100


def _fill(hub: Hub, target: Target, count: int, mode: str) -> None:
    target.mode(mode, "crm")
    with Clients(hub, count, RATE) as clients:
        clients.finish(60)
