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
_OVER = 3
"""A handle stands over the sides of its track by this many pixels at least."""
_HALO = 0.35
"""What stands over has at least this part of the contrast of the track itself; less is blur."""
_BLURRED = 9
"""The end of a fill may be blurred over so many pixels."""
_BEHIND = 5
"""How far behind the ends of a track there is nothing of it, in pixels."""
_SPECKS = 4
"""Noise interrupts a part for less than this many pixels."""
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


def _as_track(scene: Scene, scale: Scale, runs: Sequence[_Run], near: tuple[int, int]) -> _Track | None:
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
) -> _Track | None:
    """Where the handle is, or the fill ends; None where the signs of it disagree."""
    a, b = parts
    gap = b.start - a.end
    bulge = _bulge(scene, scale, a.start, b.end, sides)
    between = [run for run in runs if a.end <= run.start and run.end <= b.start]
    away = float(max(0, near[0] - sides[1], sides[0] - near[1]))
    same = difference(scene.region(a.region).color, scene.region(b.region).color) <= _SAME
    if bulge is not None:
        place, long = (bulge[0] + bulge[1]) / 2, max(gap, bulge[1] - bulge[0])
        if not a.end - long <= place <= b.start + long:
            return None
        if between:
            inner = (min(run.start for run in between) + max(run.end for run in between)) / 2
            place = inner if abs(inner - place) <= 0.3 * long else place
        return _Track(a.start, b.end, place, long, sides, away)
    if gap < _MIN_HANDLE or (not between and gap <= _BLURRED):
        return None if same else _Track(a.start, b.end, (a.end + b.start) / 2, 0, sides, away)
    if not between:
        return None
    first, last = min(run.start for run in between), max(run.end for run in between)
    return _Track(a.start, b.end, (first + last) / 2, last - first, sides, away)


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
    """At this place along the track, its middle differs from what is on either side of it."""
    pixels = scene.pixels if scale.upright else scene.pixels.transpose(1, 0, 2)
    if not 0 <= place < len(pixels):
        return False
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
    choice = [
        i
        for i, text in enumerate(seen)
        if can_label(text) and overlap_x(text.box, area) > 0 and not _in(text.box, area)
    ]
    (found,) = labels_for([area], [seen[i] for i in choice], reach=0.0)
    if found is None:
        return "", frozenset()
    return tidy(seen[choice[found]].text), frozenset({choice[found]})


def _in(inner: Box, outer: Box) -> bool:
    x, y = centre(inner)
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


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
