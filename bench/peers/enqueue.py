"""`python -m bench.peers.enqueue on_celery 1000`: queue that many jobs of a peer."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    import_module(f"bench.peers.{sys.argv[1]}").enqueue(int(sys.argv[2]))
