"""What every row is given: how long it may take, the sink, and fresh places to work in."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from bench.hub import Hub
from bench.processes import ROOT
from bench.receiver import Receiver
from tests.postgres import Postgres

# Crash-safe, as a database that keeps a company's data is run; on a Unix socket only.
SAFE = ("listen_addresses=", "shared_buffers=256MB", "max_wal_size=4GB")


@dataclass
class Setting:
    """One run of the bench; use it with `with`."""

    rounds: int = 3
    quick: bool = False
    full: bool = False
    database: str = "sqlite"
    folder: Path = field(init=False)
    sink: Receiver = field(init=False)
    _stack: ExitStack = field(init=False, default_factory=ExitStack)
    _numbers: Any = field(init=False, default_factory=lambda: count(1))

    def __enter__(self) -> Setting:
        # Beside the data of the product: a folder in memory would make every sync free.
        (ROOT / "var").mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "var"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.sink = Receiver(self.folder)
        self._stack.callback(self.sink.close)
        if self.database == "postgresql":
            self.postgres = Postgres(SAFE)
            self._stack.callback(self.postgres.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, amount: int) -> int:
        """So many, or a third of it in a quick run."""
        return amount // 3 if self.quick else amount

    def place(self) -> Path:
        """A folder that does not exist yet."""
        return self.folder / str(next(self._numbers))

    def fresh_database(self) -> str:
        """URL of an empty database; '' for SQLite in the folder of whoever uses it."""
        if self.database != "postgresql":
            return ""
        return self.postgres.url(self.postgres.new_database())

    def hub(self, **environ: str) -> Hub:
        """A fresh installation whose systems all answer at once; use it with `with`."""
        self.sink.ask("reset")
        hub = Hub(self.place(), self.fresh_database(), **environ)
        for system in ("crm", "operacao", "atendimento"):
            hub.aim(system, self.sink.url(0))
        return hub
