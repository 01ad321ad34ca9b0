#!/bin/sh
# Put the pins of a lock file into .venv, which is made when there is none. uv where present, else pip.
# Usage: [VENV=.venv] scripts/install.sh requirements.lock
# A copy of the lock file inside the folder is the mark that it is installed.
set -eu
lock=$1
venv=${VENV:-.venv}
python=$venv/bin/python

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if new_enough "$candidate"; then echo "$candidate"; return; fi
    done
    echo "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3" >&2
    return 1
}

if ! new_enough "$python"; then
    base=$(find_python)
    rm -rf "$venv"
    if command -v uv >/dev/null; then uv venv --quiet --python "$base" "$venv"; else "$base" -m venv "$venv"; fi
fi
if ! cmp -s "$lock" "$venv/$lock"; then
    if command -v uv >/dev/null; then
        uv pip install --quiet --compile-bytecode --python "$python" --require-hashes -r "$lock"
    else
        "$python" -m ensurepip >/dev/null 2>&1 || true
        "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    fi
    cp "$lock" "$venv/$lock"
fi
touch "$venv/$lock"
