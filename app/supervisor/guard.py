"""End the hub's processes when the supervisor is killed and cannot do it itself.

Runs as a small process of its own: `python guard.py GRACE [GROUP …]` with the process groups that
there are. Its standard input names further ones, `+1234` started and `-1234` ended; the end of the
input means that the supervisor is gone.
It holds the lock on the data folder too, so that no second hub starts before the first has ended.
"""

from __future__ import annotations

import os
import select
import signal
import sys


def main() -> None:
    """Follow the groups until the supervisor goes, then end those that are left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    alive = {int(group) for group in sys.argv[2:]}
    for line in sys.stdin:
        (alive.add if line[0] == "+" else alive.discard)(int(line[1:]))
    end(alive, grace=float(sys.argv[1]))


def end(groups: set[int], grace: float) -> None:
    """SIGTERM to all groups, SIGKILL to those that are there after `grace` seconds."""
    left = {group for group in groups if _sent(group, signal.SIGTERM)}
    for _ in range(int(grace * 20)):
        left = {group for group in left if _sent(group, 0)}
        if not left:
            return
        select.select([], [], [], 0.05)
    for group in left:
        _sent(group, signal.SIGKILL)


def _sent(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
