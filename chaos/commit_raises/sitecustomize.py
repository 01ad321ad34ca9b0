"""Put on PYTHONPATH: some commits of every process succeed and raise all the same.

CHAOS_COMMIT is a JSON object: `flag`, a file that must be there, `book`, a file that gets a byte
for each, `share` of the commits, and the `seed`.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

ORDER = json.loads(os.environ["CHAOS_COMMIT"])
CHANCE = random.Random(f"{ORDER['seed']}/{sys.argv}/{os.getpid()}")
commit = DefaultDialect.do_commit


def commit_and_raise(self: DefaultDialect, connection: Any) -> None:
    """The work is done, and whoever asked for it is told that it failed."""
    commit(self, connection)
    if CHANCE.random() < ORDER["share"] and Path(ORDER["flag"]).exists():
        with Path(ORDER["book"]).open("ab") as book:
            book.write(b".")
        raise self.loaded_dbapi.OperationalError("the connection was lost during the commit")


DefaultDialect.do_commit = commit_and_raise  # type: ignore[method-assign]
