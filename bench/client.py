"""The bare client: the hub's own sender and signatures with no hub behind it.

`python -m bench.client URL COUNT IN_FLIGHT` sends and then waits to be ended.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import sys
import time

import uvloop

from app.deliveries.http import Outgoing, Sender
from app.deliveries.rules.message import headers_of
from app.payloads import dump_json
from bench.peers.state import Job

SECRETS = ("whsec_" + "YmVuY2g" * 6,)


async def _send(url: str, numbers: range, in_flight: int) -> None:
    bodies = iter([(n, dump_json({"n": n, "text": "texto " * 160})) for n in numbers])

    async def one_after_another(sender: Sender) -> None:
        for number, body in bodies:
            now = time.time_ns() // 1_000_000
            headers = headers_of(Job(number, "payment.failed", body, now), SECRETS, now)
            answer = await sender.send(Outgoing(url, body, headers, 5, 15))
            if not answer.accepted:
                raise RuntimeError(f"the sink did not take a message: {answer.error}")

    async with Sender((ipaddress.ip_network("127.0.0.0/8"),)) as sender:
        await asyncio.gather(*(one_after_another(sender) for _ in range(in_flight)))


def main(url: str, count: str, in_flight: str) -> None:
    """Send messages whose ids no other client uses, then stay for whoever measures the CPU."""
    first = os.getpid() * 1_000_000
    uvloop.run(_send(url, range(first, first + int(count)), int(in_flight)))
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
