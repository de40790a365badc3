"""Straight scales: numbers in one row or column whose values grow evenly with their place.

A reader may misread a number, so a scale is what most of them agree on. Everything is computed along an axis: for a
column that is y, for a row x.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.api import Box, Text
from plugins.panel.geometry import centre, height, joined
from plugins.panel.grammar import plain

__all__ = ["Scale", "find_pairs", "find_scales", "number_of"]

_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*%?(?:\s*[-–—_])?")
"""A tick behind a number is read as a dash."""
_MIN_NUMBERS = 3
_MAX_NUMBERS = 40
_AGREE = 0.6
"""Share of the numbers in line that have to lie on the scale."""
_OFF = 0.45
"""How far a number may be from its place on the scale, in text heights."""
_ROUND = 0.05
_EVEN = (1.6, 0.13)
"""Numbers of a scale stray at most this far on average: in pixels, or in text heights. Rows of a table stray more."""
_PAIR_APART = (2.2, 30.0)
"""How far apart the numbers of a scale of two are, in text heights."""
_PAIR_OFF = 1.5
"""How far those two may be from their places, in pixels."""
_MAX_PAIRS, _MAX_LOOSE = 12, 40
_MIN_GAP = 1.1
"""Neighbours are at least this far apart, in text heights."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Value = start + per_pixel × place along the axis."""

    upright: bool
    """Along y; otherwise along x."""
    start: float
    per_pixel: float
    low: float
    """Place of its first number, in pixels along the axis."""
    high: float
    """Place of its last number."""
    box: Box
    """Around its numbers."""
    tall: float
    """Height of its numbers, in pixels."""
    off: float
    """How far its numbers are from their places, in pixels."""
    sources: frozenset[int]
    """Indices of its numbers."""

    def value_at(self, place: float) -> float:
        return self.start + self.per_pixel * place

    @property
    def step(self) -> float:
        """Pixels between two numbers that follow each other."""
        return (self.high - self.low) / (len(self.sources) - 1)

    def is_round(self, place: float) -> bool:
        """A number of the scale could stand at this place."""
        steps = (place - self.low) / self.step
        return abs(steps - round(steps)) * self.step <= max(3.0, _ROUND * (self.high - self.low))

    @property
    def is_doubtful(self) -> bool:
        """Further below zero the higher: ticks before the numbers may have been read as signs."""
        return self.upright and self.per_pixel > 0 and self.value_at(self.high) <= abs(self.per_pixel)

    @property
    def span(self) -> float:
        """Between the values of its ends."""
        return abs(self.per_pixel) * (self.high - self.low)


def find_scales(texts: Sequence[Text], *, skip: frozenset[int] = frozenset()) -> list[Scale]:
    """Every straight scale, the longest first; no number belongs to two.

    :param skip: indices of texts that belong to tables.
    """
    numbers = _numbers(texts, skip)
    found: list[Scale] = []
    for upright in (True, False):
        for line in _lines(texts, numbers, upright=upright):
            scale = _fit(texts, line, upright=upright)
            if scale is not None:
                found.append(scale)
    kept: list[Scale] = []
    for scale in sorted(found, key=lambda scale: -len(scale.sources)):
        if not any(scale.sources & other.sources for other in kept):
            kept.append(scale)
    return kept


def find_pairs(texts: Sequence[Text], taken: frozenset[int]) -> list[Scale]:
    """Two numbers in line that a scale may have where a reader found no more, such as 50 and 100.

    Only a track that ends at round values of it makes it one.
    """
    numbers = [(i, n) for i, n in _numbers(texts, taken) if n == round(n)]
    if len(numbers) > _MAX_LOOSE:
        return []
    pairs = []
    for (a, first), (b, second) in itertools.combinations(numbers, 2):
        step = abs(first - second)
        nice = step > 0 and f"{step:e}".split("e")[0].rstrip("0").rstrip(".") in ("1", "2", "2.5", "5")
        if not nice or any(abs(n / step - round(n / step)) > 1e-6 for n in (first, second)):
            continue
        for upright in (True, False):
            pair = _pair(texts, (a, first), (b, second), upright=upright)
            if pair is not None:
                pairs.append(pair)
    return pairs[:_MAX_PAIRS]


