"""Bars, tanks and sliders beside a straight scale: what the end of the fill, or the handle, points at.

Order: straight scales → a track along each, which is an elongated shape with the scale's length that two long parts
share → where one part ends and the other begins → value by the scale → label, printed value. Two parts of one width
with a handle between them are a slider; without one they are a bar. Columns of charts have no second part of their own
width. Without numbers beside it nothing is read: nobody knows what the frame of a bar stands for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from agent.api import Box, Reading, Text
from plugins.panel.bars.scales import Scale, find_pairs, find_scales, number_of
from plugins.panel.bars.tracks import Track, find_track
from plugins.panel.geometry import centre, height, joined, overlap_x, overlap_y, same_line
from plugins.panel.grammar import split_unit, tokens_of
from plugins.panel.instruments import Instrument
from plugins.panel.lights.colors import Pixels
from plugins.panel.lights.marks import can_label, labels_for, tidy
from plugins.panel.lights.regions import Scene, scene_of

__all__ = ["find_bars"]

_BLUR = 1.5
"""How exactly an edge is known, in pixels."""
_BEFORE, _BESIDE = 12.0, 1.6
"""How far before a bar its name ends, and how far from it its unit stands, in text heights."""
_SCORE = 0.9


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
        track = None if scale.is_doubtful else find_track(scene, scale)
        if track is None or any(scale.sources & other.sources for other in found):
            continue
        instrument = _instrument(scene, scale, track, seen, texts)
        if not any(_meet(instrument.reading.box, other.reading.box) for other in found):
            found.append(instrument)
    return tuple(found)


def _meet(a: Box, b: Box) -> bool:
    return overlap_x(a, b) > 0 and overlap_y(a, b) > 0


def _instrument(scene: Scene, scale: Scale, track: Track, seen: Sequence[Text], texts: Sequence[Text]) -> Instrument:
    body: Box = (track.across[0], track.low, track.across[1], track.high)
    if not scale.upright:
        body = (track.low, track.across[0], track.high, track.across[1])
    area = joined([body, scale.box])
    value = scale.value_at(track.place)
    unsure = abs(scale.per_pixel) * math.hypot(_BLUR + 0.02 * track.handle, scale.off)
    printed = _printed(scale, track, body, seen)
    label, named = _label(area if printed is None else joined([area, seen[printed].box]), seen)
    if not label and not scale.upright:
        label, named = _label_before(area, body, seen)
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
    if not unit:
        unit, beside = _unit(scale, area, body, seen)
        named |= beside
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


def _label_before(area: Box, body: Box, seen: Sequence[Text]) -> tuple[str, frozenset[int]]:
    """The name left of a level bar, in its line, with nothing between."""
    level = [i for i, text in enumerate(seen) if same_line(text.box, body) and text.box[2] <= area[0] + 2]
    nearest = max(level, key=lambda i: seen[i].box[2], default=None)
    if nearest is None or not can_label(seen[nearest]):
        return "", frozenset()
    close = area[0] - seen[nearest].box[2] <= _BEFORE * height(seen[nearest].box)
    return (tidy(seen[nearest].text), frozenset({nearest})) if close else ("", frozenset())


def _unit(scale: Scale, area: Box, body: Box, seen: Sequence[Text]) -> tuple[str, frozenset[int]]:
    """The unit that stands behind a level bar or below an upright one."""
    for i, text in enumerate(seen):
        tall = height(text.box)
        behind = same_line(text.box, body) and -tall // 2 <= text.box[0] - area[2] <= _BESIDE * tall
        below = overlap_x(text.box, area) > 0 and -tall // 2 <= text.box[1] - body[3] <= _BESIDE * tall
        if (below if scale.upright else behind) and {token.kind for token in tokens_of(text, i)} == {"unit"}:
            return text.text.strip(), frozenset({i})
    return "", frozenset()


def _in(inner: Box, outer: Box) -> bool:
    x, y = centre(inner)
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def _printed(scale: Scale, track: Track, body: Box, seen: Sequence[Text]) -> int | None:
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
