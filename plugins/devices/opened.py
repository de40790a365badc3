"""What belongs together for one map of devices while a process runs."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.devices.emitter import Emitter
from plugins.devices.hearing import Hearing
from plugins.devices.house import House

__all__ = ["OpenHouse"]


@dataclass(frozen=True, slots=True)
class OpenHouse:
    """The devices, who reads about them, and who moves them."""

    house: House
    hearing: Hearing
    emitter: Emitter
