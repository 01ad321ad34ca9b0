"""What a process takes of the machine: free memory goes back, files open by the thousand."""

from __future__ import annotations

import ctypes
import resource
from contextlib import suppress
from pathlib import Path

# glibc's name for it, and so many free bytes at the end of the heap are given back at once.
M_TRIM_THRESHOLD, TRIM_AT = -1, 128 * 1024
# More is never needed, and some systems say "unlimited".
MOST_FILES = 65_536


def stay_small() -> None:
    """Have free memory given back: glibc keeps ever more of it, 14 MiB in a million deliveries."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_TRIM_THRESHOLD, TRIM_AT)


def open_many_files() -> int:
    """Ask for as many open files as are allowed; how many may be open.

    Each connection is one. Most systems start a process with 1,024 although it may have far more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return files_allowed()


def files_allowed() -> int:
    """How many files this process may have open."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_FILES if soft == resource.RLIM_INFINITY else min(soft, MOST_FILES)


def files_free() -> int:
    """How many more files this process may open."""
    try:
        opened = sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        opened = 0
    return max(files_allowed() - opened, 0)
