"""The reader of the product, asked about one line of a set."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from agent.settings import UnderstandingSettings
from plugins.devices.maps.homes import home_of
from plugins.devices.understanding.reader import RuleReader
from plugins.devices.understanding.reading import Context, Understood
from plugins.devices.understanding.sounds_reader import SoundReader
from plugins.devices.values import DeviceMap
from tests.bench.score_commands_sets import Case

__all__ = ["Read", "SentenceReader"]


@dataclass(frozen=True, slots=True)
class Read:
    """What was made of one line."""

    understood: Understood
    devices: DeviceMap
    milliseconds: float
    """Of reading alone; the home is known before."""


class SentenceReader:
    """Reads lines, each in its own home."""

    def __init__(self) -> None:
        self._settings = UnderstandingSettings()

    def read(self, case: Case) -> Read:
        """One line. Its home is indexed first, as at the start of a box."""
        home = home_of(case.home, self._settings)
        reader = SoundReader(RuleReader(self._settings))
        now = (case.line.get("context") or {}).get("now")
        context = Context(case.area or home.here, now=datetime.fromisoformat(now) if now else None)
        reader.read("", home.map, context, home.states)
        began = time.perf_counter()
        understood = reader.read(case.text, home.map, context, home.states)
        return Read(understood, home.map, (time.perf_counter() - began) * 1_000)
