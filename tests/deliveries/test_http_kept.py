"""Connections that are kept make room for others."""

from __future__ import annotations

import asyncio

import psutil

from app.deliveries.http import Sender
from tests.deliveries.rough import GOOD, LOOPBACK, outgoing, partner, run, says


def test_kept_connections_make_room_for_new_ones() -> None:
    async def story() -> None:
        async with (
            partner(says(GOOD, then="keep")) as (one, _),
            partner(says(GOOD, then="keep")) as (other, _),
            Sender(LOOPBACK, most=4) as sender,
        ):
            await asyncio.gather(*(sender.send(outgoing(one)) for _ in range(4)))
            before = psutil.Process().num_fds()
            answers = await asyncio.gather(*(sender.send(outgoing(other)) for _ in range(4)))
            assert [answer.accepted for answer in answers] == [True] * 4
            # Both ends of a connection are ours.
            assert psutil.Process().num_fds() <= before + 4

    run(story())
