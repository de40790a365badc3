"""Reading only what changed: parts of a picture are read anew, and take the place of what was read there before.

A part is grown until it cuts nothing: what it touches, with the label and the unit of a value, is read with it. Where
too much changed, or a part cannot be read as a part, the whole picture is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TypeVar

from agent.api import AlarmRow, Box, Button, Lamp, Perception, Photo, Popup, Reading, Text, photo_of
from plugins.screen.pictures import area, centre, changes, grown, holds, overlap, union
from plugins.screen.values import Sight

__all__ = ["Perceive", "read_changed"]

Perceive = Callable[[Photo], Perception | None]
_ROOM_PX = 14
_LEFT, _RIGHT = 14, 5
"""How far label and unit stand from a value, in heights of it."""
_MOST_PARTS = 3
_ROUNDS = 6
_LEAST_PX = (220, 90)
Piece = TypeVar("Piece", bound=Text | Reading | Lamp | Button | Popup | AlarmRow)


def read_changed(photo: Photo, before: Sight, perceive: Perceive, *, most_share: float) -> Perception | None:
    """What is on a picture, from what was on the one before it; None where it has to be read as a whole.

    :param most_share: of the picture that may be read in parts.
    """
    if photo.pixels.shape != before.photo.pixels.shape:
        return None
    found = changes(before.photo.pixels, photo.pixels)
    seen = before.seen
    if not found:
        return replace(seen, photo=photo.digest)
    parts = _parts(found, seen, photo.size)
    if parts is None or sum(area(part) for part in parts) > most_share * photo.size[0] * photo.size[1]:
        return None
    for left, top, right, bottom in parts:
        piece = perceive(photo_of(photo.pixels[top:bottom, left:right], f"{photo.name} [{left},{top}]"))
        if piece is None or piece.unread or piece.turned or piece.matrix is not None:
            return None
        seen = _patched(seen, piece, (left, top, right, bottom))
    return replace(seen, photo=photo.digest)


def _parts(found: Sequence[Box], seen: Perception, size: tuple[int, int]) -> list[Box] | None:
    """What has to be read anew, grown and joined; None where it is too scattered."""
    parts = [grown(box, _ROOM_PX, size) for box in found]
    for _ in range(_ROUNDS):
        before = list(parts)
        parts = _joined([_with_touched(part, seen, size) for part in parts])
        if parts == before:
            break
    else:
        return None
    return parts if len(parts) <= _MOST_PARTS else None


def _with_touched(part: Box, seen: Perception, size: tuple[int, int]) -> Box:
    touched = [box for box in _boxes(seen) if overlap(box, part) and not _inside(box, part)]
    for reading in seen.readings:
        if overlap(reading.box, part):
            touched += _beside(reading.box, seen.texts)
    if any(overlap(row.box, part) for row in seen.alarms):
        touched += [row.box for row in seen.alarms if not _inside(row.box, part)]
    left, top, right, bottom = union([part, *(grown(box, 4, size) for box in touched)])
    more = max(0, _LEAST_PX[0] - (right - left)), max(0, _LEAST_PX[1] - (bottom - top))
    left, top = max(0, left - more[0] // 2), max(0, top - more[1] // 2)
    right, bottom = max(right, min(size[0], left + _LEAST_PX[0])), max(bottom, min(size[1], top + _LEAST_PX[1]))
    return left, top, right, bottom


def _boxes(seen: Perception) -> Iterable[Box]:
    for pieces in (seen.texts, seen.readings, seen.lamps, seen.buttons, seen.popups, seen.alarms):
        yield from (piece.box for piece in pieces)


def _beside(box: Box, texts: Sequence[Text]) -> list[Box]:
    """Texts on the line of a value that may be its label or its unit."""
    high = max(1, box[3] - box[1])
    line = box[0] - _LEFT * high, box[1], box[2] + _RIGHT * high, box[3]
    return [text.box for text in texts if overlap(line, text.box)]


def _joined(parts: Sequence[Box]) -> list[Box]:
    """Those that overlap as one."""
    left = sorted(set(parts))
    while pair := next((pair for pair in combinations(left, 2) if overlap(*pair)), None):
        left = sorted({box for box in left if box not in pair} | {union(pair)})
    return left


def _patched(seen: Perception, piece: Perception, at: Box) -> Perception:
    return replace(
        seen,
        texts=_replaced(seen.texts, piece.texts, at),
        readings=_replaced(seen.readings, piece.readings, at),
        lamps=_replaced(seen.lamps, piece.lamps, at),
        alarms=_replaced(seen.alarms, piece.alarms, at),
        buttons=_replaced(seen.buttons, piece.buttons, at),
        popups=tuple(popup for popup in seen.popups if not overlap(popup.box, at)),
    )


def _replaced(old: Sequence[Piece], new: Sequence[Piece], at: Box) -> tuple[Piece, ...]:
    """In reading order."""
    kept: list[Piece] = [one for one in old if not holds(at, centre(one.box))]
    moved: list[Piece] = [replace(one, box=_shifted(one.box, at)) for one in new]
    return tuple(sorted([*kept, *moved], key=lambda one: (one.box[1] // 16, one.box[0])))


def _shifted(box: Box, at: Box) -> Box:
    return box[0] + at[0], box[1] + at[1], box[2] + at[0], box[3] + at[1]


def _inside(box: Box, outer: Box) -> bool:
    return overlap(box, outer) == area(box)
