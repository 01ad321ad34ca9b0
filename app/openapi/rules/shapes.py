"""Bodies that no view hands to a model: a batch of events, and whatever a provider sends."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

# Each item is judged for itself, so that it may be anything.
Items = Annotated[list[Any], Field(min_length=1, max_length=1_000)]


class Events(BaseModel):
    """A batch as an object."""

    events: Items


class Batch(RootModel[Events | Items]):
    """Up to 1,000 events."""


class Whatever(BaseModel):
    """An object whose members the hub keeps as they came."""

    model_config = ConfigDict(extra="allow")
