#!/bin/sh
# Make sure that PostgreSQL's programs are here; the tests make and start their own instance.
set -eu
. scripts/debian.sh
if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then exit 0; fi

# Debian's package would make a cluster of its own and start it; while this file lies there it does not.
settings=/etc/postgresql-common/createcluster.d
as_root sh -c "mkdir -p $settings && echo 'create_main_cluster = off' > $settings/none.conf" || true
if debian_install postgresql; then installed=yes; else installed=no; fi
as_root rm -f "$settings/none.conf" || true
if [ "$installed" = no ]; then
    echo "PostgreSQL's initdb was not found; install PostgreSQL (its server need not run)" >&2
    exit 1
fi
