"""What every section of the settings has in common."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, field_validator

__all__ = ["Section"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _no_negative_limits(cls, value: object) -> object:
        """No number here means anything below zero, and none is unbounded."""
        if isinstance(value, int | float) and not 0 <= value < math.inf:
            raise ValueError("must be a number from 0 up")
        return value
