"""A program with a screen, opened for one trial: where it is reached, its record, and how it is told to lie."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["SIZES", "Event", "Opened", "Program", "wait_until"]

SIZES: Mapping[float, tuple[int, int]] = {1.0: (1024, 768), 1.25: (1280, 800), 1.5: (1600, 1000)}
"""Scaling → width and height of the screen in its own pixels."""
QUIET_SECONDS, LATE_SECONDS, MOST_SECONDS = 0.15, 1.5, 10.0


@dataclass(frozen=True, slots=True)
class Program:
    """What is opened, and how it is at the beginning."""

    kind: str
    """desktop | web"""
    language: str = "zh"
    scale: float = 1.0
    start: Mapping[str, Any] = field(default_factory=dict)
    """What is not as usual."""
    twists: Mapping[str, Any] = field(default_factory=dict)
    """Ways in which it is difficult, or lies, from the beginning."""

    def to_json(self) -> dict[str, Any]:
        return {
            "language": self.language,
            "scale": self.scale,
            "start": dict(self.start),
            "twists": dict(self.twists),
        }


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the program's own record."""

    event: str
    """started | pressed | changed | did | twisted"""
    what: str
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """One program that runs."""

    settings: Mapping[str, Any]
    """How it is reached, as the settings of a screen have it."""
    record: Callable[[], Sequence[Event]]
    tell: Callable[[Mapping[str, Any]], None]
    """Make it lie: returns once it shows."""

    def state(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """As the program itself has it, once it is as wanted or had the time for it, and is quiet."""
        seen = -1
        deadline = time.monotonic() + MOST_SECONDS
        late = time.monotonic() + LATE_SECONDS
        while time.monotonic() < late and any(self.record()[-1].state[key] != value for key, value in wanted.items()):
            time.sleep(QUIET_SECONDS)
        while (count := len(events := self.record())) != seen and time.monotonic() < deadline:
            seen = count
            time.sleep(QUIET_SECONDS)
        return events[-1].state

    def pressed(self) -> list[str]:
        """What the pointer was pressed on, in order."""
        return [event.what for event in self.record() if event.event == "pressed"]


def events_of(lines: Sequence[str]) -> list[Event]:
    return [Event(found["event"], found["what"], found["state"]) for found in map(json.loads, lines)]


def read_record(folder: Path) -> list[Event]:
    """What a program has written so far; a line that is half written is left for the next time."""
    path = folder / "record.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return events_of(text[: text.rfind("\n") + 1].splitlines())


def wait_until(so: Callable[[], object], what: str) -> None:
    """
    :raises TimeoutError: it did not become so.
    """
    deadline = time.monotonic() + MOST_SECONDS
    while not so():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)
