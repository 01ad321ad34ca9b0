#!/bin/sh
# Write the lock files from pyproject.toml: versions and hashes for every platform, no addresses.
# Usage: scripts/lock.sh [--upgrade]
set -eu
lock() {
    output=$1
    shift
    uv pip compile pyproject.toml "$@" --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file "$output"
}
lock requirements.lock "$@"
lock requirements-test.lock --group test --constraint requirements.lock "$@"
lock requirements-bench.lock --group bench --constraint requirements.lock "$@"
