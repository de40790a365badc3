"""Tracks of bars, tanks and sliders: elongated shapes beside a straight scale, of its length, in two parts.

Order: lines along the scale are cut into stretches of even colour → two stretches that lie behind one another and share
their sides, with nothing of a track behind their ends → what stands over both sides is the handle, otherwise the place
where one part ends and the other begins. Where the signs disagree there is no track.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugins.panel.bars.scales import Scale
from plugins.panel.lights.colors import difference
from plugins.panel.lights.regions import Scene

__all__ = ["Track", "find_track"]

_BESIDE = 0.7
"""How far from its numbers a track may be, in lengths of the scale."""
_FAR = 12
"""And in text heights."""
_MAX_THICK = 0.45
"""A track is at most this thick, in parts of its length."""
_MIN_THICK = 2
_COVERED = 0.55
"""Part of the scale that both parts of a track cover at least."""
_ENDS = 0.09
"""How far the ends of a track may be from those of the scale, in parts of its length."""
_MAX_HANDLE = 0.35
_MIN_HANDLE = 5
"""Length of a handle along the track: at most in parts of the scale, at least in pixels."""
_SAME = 26
_CLEAR = 14
"""Difference, in the strongest channel, of what stands out."""
_LINE = 40
"""The same of the line around a track whose empty part looks like the ground."""
_OVER = 3
"""A handle stands over the sides of its track by this many pixels at least."""
_HALO = 0.35
"""What stands over has at least this part of the contrast of the track itself; less is blur."""
_STEPPED = 3
"""Where one part is so many pixels thicker, a handle of its colour may be part of it."""
_BLURRED = 9
"""The end of a fill may be blurred over so many pixels."""
_BEHIND = 5
"""How far behind the ends of a track there is nothing of it, in pixels."""
_SPECKS = 4
"""Noise interrupts a part for less than this many pixels."""
_EACH = 2


@dataclass(frozen=True, slots=True)
class _Run:
    region: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Track:
    low: int
    """Where it begins along the axis."""
    high: int
    place: float
    """Where the fill ends, or the middle of the handle."""
    handle: int
    """Length of the handle; 0 where there is none."""
    across: tuple[int, int]
    """Its sides, across the axis."""
    gap: float
    """How far it is from the numbers."""


def find_track(scene: Scene, scale: Scale) -> Track | None:
    """The nearest track beside a scale."""
    labels = scene.labels if scale.upright else scene.labels.T
    near = (scale.box[0], scale.box[2]) if scale.upright else (scale.box[1], scale.box[3])
    reach = round(max(6 * scale.tall, min(_FAR * scale.tall, _BESIDE * (scale.high - scale.low))))
    lines: dict[tuple[int, ...], list[list[_Run]]] = {}
    for line in range(max(0, near[0] - reach), min(labels.shape[1], near[1] + reach), _EACH):
        runs = _runs(labels[:, line], scale)
        if len(runs) > 1:
            lines.setdefault(tuple(run.region for run in runs), []).append(runs)
    tracks = [_as_track(scene, scale, same[len(same) // 2], near) for same in lines.values()]
    return min((track for track in tracks if track is not None), key=lambda track: track.gap, default=None)


def _runs(line: NDArray[np.int32], scale: Scale) -> list[_Run]:
    """Long stretches of one area along the scale, from just before it to just behind it."""
    margin = round(_ENDS * (scale.high - scale.low) + scale.step) + 6
    first, last = max(0, round(scale.low) - margin), min(len(line), round(scale.high) + margin)
    part = line[first:last]
    cuts = np.flatnonzero(np.diff(part)) + 1
    starts, ends = np.concatenate([[0], cuts]), np.concatenate([cuts, [len(part)]])
    runs: list[_Run] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        region = int(part[start])
        if runs and region == runs[-1].region and start - (runs[-1].end - first) <= _SPECKS:
            runs[-1] = _Run(region, runs[-1].start, end + first)
        elif region and end - start >= _SPECKS:
            runs.append(_Run(region, start + first, end + first))
    least = max(4, 0.02 * (scale.high - scale.low))
    return [run for run in runs if run.end - run.start >= least]


def _as_track(scene: Scene, scale: Scale, runs: Sequence[_Run], near: tuple[int, int]) -> Track | None:
    """Two parts that lie behind one another, are equally thick, and end where the scale ends."""
    slack = _ENDS * (scale.high - scale.low) + 3
    parts = [run for run in runs if _thin(scene, run.region, scale)]
    for a, b in ((a, b) for n, a in enumerate(parts) for b in parts[n + 1 :]):
        gap, whole = b.start - a.end, b.end - a.start
        ends = a.start <= scale.low + slack and b.end >= scale.high - slack
        ends = ends and scale.is_round(a.start) and scale.is_round(b.end - 1)
        covered = (a.end - a.start) + (b.end - b.start)
        if not ends or covered < _COVERED * whole or gap > _MAX_HANDLE * whole or a.region == b.region:
            continue
        sides = _common_sides(scene, a, b, scale)
        if sides is not None and _stands_out(scene, scale, a, b, sides):
            return _pointed_at(scene, scale, runs, (a, b), sides, near)
    return None


def _pointed_at(
    scene: Scene,
    scale: Scale,
    runs: Sequence[_Run],
    parts: tuple[_Run, _Run],
    sides: tuple[int, int],
    near: tuple[int, int],
) -> Track | None:
    """Where the handle is, or the fill ends; None where the signs of it disagree."""
    a, b = parts
    gap = b.start - a.end
    bulge = _bulge(scene, scale, a.start, b.end, sides)
    between = [run for run in runs if a.end <= run.start and run.end <= b.start]
    away = float(max(0, near[0] - sides[1], sides[0] - near[1]))
    same = difference(scene.region(a.region).color, scene.region(b.region).color) <= _SAME
    if bulge is not None and (bulge[0] <= a.start + 1 or bulge[1] >= b.end - 1):
        return None
    if bulge is not None:
        place, long = (bulge[0] + bulge[1]) / 2, max(gap, bulge[1] - bulge[0])
        if not a.end - long <= place <= b.start + long:
            return None
        if between:
            inner = (min(run.start for run in between) + max(run.end for run in between)) / 2
            place = inner if abs(inner - place) <= 0.3 * long else place
        return Track(a.start, b.end, place, long, sides, away)
    wide_a, wide_b = (sides[1] - sides[0] for sides in (_sides(scene, run.region, scale) for run in parts))
    if abs(wide_a - wide_b) >= _STEPPED:
        return None
    if gap < _MIN_HANDLE or (not between and gap <= _BLURRED):
        return None if same else Track(a.start, b.end, (a.end + b.start) / 2, 0, sides, away)
    if not between:
        return None
    first, last = min(run.start for run in between), max(run.end for run in between)
    return Track(a.start, b.end, (first + last) / 2, last - first, sides, away)


def _bulge(scene: Scene, scale: Scale, low: int, high: int, sides: tuple[int, int]) -> tuple[int, int] | None:
    """Where something stands out over both sides of a track, from where to where along it."""
    pixels = scene.pixels if scale.upright else scene.pixels.transpose(1, 0, 2)
    columns = [side for side in (sides[0] - _OVER, sides[1] + _OVER - 1) if 0 <= side < pixels.shape[1]]
    if len(columns) < 2:
        return None
    lines = pixels[low:high, columns].astype(np.int16)
    ground = np.median(lines, axis=0)
    own = pixels[low:high, (sides[0] + sides[1]) // 2].astype(np.int16)
    contrast = np.abs(own[:, None] - ground).max(axis=2)
    out = (np.abs(lines - ground).max(axis=2) > np.maximum(_CLEAR, _HALO * contrast)).all(axis=1)
    places = np.flatnonzero(out)
    if len(places) < _MIN_HANDLE - 2:
        return None
    groups = np.split(places, np.flatnonzero(np.diff(places) > 2) + 1)
    longest = max(groups, key=len)
    if len(longest) < max(_MIN_HANDLE - 2, 0.7 * len(places)) or len(longest) > _MAX_HANDLE * (high - low):
        return None
    return low + int(longest[0]), low + int(longest[-1]) + 1


def _thin(scene: Scene, index: int, scale: Scale) -> bool:
    sides = _sides(scene, index, scale)
    return _MIN_THICK <= sides[1] - sides[0] <= _MAX_THICK * (scale.high - scale.low)


def _sides(scene: Scene, index: int, scale: Scale) -> tuple[int, int]:
    box = scene.region(index).box
    return (box[0], box[2]) if scale.upright else (box[1], box[3])


def _common_sides(scene: Scene, a: _Run, b: _Run, scale: Scale) -> tuple[int, int] | None:
    """The sides of a track of which both are parts, as one of them may bear the handle; None where they differ."""
    thin, thick = sorted((_sides(scene, run.region, scale) for run in (a, b)), key=lambda sides: sides[1] - sides[0])
    wide, most = thin[1] - thin[0], thick[1] - thick[0]
    inside = thin[0] >= thick[0] - 2 and thin[1] <= thick[1] + 2
    centred = abs(sum(thin) - sum(thick)) <= max(4, 0.3 * most)
    return thin if inside and centred and wide >= 0.25 * most else None


def _stands_out(scene: Scene, scale: Scale, a: _Run, b: _Run, sides: tuple[int, int]) -> bool:
    """Both parts differ from what lies beside the track, and what lies behind its ends does not."""
    beyond = max(3, (sides[1] - sides[0]) // 6)
    parts = [(a.start + a.end) // 2, (b.start + b.end) // 2]
    ends = [a.start - _BEHIND, b.end + _BEHIND]
    return all(_clear_of(scene, scale, place, sides, beyond) for place in parts) and not any(
        _clear_of(scene, scale, place, sides, beyond) for place in ends
    )


def _clear_of(scene: Scene, scale: Scale, place: int, sides: tuple[int, int], beyond: int) -> bool:
    """At this place along the track, its middle differs from what is on either side of it, or a line parts them."""
    pixels = scene.pixels if scale.upright else scene.pixels.transpose(1, 0, 2)
    if not 0 <= place < len(pixels):
        return False
    middle = (sides[0] + sides[1]) // 2
    along = slice(max(0, place - 2), place + 3)
    own = np.median(pixels[along, max(0, middle - 2) : middle + 3], axis=(0, 1))
    outside = [(sides[0] - beyond, sides[0] + 1), (sides[1] - 1, sides[1] + beyond + 1)]
    outside = [(max(0, first), min(pixels.shape[1], last)) for first, last in outside]
    steps = [np.abs(own - np.median(pixels[along, a:b], axis=0)).max(axis=1) for a, b in outside if b - a > beyond]
    ends = [step[end] for step, end in zip(steps, (0, -1), strict=False)]
    return bool(steps) and all(
        float(end) > _CLEAR or float(step.max()) > _LINE for step, end in zip(steps, ends, strict=True)
    )
