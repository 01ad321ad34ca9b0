"""A worker for whom there is no Redis: it delivers all the same, and ends when asked to."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deliveries.hub import Hub
from tests.house.running import ROOT, until
from tests.partners.client import Partners

pytestmark = pytest.mark.faults


@pytest.fixture
def environ(partners: Partners) -> dict[str, str]:
    return {**partners.environment(), "HUB_ALLOWED_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def hub(app: object, app_context: None) -> Hub:
    return Hub(app)  # type: ignore[arg-type]


@pytest.fixture
def worker(hub: Hub, environ: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker of the fast queue whose Redis is not there."""
    settings = hub.settings
    given = {
        "PATH": "/usr/bin:/bin",
        "HUB_ENV_FILE": "none",
        "HUB_DATA_DIR": str(settings.data_dir),
        "HUB_SECRET_KEY": settings.secret_key,
        "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
        "DELIVERY_TIMEOUT": "3",
        **environ,
    }
    command = [sys.executable, "worker.py", "integrations-high"]
    started = subprocess.Popen(command, cwd=ROOT, env=given, stderr=subprocess.PIPE)
    yield started
    started.kill()
    started.communicate()


def test_delivers_without_a_bell_and_ends_when_asked(
    hub: Hub, worker: subprocess.Popen[bytes], partners: Partners
) -> None:
    ids = hub.deliveries("crm", 5)
    until(lambda: all(hub.delivery(id_).status == "sent" for id_ in ids), 30)
    more = hub.deliveries("operacao", 5)
    until(lambda: all(hub.delivery(id_).status == "sent" for id_ in more), 30)
    worker.send_signal(signal.SIGTERM)
    errors = worker.communicate(timeout=15)[1].decode()
    assert worker.returncode == 0, errors[-2_000:]
    assert "Traceback" not in errors
    assert "working without the bell" in errors


def test_writes_down_what_is_in_flight_when_asked_to_end(
    hub: Hub, worker: subprocess.Popen[bytes], partners: Partners
) -> None:
    partners.mode("crm", "slow", ms=1_000)
    (id_,) = hub.deliveries("crm", 1)
    until(lambda: partners.counters("crm")["received"] == 1, 30)
    worker.send_signal(signal.SIGTERM)
    errors = worker.communicate(timeout=15)[1].decode()
    assert worker.returncode == 0, errors[-2_000:]
    assert hub.delivery(id_).status == "sent"
    assert partners.counters("crm")["received"] == 1
