"""The drawings of values: over time, with their zones, limits and alarms; over frequency, with the lines that mean
something.

Long series are drawn as the span of each column of the picture and its mean, so no peak is lost. Limits and zones are
named where their lines end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from agent.reports.scene import (
    BLUE,
    FAINT,
    INK,
    RED,
    SOFT,
    Line,
    Mark,
    Polygon,
    Rect,
    Scene,
    Text,
    cut_to,
    width_of,
)
from agent.reports.values import AlarmEvent, Level, Spectrum, Trend
from agent.values import Language, say

__all__ = ["spectrum_chart", "trend_chart"]

_LEFT, _TOP, _BOTTOM, _SIZE = 48.0, 40.0, 26.0, 11.0
_STEPS = (1, 2, 2.5, 5, 10)
_HOURS = (1, 3, 6, 12, 24, 48, 168, 336, 720, 2160, 8760)
_AROUND = 2.5
"""A spectrum is shown up to so many times its highest marked frequency."""
_COLUMN = 2.0
"""Alarms closer together than this in the picture are one mark."""
_CROWD = 40
_GAP = 6.0
"""A gap longer than so many usual distances is not drawn over."""


class _Axes:
    """Where values lie in a picture."""

    def __init__(self, scene: Scene, x: tuple[float, float], y: tuple[float, float], *, right: float) -> None:
        self.left, self.right = _LEFT, scene.width - right
        self.top, self.bottom = _TOP, scene.height - _BOTTOM
        self._x, self._y = x, y

    def x(self, value: float) -> float:
        low, high = self._x
        return self.left + (value - low) / (high - low) * (self.right - self.left)

    def y(self, value: float) -> float:
        low, high = self._y
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)


def trend_chart(
    trend: Trend,
    start: datetime,
    end: datetime,
    alarms: Sequence[AlarmEvent],
    language: Language,
    *,
    width: float,
    height: float = 220.0,
) -> Scene:
    """A value over the period.

    :param start: wall clock, as `end` and the alarms' times.
    :param alarms: marked at the top edge.
    """
    scene = Scene(width, height, f"{trend.name} ({trend.unit})" if trend.unit else trend.name)
    names = [level.name[language] for level in trend.levels]
    right = min(max((width_of(name, _SIZE) for name in names), default=0.0), width * 0.3) + 10
    span = (_stamp(start), _stamp(end))
    low, high = _range(trend)
    axes = _Axes(scene, span, (low, high), right=right)
    marked = say("▼ 报警", "▼ alarm")[language]
    scene.add(Text(0, 14, cut_to(scene.title, 13, width - width_of(marked, 10) - 12), 13, bold=True))
    _grid_y(scene, axes, low, high)
    _grid_time(scene, axes, start, end)
    _levels(scene, axes, trend.levels, language, low, high)
    bins = max(int(axes.right - axes.left) // 2, 10)
    for at, least, mean, most in _pieces(trend, span, bins):
        if len(at) > 1:
            upper = [(axes.x(t), axes.y(v)) for t, v in zip(at, most, strict=True)]
            lower = [(axes.x(t), axes.y(v)) for t, v in zip(at, least, strict=True)]
            scene.add(Polygon((*upper, *reversed(lower)), BLUE, 0.3))
        points = tuple((axes.x(t), axes.y(v)) for t, v in zip(at, mean, strict=True))
        dot = Rect(points[0][0] - 2, points[0][1] - 2, 4, 4, fill=BLUE)
        scene.add(Line(points, BLUE, 1.4) if len(points) > 1 else dot)
    columns = {round(axes.x(_stamp(alarm.at)) / _COLUMN) * _COLUMN for alarm in alarms if start <= alarm.at < end}
    crowded = len(columns) > _CROWD
    for x in sorted(columns):
        if crowded:  # a fence of lines would hide the values
            scene.add(Line(((x, axes.top - 5), (x, axes.top)), RED, 1.0))
        else:
            scene.add(Line(((x, axes.top), (x, axes.bottom)), RED, 0.5, (2, 3)), Mark(x, axes.top))
    if columns:
        scene.add(Text(width, 14, marked, 10, RED, "end"))
    return scene


def spectrum_chart(spectrum: Spectrum, language: Language, *, width: float, height: float = 220.0) -> Scene:
    """Amplitudes with the frequencies that mean something."""
    unit = spectrum.unit if spectrum.unit.startswith("(") else f"({spectrum.unit})"
    title = f"{spectrum.name} {unit}" if spectrum.unit else spectrum.name
    scene = Scene(width, height, title)
    scene.add(Text(0, 14, cut_to(title, 13, width - 4), 13, bold=True))
    if len(spectrum.hertz) < 2:
        return scene
    last = float(spectrum.hertz[-1]) or 1.0
    if spectrum.peaks:
        last = min(last, _AROUND * max(peak.hertz for peak in spectrum.peaks))
    shown = max(int(np.searchsorted(spectrum.hertz, last, side="right")), 2)
    hertz, amplitudes = spectrum.hertz[:shown], spectrum.amplitudes[:shown]
    top = float(amplitudes.max()) or 1.0
    axes = _Axes(scene, (0.0, last), (0.0, top * 1.25), right=10)
    _grid_y(scene, axes, 0.0, top * 1.25)
    step = _nice(last / 6)
    for i in range(int(last / step) + 1):
        x = axes.x(i * step)
        scene.add(Text(x, scene.height - 8, f"{i * step:g}", _SIZE, SOFT, "middle"))
    scene.add(Text(width, scene.height - 8, "Hz", _SIZE, SOFT, "end"))
    bins = max(int(axes.right - axes.left), 10)
    edges = np.linspace(0, shown, min(bins, shown) + 1).astype(int)
    tops = [int(a + amplitudes[a:b].argmax()) for a, b in pairwise(edges) if b > a]
    scene.add(Line(tuple((axes.x(hertz[i]), axes.y(amplitudes[i])) for i in tops), BLUE, 1.0))
    peaks = sorted((p for p in spectrum.peaks if 0 <= p.hertz <= last), key=lambda p: p.hertz)
    lines = _staggered([axes.x(p.hertz) for p in peaks], [width_of(p.name[language], 10) for p in peaks], width)
    for peak, row in zip(peaks, lines, strict=True):
        x, y = axes.x(peak.hertz), max(axes.y(peak.amplitude), axes.top + 24)
        base = axes.top + 10 + row * 12
        scene.add(Line(((x, base + 2), (x, min(y, axes.bottom))), RED, 0.8, (3, 2)), Mark(x, min(y, axes.bottom), 5))
        near = x + width_of(peak.name[language], 10) > width
        scene.add(Text(x - 3 if near else x + 3, base, peak.name[language], 10, INK, "end" if near else "start"))
    return scene


def _range(trend: Trend) -> tuple[float, float]:
    """The values, and of the levels those that are not far off."""
    low, high = float(trend.values.min()), float(trend.values.max())
    spread = max(high - low, max(abs(low), abs(high)) * 0.02)  # less than a float can be stepped through is no scale
    spread = spread if spread > 1e-30 else 1.0
    near = [v.value for v in trend.levels if low - 1.5 * spread <= v.value <= high + 1.5 * spread]
    low, high = min([low, *near]), max([high, *near])
    margin = max(high - low, spread) * 0.08
    return low - margin, high + margin


def _levels(scene: Scene, axes: _Axes, levels: Sequence[Level], language: Language, low: float, high: float) -> None:
    """Beyond a level it is darker; the line's name stands at its end."""
    shown = [level for level in levels if low <= level.value <= high]
    for level in shown:
        y = axes.y(level.value)
        edge = axes.top if level.side == "high" else axes.bottom
        box = Rect(axes.left, min(y, edge), axes.right - axes.left, abs(edge - y), fill=RED, opacity=0.07)
        scene.add(box, Line(((axes.left, y), (axes.right, y)), RED, 1.1, (6, 3)))
    wanted = [axes.y(level.value) + 4 for level in shown]
    for level, y in zip(shown, _apart(wanted, 13.0), strict=True):
        name = cut_to(level.name[language], _SIZE, scene.width - axes.right - 6)
        scene.add(Text(axes.right + 4, y, name, _SIZE, RED))


