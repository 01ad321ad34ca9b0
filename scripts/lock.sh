#!/bin/sh
# Write the lock files from pyproject.toml: versions and hashes for every platform, no addresses.
# Usage: scripts/lock.sh [--upgrade]
set -eu
lock() {
    output=$1
    shift
    uv pip compile "$@" --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file "$output"
}
lock requirements.lock pyproject.toml "$@"
lock requirements-test.lock pyproject.toml --group test --constraint requirements.lock "$@"
lock requirements-bench.lock pyproject.toml --group bench --constraint requirements.lock "$@"
# The scanners stand outside: they know the hub only by its address.
lock requirements-security.lock --group security "$@"
lock requirements-wapiti.lock --group wapiti "$@"
