"""The loop of a watch: frame → gate → reading → what changed → whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.api import Observation, Perception, Photo, PhotoError
from plugins.panel.watching.changes import events_between
from plugins.panel.watching.gate import FrameGate
from plugins.panel.watching.sources import Source

__all__ = ["Watched", "Watcher"]


@dataclass
class Watched:
    """What a watch did."""

    frames: int = 0
    read: int = 0
    events: int = 0
    problems: int = 0


class Watcher:
    """One watch.

    :param read: makes a perception of a photo; the second argument is label → last trusted value.
    :param told: gets every observation.
    :param problem: gets what went wrong, in one line.
    """

    def __init__(
        self,
        source: Source,
        name: str,
        gate: FrameGate,
        read: Callable[[Photo, Mapping[str, float]], Perception],
        *,
        told: Callable[[Observation], None],
        problem: Callable[[str], None],
        now: Callable[[], datetime],
    ) -> None:
        self._source = source
        self._name = name
        self._gate = gate
        self._read = read
        self._told = told
        self._problem = problem
        self._now = now
        self._before: Perception | None = None
        self._last: dict[str, float] = {}
        self.count = Watched()

    def run(self, stopped: Callable[[], bool]) -> Watched:
        """Watch until stopped, or until the source has no more.

        :raises InputError: the source is not there, or what reads cannot be had.
        """
        for frame in self._source.frames(stopped):
            if isinstance(frame, str):
                self.count.problems += 1
                self._problem(frame)
                continue
            self.count.frames += 1
            if self._gate.is_new(frame.pixels):
                self._look(frame)
        return self.count

    def _look(self, photo: Photo) -> None:
        try:
            seen = self._read(photo, self._last)
        except PhotoError as error:
            self._gate.forget()
            self.count.problems += 1
            self._problem(str(error))
            return
        events = events_between(self._before, seen)
        self._before = seen
        self.count.read += 1
        self.count.events += len(events)
        self._remember(seen)
        self._told(Observation(self._now(), self._name, seen, events))

    def _remember(self, seen: Perception) -> None:
        """The last value of a label, where it was read without doubt and only one reading has that label."""
        labels = [reading.label for reading in seen.readings]
        for reading in seen.readings:
            if reading.flags or reading.value is None or not reading.label or labels.count(reading.label) > 1:
                continue
            if (number := reading.number) is None:
                self._last.pop(reading.label, None)
            else:
                self._last[reading.label] = number
