"""Bodies that no view hands to a model: a batch of events, and whatever a provider sends."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Batch(BaseModel):
    """Up to 1,000 events; each is judged for itself, so that its item may be anything."""

    events: list[Any] = Field(min_length=1, max_length=1_000)


class Whatever(BaseModel):
    """An object whose members the hub keeps as they came."""

    model_config = ConfigDict(extra="allow")
