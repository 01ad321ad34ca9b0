"""The bench's own instruments: a sink that counts, figures that tell the truth."""

from __future__ import annotations

import asyncio
import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.figures import Figure, at_least, at_most
from bench.loading import Refused, load
from bench.receiver import Receiver
from bench.sink import delay_of
from bench.stats import median, percentile, ratios, rounded


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path)
    yield receiver
    receiver.close()


def post(sink: Receiver, path: str, message: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", sink.port, timeout=10)
    connection.request("POST", path, b"{}", {"webhook-id": message})
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_sink_counts_each_message_once(sink: Receiver) -> None:
    for message in ("a", "b", "a"):
        assert post(sink, "/0/events", message) == 200
    report = sink.ask("report")
    assert (report["count"], report["distinct"]) == (3, 2)
    assert set(sink.arrivals()) == {"a", "b"}


def test_the_sink_forgets_when_told(sink: Receiver) -> None:
    post(sink, "/0/events", "a")
    assert sink.ask("reset")["count"] == 0
    assert sink.arrivals() == {}


def test_the_sink_answers_late_and_knows_how_many_wait(sink: Receiver) -> None:
    assert post(sink, "/30/events", "a") == 200
    report = sink.ask("report")
    assert (report["open"], report["peak_open"]) == (0, 1)


def test_the_sink_takes_requests_in_pieces_and_several_at_once(sink: Receiver) -> None:
    one = b"POST /0/events HTTP/1.1\r\nContent-Length: 2\r\nwebhook-id: %b\r\n\r\n{}"
    wire = one % b"a" + one % b"b"
    with socket.create_connection(("127.0.0.1", sink.port), timeout=10) as connection:
        for piece in (wire[:40], wire[40:90], wire[90:]):
            connection.sendall(piece)
        answers = b""
        while answers.count(b"200 OK") < 2:
            answers += connection.recv(4096)
    assert set(sink.arrivals()) == {"a", "b"}


@pytest.mark.parametrize(
    ("path", "seconds"),
    [(b"/0/events", 0.0), (b"/50/x", 0.05), (b"/hang/x", -1.0), (b"/other", 0.0)],
)
def test_the_path_says_how_late(path: bytes, seconds: float) -> None:
    assert delay_of(path) == seconds


def test_the_load_generator_sends_numbers_of_their_own(sink: Receiver) -> None:
    headers = {"webhook-id": "n-@NUMBER@"}
    found = load(sink.port, "/0/events", "{}", headers, seconds=0.1, connections=4)
    report = sink.ask("report")
    assert report["count"] == report["distinct"] == len(found.milliseconds) > 0


def test_a_load_that_is_refused_is_no_figure(sink: Receiver) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Refused):
            await asyncio.to_thread(load, port, "/", "{}", {}, seconds=0.1, connections=1)
        server.close()

    asyncio.run(serve())


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (50, 3), (95, 5), (99, 5), (100, 5), (20, 1), (21, 2)]
)
def test_percentile_by_nearest_rank(percent: float, expected: float) -> None:
    assert percentile([5, 1, 4, 2, 3], percent) == expected


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([10, 30], [5, 10]) == [2, 3]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234.5, 1230), (0.012345, 0.0123), (0, 0), (9.999, 10), (-12.34, -12.3)],
)
def test_three_digits_are_kept(value: float, expected: float) -> None:
    assert rounded(value) == expected


@pytest.mark.parametrize(
    ("values", "verdict"), [([1, 2, 3], "missed"), ([3, 3, 4], "first"), ([9, 15, 20], "then")]
)
def test_the_median_is_held_against_the_goals(values: list[float], verdict: str) -> None:
    assert Figure("x", "×", values, at_least(3), at_least(15)).verdict() == verdict


def test_less_may_be_better_and_no_goal_is_no_verdict() -> None:
    assert Figure("x", "ms", [5], at_most(10), at_most(3)).verdict() == "first"
    assert Figure("x", "ms", [5]).verdict() == ""


def test_a_stored_figure_says_its_spread() -> None:
    stored = Figure("x", "/s", [3, 1, 2], at_least(2)).as_json("row")
    assert (stored["median"], stored["low"], stored["high"]) == (median([1, 2, 3]), 1, 3)
    assert (stored["first"], stored["then"], stored["verdict"]) == ("≥ 2", "", "first")


def test_the_command_tells_its_rows() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"], capture_output=True, text=True, check=True
    )
    assert "deliveries" in done.stdout
    assert "--keep" in done.stdout
