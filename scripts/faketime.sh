#!/bin/sh
# Make sure that libfaketime is here: the chaos run steps the clocks of living processes with it.
set -eu
. scripts/debian.sh
if ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1; then exit 0; fi
if ! debian_install libfaketime; then
    echo "libfaketime was not found; install it (Debian's package libfaketime)" >&2
    exit 1
fi
