#!/bin/sh
# Make sure that strace is here; the power cut of `make chaos` looks at the writes of the hub with it.
set -eu
. scripts/debian.sh
if command -v strace >/dev/null || debian_install strace; then exit 0; fi
echo "strace was not found; the power cut of make chaos needs it" >&2
exit 1
