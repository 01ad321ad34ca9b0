"""The four scheduled pulls, as the pages name them; none has run as long as there are no syncs."""

from __future__ import annotations

from typing import Any

NAMES = ("crm_operacao", "operacao_financeiro", "crm_financeiro", "cuidadores_crm")


def sync_states() -> dict[str, dict[str, Any]]:
    """Per job type its last run; null where it never ran."""
    return {
        f"sync.{name}": {
            "last_run": None,
            "last_status": None,
            "recent_failures": 0,
            "duration_seconds": None,
        }
        for name in NAMES
    }


def sync_totals() -> dict[str, dict[str, int]]:
    """Per job type the runs of a day and how many went well."""
    return {f"sync.{name}": {"total": 0, "success": 0} for name in NAMES}
