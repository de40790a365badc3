"""Readings over days: figures of the period, where they are going, what changed, and when they stood out.

What is usual is learnt from everything that was read, the history before the period included; told is what falls into
the period. A record that is too short for a figure has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from agent.api import Level, Trend, say
from agent.settings import MaintenanceSettings
from plugins.maintenance.detection import find_episodes, grid_of
from plugins.maintenance.machines import SignalSheet
from plugins.maintenance.quality import LEAST_VALUES, clean
from plugins.maintenance.trend import change_against, theil_sen
from plugins.maintenance.values import Array, Episode, Features, Figure, Finding, Signal
from plugins.maintenance.wording import at, joined, number, with_unit

__all__ = ["SeriesLook", "look_at_series"]

_NAMES = {
    "count": say("读数个数", "readings"),
    "last": say("最后值", "last"),
    "mean": say("均值", "mean"),
    "median": say("中位数", "median"),
    "low": say("最小值", "lowest"),
    "high": say("最大值", "highest"),
    "slope": say("每天变化(Theil–Sen)", "change a day (Theil–Sen)"),
}
_MOVED = 3.0
"""Robust deviations that a median has to move by to be called changed."""
_CHART_POINTS = 20_000
_KINDS = {
    "high": say("高于平常", "higher than usual"),
    "low": say("低于平常", "lower than usual"),
    "rough": say("比平常跳动大", "more restless than usual"),
    "calm": say("比平常平静", "quieter than usual"),
}


@dataclass(slots=True)
class SeriesLook:
    """What one series says."""

    features: Features
    findings: list[Finding] = field(default_factory=list)
    episodes: tuple[Episode, ...] = ()
    trend: Trend | None = None


def look_at_series(
    signal: Signal, sid: str, sheet: SignalSheet | None, period: tuple[float, float], settings: MaintenanceSettings
) -> SeriesLook:
    """Everything about one series.

    :param sid: S1 …
    :param period: seconds, what is told; readings before it show what is usual.
    """
    ordered, flaws = clean(signal, sid)
    findings = [f for f in flaws if f.start is None or (f.start <= period[1] and (f.end or f.start) >= period[0])]
    look = SeriesLook(Features(sid), findings)
    inside = (ordered.times >= period[0]) & (ordered.times <= period[1])
    values, times = ordered.values[inside], ordered.times[inside]
    if not len(values):
        if len(ordered.values):
            line = say("这段时间没有读数", "no reading in this period")
            findings.append(Finding("quality.silent", 1, joined(signal.name, line), {"count": 0}, (sid,)))
        return look
    figures = _figures(values, signal.unit)
    look.trend = _trend(signal, sid, sheet, times, values)
    if len(values) >= LEAST_VALUES and values.min() != values.max():
        slope = theil_sen(times, values)
        if slope is not None and slope.certain and np.isfinite(slope.per_day) and signal.dated:
            figures.append(Figure("slope", slope.per_day, f"{signal.unit}/d", _NAMES["slope"]))
            findings += _direction(ordered, sid, times, values)
        findings += _changed(ordered, sid, ordered.values[ordered.times < period[0]], values)
    grid = grid_of(ordered.times, ordered.values, settings.grid_cells)
    if grid is not None and ordered.values.min() != ordered.values.max():
        found = [e for e in find_episodes(grid, settings) if e.end >= period[0] and e.start <= period[1]]
        look.episodes = tuple(found)
        findings += [_episode(ordered, sid, episode) for episode in found]
    if sheet is not None:
        findings += _limits(ordered, sid, sheet, times, values)
    look.features = Features(sid, tuple(figures))
    return look


def _figures(values: Array, unit: str) -> list[Figure]:
    counted = [Figure("count", float(len(values)), "", _NAMES["count"])]
    measured = {
        "last": values[-1],
        "mean": values.mean(),
        "median": np.median(values),
        "low": values.min(),
        "high": values.max(),
    }
    return counted + [Figure(k, float(v), unit, _NAMES[k]) for k, v in measured.items() if np.isfinite(v)]


def _direction(
    signal: Signal,
    sid: str,
    times: Array,
    values: Array,
) -> Iterator[Finding]:
    slope = theil_sen(times, values)
    if slope is None:
        return
    rest = values - slope.per_day / 86_400 * (times - times[0])
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    if abs(slope.change) <= spread:
        return
    up = slope.per_day > 0
    unit = f"{signal.unit}/d".lstrip("/") if signal.unit else "/d"
    interval = f"{number(slope.low)} … {number(slope.high)}"
    line = say(
        f"持续{'上升' if up else '下降'},每天 {number(slope.per_day)} {unit}(99% 区间 {interval}),"
        f"{number(slope.days)} 天共 {number(slope.change)}",
        f"{'rising' if up else 'falling'} by {number(slope.per_day)} {unit} (99% interval {interval}), "
        f"{number(slope.change)} in {number(slope.days)} days",
    )
    figures = {"per_day": slope.per_day, "low": slope.low, "high": slope.high, "change": slope.change}
    yield Finding(f"trend.{'rising' if up else 'falling'}", 1, joined(signal.name, line), figures, (sid,))


def _changed(
    signal: Signal,
    sid: str,
    before: Array,
    now: Array,
) -> Iterator[Finding]:
    change = change_against(before, now)
    if change is None or abs(change.deviations) < _MOVED:
        return
    line = say(
        f"中位数从 {with_unit(change.before, signal.unit)} 变为 {with_unit(change.now, signal.unit)}"
        f"(平常偏差的 {number(abs(change.deviations))} 倍)",
        f"median moved from {with_unit(change.before, signal.unit)} to {with_unit(change.now, signal.unit)} "
        f"({number(abs(change.deviations))} times the usual deviation)",
    )
    figures = {"before": change.before, "now": change.now, "deviations": change.deviations}
    key = f"change.{'up' if change.deviations > 0 else 'down'}"
    yield Finding(key, 1, joined(signal.name, line), figures, (sid,))


def _episode(signal: Signal, sid: str, episode: Episode) -> Finding:
    start, end = at(episode.start, dated=signal.dated), at(episode.end, dated=signal.dated)
    what, extreme, usual = _KINDS[episode.kind], episode.extreme, episode.usual
    shown, otherwise = with_unit(extreme, signal.unit), with_unit(usual, signal.unit)
    until = say("仍在持续", "still so at the end") if episode.open else say(f"至 {end}", f"until {end}")
    if episode.kind in ("rough", "calm"):
        figures_zh, figures_en = f"相邻读数差 {shown},平常 {otherwise}", f"step {shown}, usually {otherwise}"
    else:
        side = ("最高", "highest") if episode.kind == "high" else ("最低", "lowest")
        figures_zh, figures_en = f"{side[0]} {shown},中位数 {otherwise}", f"{side[1]} {shown}, median {otherwise}"
    line = say(
        f"{start} 起{what['zh']},{until['zh']}:{figures_zh}", f"from {start} {what['en']}, {until['en']}: {figures_en}"
    )
    figures = {"extreme": extreme, "usual": usual, "strength": episode.strength}
    return Finding(
        f"anomaly.{episode.kind}", 2 if episode.open else 1, joined(signal.name, line), figures, (sid,),
        start=episode.start, end=episode.end,
    )  # fmt: skip


def _limits(
    signal: Signal,
    sid: str,
    sheet: SignalSheet,
    times: Array,
    values: Array,
) -> Iterator[Finding]:
    for side, limit in (("high", sheet.high), ("low", sheet.low)):
        if limit is None:
            continue
        beyond = values > limit if side == "high" else values < limit
        count, shown = int(beyond.sum()), with_unit(limit, signal.unit)
        name = say("上限", "high limit") if side == "high" else say("下限", "low limit")
        if count:
            first = at(float(times[int(beyond.argmax())]), dated=signal.dated)
            line = say(
                f"{count} 个读数越过{name['zh']} {shown},首次 {first}",
                f"{count} readings beyond the {name['en']} {shown}, first {first}",
            )
        else:
            line = say(f"未越过{name['zh']} {shown}", f"kept its {name['en']} {shown}")
        severity = (2 if bool(beyond[-1]) else 1) if count else 0
        figures = {"count": count, "limit": limit}
        yield Finding(
            f"limit.{side}", severity, joined(signal.name, line), figures, (sid,), sheet.limit_source, bool(count)
        )


def _trend(
    signal: Signal,
    sid: str,
    sheet: SignalSheet | None,
    times: Array,
    values: Array,
) -> Trend | None:
    """For a chart; None where nobody knows when it was."""
    if not signal.dated:
        return None
    levels = []
    if sheet is not None:
        named = (("high", sheet.high, say("上限", "high limit")), ("low", sheet.low, say("下限", "low limit")))
        levels = [Level(v, name, side, sheet.limit_source) for side, v, name in named if v is not None]
    kept = slice(-_CHART_POINTS, None)
    quantity = sheet.quantity if sheet else ""
    return Trend(sid, signal.name, signal.unit, times[kept], values[kept], tuple(levels), quantity)
