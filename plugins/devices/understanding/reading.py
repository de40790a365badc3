"""What was understood of an utterance: intents with slots, as Home Assistant names them, and the devices they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from agent.api import Json, Language, Said
from plugins.devices.values import DeviceMap, State, Write

__all__ = ["Context", "Intent", "Path", "Reader", "States", "Understood"]

Path = Literal["rules", "names", "model"]
"""Who understood it: the rules; the rules after a name was corrected by its sound; the model."""


class States(Protocol):
    """What devices show now."""

    def state(self, device: str, point: str) -> State: ...


@dataclass(frozen=True, slots=True)
class Intent:
    """One action or question."""

    name: str
    """HassTurnOn, HassLightSet, HassGetState …"""
    slots: Mapping[str, Json]
    """As Home Assistant's sentences fill them: only what was said; values in the home's own spelling."""
    text: str
    """The person's words it was read from."""
    devices: tuple[str, ...] = ()
    """Ids of the devices meant, of those in the map; empty where it is about none, or none fits."""
    writes: tuple[Write, ...] = ()
    """What it sets; empty for a question, and where something is wrong with it."""
    problem: Said | None = None
    """Why nothing is done about it, and what to say instead: ambiguous, no such device, out of range."""
    path: Path = "rules"
    exact: bool = False
    """Whether the person's own words name each device (or area and kind, or "all") and the value: only then a write is
    free. Never true for the model's path, a corrected name, a guessed value.
    """
    later: tuple[Intent, ...] = ()
    """Of a timer with an order: what is due then, with the devices meant when it was said."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where it was said, and after what."""

    area: str = ""
    """Id or name of the area that the satellite stands in: what "here" means."""
    earlier: Sequence[Intent] = ()
    """What was understood before, latest last; for "no, the bedroom" and "that one too"."""
    now: datetime | None = None
    """Local time where it was said, for times of day; None: nobody knows, and none is understood."""


@dataclass(frozen=True, slots=True)
class Understood:
    """All of an utterance."""

    text: str
    language: Language
    intents: tuple[Intent, ...]
    left: tuple[str, ...] = ()
    """Parts that nothing was made of: for the model, or to be said."""
    why: tuple[str, ...] = field(default=())
    """How each intent was read, in a line for a person who looks for a fault."""


class Reader(Protocol):
    """Reads an utterance about a home or a plant."""

    def read(self, text: str, devices: DeviceMap, context: Context, states: States | None) -> Understood: ...
