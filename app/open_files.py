"""Open files, by the thousand: how many this process may have, and asking for more."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

# More is never needed, and some systems say "unlimited".
MOST = 65_536


def raise_limit() -> int:
    """Ask for as many open files as are allowed; how many may be open.

    Each connection is one. Most systems start a process with 1,024 although it may have far more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return allowed()


def allowed() -> int:
    """How many files this process may have open."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if soft == resource.RLIM_INFINITY else min(soft, MOST)


def free() -> int:
    """How many more files this process may open."""
    try:
        opened = sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        opened = 0
    return max(allowed() - opened, 0)
