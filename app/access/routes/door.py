"""The one blueprint of access; each module of this package hangs its doors into it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("access", __name__)
