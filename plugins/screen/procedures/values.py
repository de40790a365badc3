"""What a procedure is: plain frozen values. Names stand as on the screen, in any of its languages, with | between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.api import Json, Said

__all__ = ["Parameter", "Procedure", "ProcedureStep"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that the person gives."""

    key: str
    """As steps name it: {key}."""
    name: Said
    also: tuple[str, ...] = ()
    """What else people call it."""
    unit: str = ""
    least: float | None = None
    """With `most`: a number. Without both it is one of `choices`."""
    most: float | None = None
    decimals: int = 3
    """More of them are refused, not rounded."""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcedureStep:
    """One step; `{pressure}` in what is typed or expected stands for a parameter."""

    arguments: Mapping[str, Json]
    """As `plugins.screen.steps` reads them."""
    line: int
    """Of the file."""
    harmless: bool = False
    """It opens or shows something and changes nothing of the plant."""
    undo: tuple[ProcedureStep, ...] = ()
    """Takes back all that was done up to and including this step. `{pressure before}` is what the field held."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """A file of steps."""

    key: str
    """Name of the file."""
    name: Said
    also: tuple[str, ...]
    screen: str
    """As the settings call it."""
    parameters: tuple[Parameter, ...]
    steps: tuple[ProcedureStep, ...]
    digest: str
    """SHA-256 of the file: whatever is approved is approved of exactly this text."""
