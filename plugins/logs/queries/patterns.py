"""Floods and chattering, as ISA-18.2 has them, over events in order of time. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plugins.logs.interface import Moment

__all__ = ["Chatter", "Flood", "find_chatter", "find_floods", "mean_between"]


@dataclass(frozen=True, slots=True)
class Flood:
    """A time in which alarms came faster than a person can take in."""

    start: float
    """Instant of its first and of its last alarm."""
    end: float
    count: int
    peak: int
    """Most alarms within the minutes of the setting."""
    peak_at: float
    """Instant of the first alarm of that peak."""
    rows: tuple[int, int]
    """Ids of the first and the last alarm."""


@dataclass(frozen=True, slots=True)
class Chatter:
    """One alarm that came and went too often."""

    tag: str
    text: str
    bursts: int
    """Times that it did so."""
    count: int
    """Alarms in those bursts."""
    peak: int
    """Most alarms within the seconds of the setting."""
    first: float
    """Instant at which the first burst began."""
    row: int


def find_floods(moments: Sequence[Moment], *, more_than: int, below: int, seconds: float) -> list[Flood]:
    """Times from the first alarm of a window with more than so many, until fewer than `below` came within a window.

    A window reaches back from an alarm, over less than `seconds`.
    """
    found: list[Flood] = []
    low, start, peak, peak_low, last = 0, None, 0, 0, 0
    for i, moment in enumerate(moments):
        while moment.at - moments[low].at >= seconds:
            low += 1
        count = i - low + 1
        if start is not None and (count < below or moment.at - moments[i - 1].at >= seconds):
            found.append(_flood(moments, start, last, peak, peak_low))
            start = None
        if start is None and count > more_than:
            start, peak = low, 0
            peak_low = low
        if start is not None:
            last = i
            if count > peak:
                peak, peak_low = count, low
    if start is not None:
        found.append(_flood(moments, start, last, peak, peak_low))
    return found


def _flood(moments: Sequence[Moment], start: int, last: int, peak: int, peak_low: int) -> Flood:
    a, b = moments[start], moments[last]
    return Flood(a.at, b.at, last - start + 1, peak, moments[peak_low].at, (a.row, b.row))


def find_chatter(moments: Sequence[Moment], *, least: int, seconds: float) -> list[Chatter]:
    """Alarms of one tag and text that came at least so often within less than `seconds`; most bursts first."""
    by_name: dict[tuple[str, str], list[Moment]] = {}
    for moment in moments:
        by_name.setdefault((moment.tag, moment.text), []).append(moment)
    found = [c for (tag, text), own in by_name.items() if (c := _chatter(tag, text, own, least, seconds)) is not None]
    return sorted(found, key=lambda c: (-c.bursts, -c.count, c.tag, c.text))


def _chatter(tag: str, text: str, own: Sequence[Moment], least: int, seconds: float) -> Chatter | None:
    bursts, peak, low, inside = 0, 0, 0, -1
    members: set[int] = set()
    first: Moment | None = None
    for i, moment in enumerate(own):
        while moment.at - own[low].at >= seconds:
            low += 1
        count = i - low + 1
        if count < least:
            continue
        if low > inside:
            bursts += 1
        inside = i
        members |= set(range(low, i + 1))
        peak = max(peak, count)
        first = first or own[low]
    return None if first is None else Chatter(tag, text, bursts, len(members), peak, first.at, first.row)


def mean_between(moments: Sequence[Moment]) -> float | None:
    """Mean seconds from one event to the next; None for fewer than two."""
    return None if len(moments) < 2 else (moments[-1].at - moments[0].at) / (len(moments) - 1)
