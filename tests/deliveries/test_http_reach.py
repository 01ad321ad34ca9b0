"""From a name to a connection: what a name server may say, and when it is asked."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from app.deliveries.http import Sender, reach
from tests.deliveries.rough import GOOD, LOOPBACK, outgoing, partner, says

Asked = list[str]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Asked]:
    """A name server that gives one list of addresses after the other, the last one for ever."""

    def serve(*given: list[str] | OSError) -> Asked:
        asked: Asked = []

        def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            asked.append(host)
            found = given[min(len(asked), len(given)) - 1]
            if isinstance(found, OSError):
                raise found
            stream = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            return [(*stream, (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return asked

    return serve


def run(story: Coroutine[Any, Any, None]) -> None:
    """On asyncio's own loop, whose names are looked up where the fixture answers."""
    asyncio.run(story)


def named(url: str, name: str = "partner.example") -> str:
    return url.replace("127.0.0.1", name)


def test_a_name_that_moves_inside_is_refused(
    names: Callable[..., Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = names(["127.0.0.1"], ["10.0.0.1"])
    monkeypatch.setattr(reach, "DNS_SECONDS", 0.0)

    async def story() -> None:
        async with partner(says(GOOD)) as (url, got), Sender(LOOPBACK) as sender:
            assert (await sender.send(outgoing(named(url), 5))).accepted
            assert (await sender.send(outgoing(named(url), 5))).error_class == "blocked_address"
            assert len(got) == 1

    run(story())
    assert len(asked) == 2


def test_of_several_addresses_only_those_allowed_are_tried(names: Callable[..., Asked]) -> None:
    names(["10.0.0.1", "127.0.0.1"])

    async def story() -> None:
        async with partner(says(GOOD, then="keep")) as (url, _), Sender(LOOPBACK) as sender:
            assert (await sender.send(outgoing(named(url), 5))).accepted

    run(story())


def test_many_wait_for_one_look_up(names: Callable[..., Asked]) -> None:
    asked = names(["127.0.0.1"])

    async def story() -> None:
        async with partner(says(GOOD, then="keep")) as (url, _), Sender(LOOPBACK) as sender:
            sends = (sender.send(outgoing(named(url), 5)) for _ in range(20))
            assert all(answer.accepted for answer in await asyncio.gather(*sends))

    run(story())
    assert asked == ["partner.example"]


@pytest.mark.parametrize("said", [socket.gaierror(-2, "unknown"), []])
def test_a_name_without_an_address_is_a_failure_and_asked_for_again(
    names: Callable[..., Asked], said: Any
) -> None:
    asked = names(said, ["127.0.0.1"])

    async def story() -> None:
        async with partner(says(GOOD, then="keep")) as (url, _), Sender(LOOPBACK) as sender:
            assert (await sender.send(outgoing(named(url), 5))).error_class == "dns"
            assert (await sender.send(outgoing(named(url), 5))).accepted

    run(story())
    assert len(asked) == 2


def test_few_names_are_remembered(
    names: Callable[..., Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = names(["127.0.0.1"])
    monkeypatch.setattr(reach, "NAMES_KEPT", 2)

    async def story() -> None:
        async with partner(says(GOOD)) as (url, _), Sender(LOOPBACK) as sender:
            for name in ("a.example", "b.example", "c.example", "c.example", "a.example"):
                assert (await sender.send(outgoing(named(url, name), 5))).accepted

    run(story())
    assert asked == ["a.example", "b.example", "c.example", "a.example"]


def test_who_gives_up_takes_the_look_up_from_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        assert told.wait(10), "nobody let the name server answer"
        stream = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*stream, ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    async def story() -> None:
        async with partner(says(GOOD, then="keep")) as (url, _), Sender(LOOPBACK) as sender:
            patient = asyncio.create_task(sender.send(outgoing(named(url), 10)))
            hasty = await sender.send(outgoing(named(url), 0.1))
            told.set()
            assert hasty.error_class == "timeout"
            assert (await patient).accepted

    run(story())
