"""The supervisor starts the Procfile, keeps it alive and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Callable

import psutil
import pytest

from tests.house.running import SLEEPER, STUBBORN, WEB, Hub, until

Start = Callable[..., Hub]


def test_starts_release_then_web_then_workers(hub: Start) -> None:
    started = hub(
        f"release: python -c \"print('chefe@example.com / segredo')\"\n"
        f"web: {WEB}\nhigh: python -c \"print('high up', flush=True); input()\"\n"
        f"scheduler: {SLEEPER}\n"
    )
    line = f"http://127.0.0.1:{started.port}  login: chefe@example.com / segredo  stop: Ctrl-C"
    until(lambda: "high up" in started.text())
    text = started.text()
    assert text.count(line) == 1
    assert text.index("GET /health") < text.index(line) < text.index("high.1          | high up")


def test_restarts_the_dead_with_longer_and_longer_pauses(hub: Start) -> None:
    started = hub(f"high: python -c \"print('here')\"\nlow: {SLEEPER}\n")
    until(lambda: started.text().count("ended; again in") >= 4)
    assert re.findall(r"again in (\S+) s", started.text())[:4] == ["0.1", "0.2", "0.4", "0.8"]
    assert "low.1           | ended" not in started.text()


def test_replaces_a_killed_worker(hub: Start) -> None:
    started = hub(f"high: {SLEEPER}\n")
    first = started.up("high.1")["high.1"]
    os.kill(first, signal.SIGKILL)
    until(lambda: started.pids().get("high.1", first) != first)
    rows = json.loads((started.folder / "data" / "processes.json").read_bytes())
    assert rows[0]["restarts"] == 1


def test_clears_the_children_of_a_killed_server(hub: Start) -> None:
    parent = "import signal, subprocess, sys; subprocess.Popen([sys.executable, '-c', "
    started = hub(f"high: python -c \"{parent}'import signal; signal.pause()']); signal.pause()\"")
    leader = psutil.Process(started.up("high.1")["high.1"])
    (grandchild,) = until(leader.children)
    leader.kill()
    psutil.wait_procs([grandchild], timeout=10)
    assert not grandchild.is_running()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything(hub: Start, number: signal.Signals) -> None:
    started = hub(f"web: {WEB}\nhigh: {SLEEPER}\nscheduler: {SLEEPER}\n", HUB_WORKERS="high=2")
    started.up("web", "high.1", "high.2", "scheduler.1")
    family = started.family()
    assert len(family) >= 5
    started.send(number)
    assert started.ended() == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert started.pids() == {}


def test_ends_scheduler_workers_web_in_this_order(hub: Start) -> None:
    last_word = (
        'python -c "import signal, sys; '
        "signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit())); "
        "print('up', flush=True); signal.pause()\""
    )
    started = hub(f"scheduler: {last_word}\nhigh: {last_word}\nlow: {last_word}\n")
    until(lambda: started.text().count("| up") == 3)
    started.send(signal.SIGTERM)
    started.ended()
    said = re.findall(r"(\w+)\.1 +\| bye", started.text())
    assert said[0] == "scheduler"
    assert sorted(said) == ["high", "low", "scheduler"]


def test_a_second_ctrl_c_ends_the_deaf_at_once(hub: Start) -> None:
    started = hub(f"high: {STUBBORN}\n")
    until(lambda: "deaf" in started.text())
    family = started.family()
    started.send(signal.SIGINT)
    started.send(signal.SIGINT)
    # Two signals sent in one breath may arrive as one.
    until(lambda: started.supervisor.poll() is not None or started.send(signal.SIGINT), 10)
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


def test_a_killed_supervisor_leaves_no_process(hub: Start) -> None:
    started = hub(f"high: {SLEEPER}\nlow: {SLEEPER}\n")
    started.up("high.1", "low.1")
    family = started.family()
    started.send(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_starts_again_over_what_a_killed_supervisor_left(hub: Start) -> None:
    started = hub(f"high: {SLEEPER}\n")
    before = started.up("high.1")
    started.send(signal.SIGKILL)
    started.ended()
    started.start()
    until(lambda: started.pids().get("high.1") not in (None, before["high.1"]))


def test_a_killed_guard_is_replaced(hub: Start) -> None:
    started = hub(f"high: {SLEEPER}\n")
    started.up("high.1")

    def guard() -> psutil.Process:
        found: list[psutil.Process] = until(
            lambda: [p for p in started.family() if any("guard.py" in w for w in p.cmdline())]
        )
        return found[0]

    first = guard()
    first.kill()
    until(lambda: not first.is_running() and guard())
    started.up("high.1")
    family = started.family()
    started.send(signal.SIGKILL)
    assert psutil.wait_procs(family, timeout=10)[1] == []


def test_follows_the_scale_file(hub: Start) -> None:
    started = hub(f"high: {SLEEPER}\nlow: {SLEEPER}\n")
    first = started.up("high.1", "low.1")
    scale = started.folder / "data" / "scale.json"
    scale.write_text('{"high": 3, "unknown": 5}')
    assert started.up("high.1", "high.2", "high.3", "low.1").items() >= first.items()
    scale.unlink()
    assert started.up("high.1", "low.1") == first


def test_hang_up_renews_the_workers_one_after_the_other(hub: Start) -> None:
    started = hub(f"high: {SLEEPER}\n", HUB_WORKERS="high=2")
    before = started.up("high.1", "high.2")
    started.send(signal.SIGHUP)
    until(
        lambda: not set(before.values()) & set((now := started.pids()).values()) and len(now) == 2
    )
    assert "ended; again" not in started.text()


def test_refuses_a_second_hub_on_the_same_folder(hub: Start) -> None:
    first = hub(f"high: {SLEEPER}\n")
    first.up("high.1")
    second = hub(f"high: {SLEEPER}\n", HUB_DATA_DIR=first.environ["HUB_DATA_DIR"])
    assert second.ended() == 1
    assert f"another hub (process {first.supervisor.pid}) is running" in second.text()
    assert len(second.text().splitlines()) == 1


def test_refuses_a_taken_port(hub: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = hub(f"web: {WEB}\nhigh: {SLEEPER}\n", PORT=str(port))
        assert refused.ended() == 1
    assert f"port {port} on 127.0.0.1 is not free" in refused.text()
    assert len(refused.text().splitlines()) == 1


def test_refuses_to_start_when_release_fails(hub: Start) -> None:
    refused = hub(f"release: python -c \"raise SystemExit('no schema')\"\nhigh: {SLEEPER}\n")
    assert refused.ended() == 1
    assert "no schema" in refused.text()
    assert "cannot start: `python -c" in refused.text()
    assert refused.pids() == {}


@pytest.mark.parametrize(
    ("lines", "environ", "says"),
    [
        ("web python\n", {}, "line 1 is not a new `name: command`"),
        ("high: x\nhigh: y\n", {}, "line 2"),
        ("high: echo $NOT_SET_ANYWHERE\n", {}, "NOT_SET_ANYWHERE"),
        ("high: x\n", {"HUB_WORKERS": "b=2"}, "HUB_WORKERS: `b=2`"),
        ("high: x\n", {"PORT": "seventy"}, "PORT"),
    ],
)
def test_names_what_is_wrong(hub: Start, lines: str, environ: dict[str, str], says: str) -> None:
    refused = hub(lines, **environ)
    assert refused.ended() == 1
    assert says in refused.text()
    assert "Traceback" not in refused.text()
