"""The browser and the running hub of the journeys, for attacks that need both."""

from tests.journeys.conftest import (
    browser_context_args,
    browser_type_launch_args,
    complaints,
    desk,
    hub,
    patience,
)

__all__ = [
    "browser_context_args",
    "browser_type_launch_args",
    "complaints",
    "desk",
    "hub",
    "patience",
]
