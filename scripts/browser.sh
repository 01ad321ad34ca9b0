#!/bin/sh
# Make sure that the browser tests have a Chromium: one on the PATH, else Debian's, else Playwright's.
set -eu
. scripts/debian.sh
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
if debian_install chromium fonts-liberation; then exit 0; fi
if ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium-* >/dev/null 2>&1; then exit 0; fi
.venv/bin/python -m playwright install chromium
