"""Bars, tanks and sliders beside a straight scale: what the end of the fill, or the handle, points at.

Order: straight scales → a track along each, which is an elongated shape with the scale's length that two long parts
share → where one part ends and the other begins → value by the scale → label, printed value. Two parts of one width
with a handle between them are a slider; without one they are a bar. Columns of charts have no second part of their own
width. Without numbers beside it nothing is read: nobody knows what the frame of a bar stands for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Reading, Text
from plugins.panel.bar_scales import Scale, find_pairs, find_scales, number_of
from plugins.panel.colors import Pixels, difference
from plugins.panel.geometry import centre, height, joined, overlap_x, overlap_y
from plugins.panel.grammar import split_unit
from plugins.panel.instruments import Instrument
from plugins.panel.marks import can_label, labels_for, tidy
from plugins.panel.regions import Scene, scene_of

__all__ = ["find_bars"]

_BESIDE = 0.7
"""How far from its numbers a track may be, in lengths of the scale."""
_MAX_THICK = 0.45
"""A track is at most this thick, in parts of its length."""
_MIN_THICK = 3
_COVERED = 0.55
"""Part of the scale that both parts of a track cover at least."""
_ENDS = 0.09
"""How far the ends of a track may be from those of the scale, in parts of its length."""
_MAX_HANDLE = 0.35
_MIN_HANDLE = 5
"""Length of a handle along the track: at most in parts of the scale, at least in pixels."""
_SAME = 26
_CLEAR = 14
_EACH = 2
_BLUR = 1.5
"""How exactly an edge is known, in pixels."""
_SCORE = 0.9


@dataclass(frozen=True, slots=True)
class _Run:
    region: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Track:
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


def find_bars(
    pixels: Pixels, texts: Sequence[Text], *, skip: frozenset[int] = frozenset(), scene: Scene | None = None
) -> tuple[Instrument, ...]:
    """Bars and sliders with a scale of their own.

    :param pixels: height × width × 3, RGB, at least one pixel.
    :param skip: indices of texts that belong to tables.
    :param scene: of these pixels, where it is at hand.
    """
    if sum(number_of(text) is not None for i, text in enumerate(texts) if i not in skip) < 2:
        return ()
    scene = scene_of(pixels) if scene is None else scene
    seen = scene.seen(texts)
    scales = find_scales(seen, skip=skip)
    taken = skip | frozenset(i for scale in scales for i in scale.sources)
    found: list[Instrument] = []
    for scale in [*scales, *find_pairs(seen, taken)]:
        track = _track(scene, scale)
        if track is None or any(scale.sources & other.sources for other in found):
            continue
        instrument = _instrument(scene, scale, track, seen, texts)
        if not any(_meet(instrument.reading.box, other.reading.box) for other in found):
            found.append(instrument)
    return tuple(found)


def _meet(a: Box, b: Box) -> bool:
    return overlap_x(a, b) > 0 and overlap_y(a, b) > 0


def _track(scene: Scene, scale: Scale) -> _Track | None:
    """The nearest track beside a scale."""
    labels = scene.labels if scale.upright else scene.labels.T
    near = (scale.box[0], scale.box[2]) if scale.upright else (scale.box[1], scale.box[3])
    reach = round(max(6 * scale.tall, _BESIDE * (scale.high - scale.low)))
    best: _Track | None = None
    tried: set[tuple[int, ...]] = set()
    for line in range(max(0, near[0] - reach), min(labels.shape[1], near[1] + reach), _EACH):
        runs = _runs(scene, labels[:, line], scale)
        key = tuple(run.region for run in runs)
        if not runs or key in tried:
            continue
        tried.add(key)
        track = _as_track(scene, scale, runs, line, near)
        if track is not None and (best is None or track.gap < best.gap):
            best = track
    return best


def _runs(scene: Scene, line: NDArray[np.int32], scale: Scale) -> list[_Run]:
    """Long stretches of one area along the scale, from just before it to just behind it."""
    margin = round(_ENDS * (scale.high - scale.low) + scale.step) + 6
    first, last = max(0, round(scale.low) - margin), min(len(line), round(scale.high) + margin)
    part = line[first:last]
    cuts = np.flatnonzero(np.diff(part)) + 1
    starts, ends = np.concatenate([[0], cuts]), np.concatenate([cuts, [len(part)]])
    least = max(4, 0.02 * (scale.high - scale.low))
    long = (ends - starts >= least) & (part[starts] > 0)
    return [_Run(int(part[s]), int(s + first), int(e + first)) for s, e in zip(starts[long], ends[long], strict=True)]


def _as_track(scene: Scene, scale: Scale, runs: Sequence[_Run], line: int, near: tuple[int, int]) -> _Track | None:
    """Two parts that lie behind one another, are equally thick, and end where the scale ends."""
    length = scale.high - scale.low
    slack = _ENDS * length + 3
    parts = [run for run in runs if _thin(scene, run.region, scale)]
    for a, b in ((a, b) for n, a in enumerate(parts) for b in parts[n + 1 :]):
        covered = (a.end - a.start) + (b.end - b.start)
        ends = a.start <= scale.low + slack and b.end >= scale.high - slack
        ends = ends and scale.is_round(a.start) and scale.is_round(b.end - 1)
        gap, whole = b.start - a.end, b.end - a.start
        if not ends or covered < _COVERED * whole or gap > _MAX_HANDLE * whole or a.region == b.region:
            continue
        if not _twins(scene, a, b, scale):
            continue
        sides = _sides(scene, a.region, scale)
        away = max(0, near[0] - sides[1], sides[0] - near[1])
        handle = gap if gap >= _MIN_HANDLE else 0
        same = difference(scene.region(a.region).color, scene.region(b.region).color) <= _SAME
        if (same and not handle) or not _stands_out(scene, scale, a, b, sides):
            continue
        return _Track(a.start, b.end, _place(runs, a, b), handle, sides, float(away))
    return None


def _place(runs: Sequence[_Run], a: _Run, b: _Run) -> float:
    """The middle of the handle, without its shadow; where there is none, the place where one part ends."""
    between = [run for run in runs if a.end <= run.start and run.end <= b.start]
    if not between:
        return (a.end + b.start) / 2
    return (min(run.start for run in between) + max(run.end for run in between)) / 2


def _thin(scene: Scene, index: int, scale: Scale) -> bool:
    sides = _sides(scene, index, scale)
    return _MIN_THICK <= sides[1] - sides[0] <= _MAX_THICK * (scale.high - scale.low)


def _sides(scene: Scene, index: int, scale: Scale) -> tuple[int, int]:
    box = scene.region(index).box
    return (box[0], box[2]) if scale.upright else (box[1], box[3])


def _twins(scene: Scene, a: _Run, b: _Run, scale: Scale) -> bool:
    """Both parts have the same sides, or one is a thinner line in the middle of the other."""
    (a0, a1), (b0, b1) = _sides(scene, a.region, scale), _sides(scene, b.region, scale)
    thick = max(a1 - a0, b1 - b0)
    return abs((a0 + a1) - (b0 + b1)) <= max(4, 0.3 * thick) and min(a1 - a0, b1 - b0) >= 0.6 * thick


def _stands_out(scene: Scene, scale: Scale, a: _Run, b: _Run, sides: tuple[int, int]) -> bool:
    """Both parts and the handle between them differ from what lies beside the track, on either side."""
    handle = b.start - a.end if b.start - a.end >= _MIN_HANDLE else 0
    edge = max(3, (sides[1] - sides[0]) // 6)
    places = [((a.start + a.end) // 2, edge), ((b.start + b.end) // 2, edge)]
    if handle:
        places.append(((a.end + b.start) // 2, max(handle, sides[1] - sides[0])))
    return all(_clear_of(scene, scale, place, sides, beyond) for place, beyond in places)


def _clear_of(scene: Scene, scale: Scale, place: int, sides: tuple[int, int], beyond: int) -> bool:
    pixels = scene.pixels if scale.upright else scene.pixels.transpose(1, 0, 2)
    middle = (sides[0] + sides[1]) // 2
    along = slice(max(0, place - 2), place + 3)
    own = np.median(pixels[along, max(0, middle - 2) : middle + 3], axis=(0, 1))
    outside = [side for side in (sides[0] - beyond, sides[1] + beyond) if 0 <= side < pixels.shape[1]]
    return bool(outside) and all(
        float(np.abs(own - np.median(pixels[along, side], axis=0)).max()) > _CLEAR for side in outside
    )


def _instrument(scene: Scene, scale: Scale, track: _Track, seen: Sequence[Text], texts: Sequence[Text]) -> Instrument:
    body: Box = (track.across[0], track.low, track.across[1], track.high)
    if not scale.upright:
        body = (track.low, track.across[0], track.high, track.across[1])
    area = joined([body, scale.box])
    value = scale.value_at(track.place)
    unsure = abs(scale.per_pixel) * math.hypot(_BLUR + 0.02 * track.handle, scale.off)
    printed = _printed(scale, track, body, seen)
    label, named = _label(area if printed is None else joined([area, seen[printed].box]), seen)
    kind = "slider" if track.handle else "bar"
    point = "its handle" if track.handle else "its fill"
    why = f"{point} points at {value:.4g} on a scale of {len(scale.sources)} numbers"
    shown, sources = _worded(value, unsure), scale.sources
    flags: tuple[str, ...] = ()
    if printed is not None:
        number = number_of(seen[printed])
        if number is not None and abs(number - value) <= max(3 * unsure, 0.03 * scale.span):
            shown, sources, why = (
                texts[printed].text.strip().rstrip("%"),
                sources | {printed},
                f"{why}; printed beside it",
            )
        else:
            flags, why = ("needle-disagrees",), f"{why}; {texts[printed].text.strip()} is printed beside it"
    name, unit = split_unit(label)
    reading = Reading(
        name, shown, unit, kind, scene.whole(body), _SCORE, flags or (() if name else ("unlabelled",)),
        uncertainty=float(f"{unsure:.2g}"), read_by="geometry", why=why,
    )  # fmt: skip
    return Instrument(reading, scene.whole(area), sources | named)


def _label(area: Box, seen: Sequence[Text]) -> tuple[str, frozenset[int]]:
    """The name above or below; one that is only beside it may belong to something else."""
    choice = [i for i, text in enumerate(seen) if can_label(text) and overlap_x(text.box, area) > 0]
    (found,) = labels_for([area], [seen[i] for i in choice], reach=0.0)
    if found is None:
        return "", frozenset()
    return tidy(seen[choice[found]].text), frozenset({choice[found]})


def _printed(scale: Scale, track: _Track, body: Box, seen: Sequence[Text]) -> int | None:
    """The number that stands beside the place that is pointed at, or on the bar."""
    best: tuple[float, int] | None = None
    for i, text in enumerate(seen):
        if i in scale.sources or number_of(text) is None:
            continue
        x, y = centre(text.box)
        along = abs((y if scale.upright else x) - track.place)
        beside = max(-overlap_x(text.box, body), -overlap_y(text.box, body))
        on = overlap_x(text.box, body) > 0 and overlap_y(text.box, body) > 0
        if on or (along <= 0.8 * height(text.box) + 0.5 * track.handle and beside <= 2.5 * height(text.box)):
            cost = along + max(0, beside)
            if best is None or cost < best[0]:
                best = cost, i
    return best[1] if best else None


def _worded(value: float, unsure: float) -> str:
    """With as many decimals as the measurement has."""
    decimals = max(0, min(4, math.ceil(-math.log10(max(unsure, 1e-4)))))
    shown = f"{value:.{decimals}f}"
    return shown.lstrip("-") if float(shown) == 0 else shown
