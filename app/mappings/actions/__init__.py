"""Writes of the mappings domain; each names who acts in `by`."""

from app.mappings.actions.exchange import ImportPlan, export_all, import_all, preview_import
from app.mappings.actions.routing import set_routes, switch_route
from app.mappings.actions.save import save_mapping

__all__ = [
    "ImportPlan",
    "export_all",
    "import_all",
    "preview_import",
    "save_mapping",
    "set_routes",
    "switch_route",
]
