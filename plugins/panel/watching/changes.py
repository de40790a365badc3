"""What happened on a panel between two readings of it.

Only what can be told: a lamp whose state is unsure says nothing, a row that left an alarm table may have been scrolled
away, and a value that carries a flag is no event but for the one flag that means the value itself, out of range.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.api import AlarmRow, Lamp, Perception, Reading, SeenEvent

__all__ = ["events_between"]

_ALARMING = frozenset({"red", "amber", "magenta"})
_OUTSIDE = "out-of-range"
_UNKNOWN = "the panel is not to be seen"
_PLACE_PX = 40
"""Two lamps of one label are told apart by their place in steps of this."""


def events_between(before: Perception | None, now: Perception) -> tuple[SeenEvent, ...]:
    """Events in the order: panel, alarm rows, lamps, readings.

    :param before: None at the first look; then everything that stands is an event.
    """
    if now.unread:
        return () if before is not None and before.unread else (SeenEvent("", _UNKNOWN, "panel", "active"),)
    events = [SeenEvent("", _UNKNOWN, "panel", "cleared")] if before is not None and before.unread else []
    known = None if before is None or before.unread else before
    return (
        *events,
        *_rows(() if known is None else known.alarms, now.alarms),
        *_lamps({} if known is None else _by_place(known.lamps), now.lamps),
        *_ranges(() if known is None else known.readings, now.readings),
    )


def _rows(before: Iterable[AlarmRow], now: Iterable[AlarmRow]) -> Iterable[SeenEvent]:
    seen = {_key(row): row.roles.get("state", "") for row in before}
    for row in now:
        state = row.roles.get("state", "")
        if seen.get(_key(row)) == state and _key(row) in seen:
            continue
        text = row.roles.get("text") or " ".join(row.cells.values())
        tag = row.roles.get("tag", "")
        yield SeenEvent(tag, text, "alarm", "active", row.roles.get("priority", ""), row.roles.get("time", ""))


def _key(row: AlarmRow) -> tuple[str, ...]:
    return tuple(row.roles.get(role, "") for role in ("time", "tag", "text")) or tuple(row.cells.values())


def _lamps(before: Mapping[tuple[str, int, int], Lamp], now: Iterable[Lamp]) -> Iterable[SeenEvent]:
    for place, lamp in _by_place(now).items():
        old = before.get(place)
        if lamp.state == "unsure" or (old is not None and (old.color, old.state) == (lamp.color, lamp.state)):
            continue
        if old is not None and _is_alarming(old) and not _is_alarming(lamp):
            yield SeenEvent(lamp.label, f"{lamp.label} {old.color}", "lamp", "cleared")
        elif _is_alarming(lamp):
            yield SeenEvent(lamp.label, f"{lamp.label} {lamp.color}", "lamp", "active")
        elif old is not None and old.state != "unsure":
            yield SeenEvent(lamp.label, f"{lamp.label} {lamp.color} {lamp.state}", "lamp", "changed")


def _is_alarming(lamp: Lamp) -> bool:
    return lamp.state == "lit" and lamp.color in _ALARMING


def _by_place(lamps: Iterable[Lamp]) -> dict[tuple[str, int, int], Lamp]:
    return {(lamp.label, lamp.box[0] // _PLACE_PX, lamp.box[1] // _PLACE_PX): lamp for lamp in lamps}


def _ranges(before: Iterable[Reading], now: Iterable[Reading]) -> Iterable[SeenEvent]:
    """Only where nothing else speaks against the value: a misread one is no event."""
    old = {_place(reading): reading for reading in before}
    for reading in now:
        was = old.get(_place(reading))
        was_outside = was is not None and was.flags == (_OUTSIDE,)
        text = f"{reading.label} outside its range"
        if reading.flags == (_OUTSIDE,) and not was_outside:
            yield SeenEvent(reading.label, text, "range", "active")
        elif was_outside and not reading.flags:
            yield SeenEvent(reading.label, text, "range", "cleared")


def _place(reading: Reading) -> tuple[str, int, int]:
    return reading.label, reading.box[0] // _PLACE_PX, reading.box[1] // _PLACE_PX
