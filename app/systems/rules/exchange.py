"""The file in which endpoints are backed up and brought back."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ExportedEndpoint(BaseModel):
    """One endpoint; `secret` only where the export was asked to hold it."""

    model_config = ConfigDict(extra="forbid")
    system: str = Field(max_length=40)
    url: str
    status: Literal["active", "inactive"] = "active"
    description: str = Field("", max_length=200)
    secret: str | None = Field(None, min_length=16, max_length=400, repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """What it is found again by."""
        return self.system, self.url


class Exchange(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")
    endpoints: list[ExportedEndpoint] = Field(max_length=10_000)
