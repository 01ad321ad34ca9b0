"""Vendor third-party front-end files from local npm tarballs into static/.

Usage: python scripts/vendor.py htmx.org-4.0.1.tgz lucide-static-1.62.0.tgz
The files served to the browser, their licences and hashes end in static/vendor/MANIFEST.json,
so that installing the hub needs neither node nor a network.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tarfile
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "static"

ICONS = """
activity archive archive-restore arrow-right bell book-open calendar-check check chevron-down
chevron-left chevron-right chevron-up chevrons-up-down circle-question-mark clock command copy
download ellipsis external-link eye filter flag heart-handshake inbox info key-round
layout-dashboard layers link list-checks loader-circle log-out mail-warning menu message-circle
monitor moon octagon-alert pause pencil phone play plus printer qr-code refresh-cw rotate-ccw
scroll-text search search-x send server settings shield-check siren sun terminal trash-2
triangle-alert undo-2 unplug user users wifi-off x zap
"""

# Filled shapes of our own: a state is told by shape, colour and word together.
SHAPES = {
    "shape-ok": '<circle cx="8" cy="8" r="6"/>',
    "shape-warn": '<path d="M8 1.5 15 14H1z"/>',
    # With a sign in it: at 11 px a hexagon alone looks like the circle of "normal".
    "shape-bad": '<path fill-rule="evenodd" '
    'd="M4.5.5h7L16 8l-4.5 7.5h-7L0 8zM7 3.5v5.5h2V3.5zm0 7v2h2v-2z"/>',
    "shape-info": '<path d="M8 1.5 14.5 8 8 14.5 1.5 8z"/>',
    "shape-off": '<path d="M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2m0 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8"/>',
}


class Package:
    """An npm tarball on this disk."""

    def __init__(self, path: Path) -> None:
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self._tar = tarfile.open(path)  # noqa: SIM115 - lives as long as the script
        about = json.loads(self.read("package.json"))
        self.name, self.version, self.licence = about["name"], about["version"], about["license"]

    def read(self, name: str) -> bytes:
        """The bytes of one file of the package."""
        member = self._tar.extractfile(f"package/{name}")
        if member is None:
            raise SystemExit(f"{name} is not a file")
        return member.read()


def put(name: str, content: bytes) -> dict[str, str]:
    """Write a file below static/ and say its hash."""
    path = STATIC / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {name: hashlib.sha256(content).hexdigest()}


def symbol(package: Package, name: str) -> str:
    """One Lucide icon as a <symbol>."""
    svg = package.read(f"icons/{name}.svg").decode()
    body = " ".join(re.sub(r".*?<svg[^>]*>|</svg>", "", svg, flags=re.DOTALL).split())
    return f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>'


def sprite(package: Package) -> bytes:
    """All icons and shapes in one file for <use href>."""
    shapes = [
        f'<symbol id="{name}" viewBox="0 0 16 16">{body}</symbol>' for name, body in SHAPES.items()
    ]
    symbols = [symbol(package, name) for name in ICONS.split()] + shapes
    head = f"<!-- Lucide {package.version}, ISC: see vendor/lucide.LICENSE -->"
    return "\n".join(
        ['<svg xmlns="http://www.w3.org/2000/svg">', head, *symbols, "</svg>\n"]
    ).encode()


def htmx(package: Package) -> dict[str, str]:
    """The minified build as published."""
    script = put("vendor/htmx.min.js", package.read("dist/htmx.min.js"))
    return script | put("vendor/htmx.LICENSE", package.read("LICENSE"))


def lucide(package: Package) -> dict[str, str]:
    """The sprite made of the icons we use."""
    return put("icons.svg", sprite(package)) | put("vendor/lucide.LICENSE", package.read("LICENSE"))


TAKE = {"htmx.org": htmx, "lucide-static": lucide}


def main(paths: list[str]) -> None:
    """Vendor each tarball and write the manifest."""
    manifest = [
        {
            "package": package.name,
            "version": package.version,
            "licence": package.licence,
            "tarball_sha256": package.sha256,
            "files": TAKE[package.name](package),
        }
        for package in (Package(Path(path)) for path in paths)
    ]
    put("vendor/MANIFEST.json", (json.dumps(manifest, indent=2) + "\n").encode())


if __name__ == "__main__":
    if len(sys.argv) != 1 + len(TAKE):
        raise SystemExit(__doc__)
    main(sys.argv[1:])
