"""A steady stream of realistic events into the hub, the same one for the same seed."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.partners import happenings
from tests.partners.hub import Hub
from tests.partners.rows import Row

DEFAULT_SEED = 20


class Trickle:
    """Sends `rate` events a second, and any number at once when asked."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.rate = 0.0
        self.statuses: Counter[int] = Counter()
        self._seed = DEFAULT_SEED
        self._chance = random.Random(DEFAULT_SEED)
        self._number = 0
        self._changed = asyncio.Event()

    def set(self, rate: Any, seed: Any) -> None:
        """Change the rate (per second) and start the sequence again with another seed."""
        if rate not in (None, ""):
            self.rate = max(float(rate), 0.0)
        if seed not in (None, ""):
            self._seed, self._number = int(seed), 0
            self._chance = random.Random(self._seed)
        self._changed.set()

    def state(self) -> dict[str, Any]:
        """What was sent, by the hub's answer."""
        by_status = {str(status): count for status, count in self.statuses.items()}
        return {
            "hub": self.hub.url,
            "rate": self.rate,
            "sent": self._number,
            "by_status": by_status,
        }

    async def run(self) -> None:
        """Send for ever, waiting while the rate is nothing."""
        while True:
            if self.rate and self.hub.url:
                await self.send(1)
            await self._pause()

    async def send(self, count: int) -> list[int]:
        """Send so many now; the hub's answers (0: not reached)."""
        return [await self._send_one() for _ in range(count)]

    async def _send_one(self) -> int:
        self._number += 1
        kind = self._chance.choices(_KINDS, _WEIGHTS)[0]
        status = await kind(self.hub, self._chance, self._number)
        self.statuses[status] += 1
        return status

    async def _pause(self) -> None:
        self._changed.clear()
        wait = 1 / self.rate if self.rate else None
        try:
            await asyncio.wait_for(self._changed.wait(), wait)
        except TimeoutError:
            return


def _webhook(
    system: str, path: str, make: Callable[[random.Random, int], Row]
) -> happenings.Happening:
    async def send(hub: Hub, chance: random.Random, number: int) -> int:
        return await hub.post_webhook(system, path, make(chance, number))

    return send


def _event(
    event_type: str, system: str, make: Callable[[random.Random, int], Row]
) -> happenings.Happening:
    async def send(hub: Hub, chance: random.Random, number: int) -> int:
        payload = make(chance, number)
        key = f"{event_type}-{payload['id']}-{chance.getrandbits(48):x}"
        event = {"event_type": event_type, "source_system": system, "payload": payload}
        return await hub.post_event({**event, "idempotency_key": key})

    return send


_STREAM: list[tuple[int, happenings.Happening]] = [
    (6, _webhook("site", "/webhooks/site/lead", happenings.lead)),
    (3, _webhook("crm", "/webhooks/crm/client-registered", happenings.client)),
    (4, _webhook("operacao", "/webhooks/operacao/service-completed", happenings.service)),
    (4, _webhook("financeiro", "/webhooks/financeiro/payment", happenings.payment)),
    (1, _webhook("financeiro", "/webhooks/financeiro/payout", happenings.payout)),
    (2, _webhook("cuidadores", "/webhooks/cuidadores/feedback", happenings.feedback)),
    (8, _webhook("whatsapp", "/webhooks/whatsapp", happenings.inbound)),
    (3, _event("service.scheduled", "crm", happenings.schedule)),
    (2, _event("service.started", "operacao", happenings.started)),
    (2, _event("lead.updated", "crm", happenings.client)),
    (2, _event("invoice.created", "financeiro", happenings.payment)),
    (1, _event("caregiver.available", "cuidadores", happenings.caregiver)),
]
_WEIGHTS = [weight for weight, _ in _STREAM]
_KINDS = [kind for _, kind in _STREAM]
