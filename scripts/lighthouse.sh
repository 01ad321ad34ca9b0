#!/bin/sh
# Put the pinned Lighthouse into .lighthouse and measure the busiest pages of a running hub.
set -eu
pinned=scripts/lighthouse/package-lock.json
folder=.lighthouse
if ! command -v npm >/dev/null; then
    echo "make lighthouse needs node and npm (nothing else here does)" >&2
    exit 1
fi
if ! cmp -s "$pinned" "$folder/installed"; then
    mkdir -p "$folder"
    cp scripts/lighthouse/package.json "$pinned" "$folder/"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$pinned" "$folder/installed"
fi
exec .venv/bin/python -m tests.journeys.lighthouse
