#!/bin/sh
# Make sure that PostgreSQL's programs are here; the tests make and start their own instance.
set -eu
. scripts/debian.sh
if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then exit 0; fi
# Without this line Debian's package makes a cluster and starts it.
as_root sh -c 'mkdir -p /etc/postgresql-common/createcluster.d &&
    echo "create_main_cluster = off" > /etc/postgresql-common/createcluster.d/none.conf' || true
if debian_install postgresql; then exit 0; fi
echo "PostgreSQL's initdb was not found; install PostgreSQL (its server need not run)" >&2
exit 1
