"""Reads of the mappings domain."""

from app.mappings.queries.plan import Destination, Plan, current_plan, forget_plan
from app.mappings.queries.saved import (
    SavedMapping,
    SavedRoute,
    all_newest,
    difference,
    newest,
    routes,
    version,
    versions,
)

__all__ = [
    "Destination",
    "Plan",
    "SavedMapping",
    "SavedRoute",
    "all_newest",
    "current_plan",
    "difference",
    "forget_plan",
    "newest",
    "routes",
    "version",
    "versions",
]
