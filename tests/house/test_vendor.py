"""Third-party files in static/ are the ones that were vendored, with their licences."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "static"
MANIFEST = json.loads((STATIC / "vendor" / "MANIFEST.json").read_text())
FILES = [(name, digest) for entry in MANIFEST for name, digest in entry["files"].items()]


@pytest.mark.parametrize(("name", "digest"), FILES)
def test_file_is_as_vendored(name: str, digest: str) -> None:
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: str(entry["package"]))
def test_package_names_version_and_licence(entry: dict[str, object]) -> None:
    assert entry["version"] and entry["licence"] and entry["tarball_sha256"]
    assert any(str(name).endswith(".LICENSE") for name in dict(entry["files"]))  # type: ignore[call-overload]


def test_nothing_in_vendor_is_unknown() -> None:
    known = {name for name, _ in FILES} | {"vendor/MANIFEST.json"}
    found = {str(path.relative_to(STATIC)) for path in (STATIC / "vendor").rglob("*")}
    assert found <= known