def _grid_y(scene: Scene, axes: _Axes, low: float, high: float) -> None:
    step = _nice((high - low) / 4)
    value = math.ceil(low / step) * step
    while value <= high + step * 1e-9:
        y = axes.y(value)
        scene.add(Line(((axes.left, y), (axes.right, y)), FAINT, 0.7))
        scene.add(Text(axes.left - 6, y + 4, f"{round(value, 9) + 0.0:g}", _SIZE, SOFT, "end"))
        value += step


def _grid_time(scene: Scene, axes: _Axes, start: datetime, end: datetime) -> None:
    hours = max((end - start).total_seconds() / 3600, 1e-6)
    room = max((axes.right - axes.left) / 48, 2)
    step = next((h for h in _HOURS if hours / h <= room), _HOURS[-1])
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight
    while moment <= end:
        if moment >= start:
            x = axes.x(_stamp(moment))
            label = f"{moment:%m-%d}" if step >= 24 or moment.hour == 0 else f"{moment:%H:%M}"
            scene.add(Line(((x, axes.bottom), (x, axes.bottom + 4)), SOFT, 0.8))
            scene.add(Text(x, scene.height - 8, label, _SIZE, SOFT, "middle"))
        moment += timedelta(hours=step)


def _pieces(trend: Trend, span: tuple[float, float], bins: int) -> Iterator[tuple[NDArray[np.float64], ...]]:
    """Stretches without a gap, each as (time, least, mean, most) of the columns that hold something."""
    inside = (trend.at >= span[0]) & (trend.at <= span[1])
    at, values = trend.at[inside], trend.values[inside]
    if len(at) == 0:
        return
    usual = float(np.median(np.diff(at))) if len(at) > 1 else 0.0
    column = (span[1] - span[0]) / bins
    breaks = np.flatnonzero(np.diff(at) > max(usual * _GAP, 2 * column)) + 1
    for piece_at, piece in zip(np.split(at, breaks), np.split(values, breaks), strict=True):
        where = np.floor((piece_at - span[0]) / column).astype(int)
        starts = np.concatenate(([0], np.flatnonzero(np.diff(where)) + 1))
        counts = np.diff(np.concatenate((starts, [len(piece)])))
        mean = np.add.reduceat(piece, starts) / counts
        middle = np.add.reduceat(piece_at, starts) / counts
        yield middle, np.minimum.reduceat(piece, starts), mean, np.maximum.reduceat(piece, starts)


def _apart(wanted: Sequence[float], height: float) -> list[float]:
    """Places near `wanted` that do not touch."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed, at = [0.0] * len(wanted), -math.inf
    for i in order:
        at = max(at + height, wanted[i])
        placed[i] = at
    return placed


def _staggered(places: Sequence[float], widths: Sequence[float], width: float) -> list[int]:
    """A row for each label, so that none runs into another one."""
    ends: list[float] = []
    rows = []
    for x, wide in zip(places, widths, strict=True):
        begin = x - wide if x + wide > width else x
        row = next((i for i, end in enumerate(ends) if end < begin - 4), len(ends))
        ends[row : row + 1] = [begin + wide]
        rows.append(row)
    return rows


def _nice(step: float) -> float:
    """The next round number up."""
    if step <= 0 or not math.isfinite(step):
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(float(n * power) for n in _STEPS if n * power >= step * 0.999)


def _stamp(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
