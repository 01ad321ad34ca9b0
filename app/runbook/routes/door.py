"""The blueprint of the runbook's pages; each module of this package hangs its doors into it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("runbook", __name__)
