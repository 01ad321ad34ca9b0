"""Two thousand messages are due when a system returns: it must not be run over."""

from __future__ import annotations

from collections import Counter

from bench.processes import until
from chaos.clients import Clients
from chaos.figures import Figure, at_least, at_most
from chaos.setting import Setting
from chaos.target_server import ACCEPTED

WAITING, RATE = 2_000, 400


def run(setting: Setting) -> list[Figure]:
    """The system fails while they come in, then answers again."""
    target = setting.target()
    hub = setting.hub(target)
    count = setting.of(WAITING, 500)
    target.mode("503", "crm")
    with Clients(hub, count, RATE) as clients:
        clients.finish(60)
    target.mode("ok", "crm")
    until(lambda: hub.count("deliveries", "status = 'sent'") == count, 60, "all delivered", 0.2)
    return _figures([each.at for each in target.entries() if each.outcome == ACCEPTED])


def _figures(arrivals: list[int]) -> list[Figure]:
    first = min(arrivals)
    tenths = Counter((at - first) // 100 for at in arrivals)
    early = max(tenths[n] for n in range(10))
    later = max(tenths[n] for n in range(10, 50))
    return [
        Figure("requests in a tenth of the first second, at most", early, at_most(20)),
        Figure("and of the four seconds after it: it ramps up", later, at_least(early)),
    ]