def _numbers(texts: Sequence[Text], skip: frozenset[int]) -> list[tuple[int, float]]:
    return [(i, n) for i, text in enumerate(texts) if i not in skip and (n := number_of(text)) is not None]


def _pair(texts: Sequence[Text], a: tuple[int, float], b: tuple[int, float], *, upright: bool) -> Scale | None:
    boxes = texts[a[0]].box, texts[b[0]].box
    tall = float(np.mean([height(box) for box in boxes]))
    edges = ("left", "middle", "right") if upright else ("middle",)
    if min(abs(_edge(boxes[0], e, upright=upright) - _edge(boxes[1], e, upright=upright)) for e in edges) > 0.4 * tall:
        return None
    axis = 1 if upright else 0
    places = [centre(box)[axis] for box in boxes]
    apart = abs(places[0] - places[1])
    if not _PAIR_APART[0] * tall <= apart <= _PAIR_APART[1] * tall:
        return None
    slope = (b[1] - a[1]) / (places[1] - places[0])
    start = a[1] - slope * places[0]
    sources = frozenset({a[0], b[0]})
    return Scale(upright, start, slope, min(places), max(places), joined(boxes), tall, _PAIR_OFF, sources)


def number_of(text: Text) -> float | None:
    """The number that a text is, and nothing else."""
    found = _NUMBER.fullmatch(plain(text.text).strip())
    return float(found[1]) if found and len(found[1]) <= 9 else None


def _lines(
    texts: Sequence[Text], numbers: Sequence[tuple[int, float]], *, upright: bool
) -> list[list[tuple[int, float]]]:
    """Numbers that are aligned by their left, middle or right (in a column), or by their middle (in a row)."""
    lines: dict[frozenset[int], list[tuple[int, float]]] = {}
    for edge in ("left", "middle", "right") if upright else ("middle",):
        places = [_edge(texts[i].box, edge, upright=upright) for i, _ in numbers]
        order = np.argsort(places)
        start = 0
        for n in range(1, len(order) + 1):
            tall = height(texts[numbers[int(order[n - 1])][0]].box)
            if n == len(order) or places[order[n]] - places[order[n - 1]] > 0.5 * tall:
                line = [numbers[int(k)] for k in order[start:n]]
                if _MIN_NUMBERS <= len(line) <= _MAX_NUMBERS:
                    lines[frozenset(i for i, _ in line)] = line
                start = n
    return list(lines.values())


def _edge(box: Box, edge: str, *, upright: bool) -> float:
    if not upright:
        return centre(box)[1]
    return float({"left": box[0], "right": box[2]}.get(edge, centre(box)[0]))


def _fit(texts: Sequence[Text], line: Sequence[tuple[int, float]], *, upright: bool) -> Scale | None:
    """The straight line that most numbers lie on."""
    axis = 1 if upright else 0
    places = np.array([centre(texts[i].box)[axis] for i, _ in line])
    values = np.array([value for _, value in line])
    tall = float(np.median([height(texts[i].box) for i, _ in line]))
    best: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None
    for a, b in itertools.combinations(range(len(line)), 2):
        if abs(places[b] - places[a]) < 2 * tall or values[a] == values[b]:
            continue
        slope = (values[b] - values[a]) / (places[b] - places[a])
        on = np.abs((values - values[a]) / slope - (places - places[a])) <= _OFF * tall
        if best is None or on.sum() > best.sum():
            best = on
    if best is None or best.sum() < max(_MIN_NUMBERS, _AGREE * len(line)):
        return None
    places, values = places[best], values[best]
    gaps = np.diff(np.sort(places))
    if gaps.min() < _MIN_GAP * tall or gaps.max() > 3.1 * float(np.median(gaps)):
        return None
    slope, start = np.polyfit(places, values, 1)
    off = float(np.sqrt(np.mean(((values - start) / slope - places) ** 2)))
    if off > max(_EVEN[0], _EVEN[1] * tall):
        return None
    members = [i for (i, _), on in zip(line, best, strict=True) if on]
    box = joined(texts[i].box for i in members)
    ends = float(places.min()), float(places.max())
    return Scale(upright, float(start), float(slope), *ends, box, tall, off, frozenset(members))
