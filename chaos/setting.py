"""What every row is given: the seed and all chance drawn from it, places to work in, hubs."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from bench.processes import ROOT
from bench.setting import SAFE
from chaos import results
from chaos.hub import SUPERVISOR, Hub
from chaos.target import Target
from tests.postgres import Postgres

T = TypeVar("T")


@dataclass
class Setting:
    """One row's run; use it with `with`: what is opened through it is closed at its end."""

    seed: int = 0
    short: bool = False
    database: str = "sqlite"
    folder: Path = field(init=False)
    _opened: ExitStack = field(init=False, default_factory=ExitStack)
    _numbers: Any = field(init=False, default_factory=lambda: count(1))
    _postgres: Postgres | None = field(init=False, default=None)

    def __enter__(self) -> Setting:
        # Beside the data of the product: a folder in memory would make every sync free.
        (ROOT / "var").mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=ROOT / "var"))
        self._opened.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def random(self, name: str) -> random.Random:
        """Chance of its own for each use: the seed and the name decide it, nothing else."""
        return random.Random(f"{self.seed}/{name}")

    def also(self, thing: AbstractContextManager[T]) -> T:
        """Something else that is closed at the end."""
        return self._opened.enter_context(thing)

    def of(self, whole: int, short: int) -> int:
        """The amount of a whole run or of a short one."""
        return short if self.short else whole

    def place(self) -> Path:
        """A fresh folder on the disk."""
        folder = self.folder / str(next(self._numbers))
        folder.mkdir()
        return folder

    def note(self, row: str, **details: Any) -> None:
        """Lay down what a broken promise is traced with, beside the result."""
        results.FOLDER.mkdir(exist_ok=True)
        path = results.FOLDER / f"last-{row}.json"
        path.write_text(json.dumps(details, default=str), encoding="utf-8")

    def postgres(self) -> Postgres:
        """A PostgreSQL of this run, crash-safe, started on first use."""
        if self._postgres is None:
            self._postgres = Postgres(SAFE)
            self._opened.callback(self._postgres.stop)
        return self._postgres

    def fresh_database(self) -> str:
        """URL of an empty database of the kind asked for; '' is SQLite in the data folder."""
        if self.database != "postgresql":
            return ""
        return self.postgres().url(self.postgres().new_database())

    def target(self) -> Target:
        """A system that receives, checks and keeps books; a process of its own."""
        return self._opened.enter_context(Target(self.place()))

    def hub(
        self,
        target: Target,
        database: str | None = None,
        folder: Path | None = None,
        words: Sequence[str] = SUPERVISOR,
        **environ: str,
    ) -> Hub:
        """The whole product under its supervisor, every system's endpoint at the target."""
        url = self.fresh_database() if database is None else database
        place = folder or self.place()
        hub = self._opened.enter_context(Hub(place, target.url, url, words, **environ))
        target.knows(hub.secrets())
        return hub
