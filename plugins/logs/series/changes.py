"""How a series moves, worded: the largest rise or fall from one value to the next, its mean rate, its net change."""

from __future__ import annotations

import numpy as np

from plugins.logs.interface import Points, Signal
from plugins.logs.series.asked import Figure, SeriesAsk
from plugins.logs.series.found import COMPUTED, Found
from plugins.logs.series.measures import usual_step
from plugins.logs.series.wording import duration, moment, number

__all__ = ["answer_change"]

_GAP_FACTOR = 1.5
_UNITS = {1.0: ("秒", "s"), 60.0: ("分钟", "min"), 3600.0: ("小时", "h"), 86_400.0: ("天", "day")}


def answer_change(found: Found, figure: Figure, ask: SeriesAsk, signal: Signal, points: Points) -> None:
    """One of `rise`, `fall`, `slope` and `change`."""
    if len(points.values) < 2 or points.at[0] == points.at[-1]:
        found.add("只有一个时刻的值,没有变化可算", "there are values of one instant only, so no change")
    elif figure in ("rise", "fall"):
        _largest(found, figure, signal, points)
    elif figure == "slope":
        _rate(found, ask, signal, points)
    else:
        _net(found, signal, points)


def _largest(found: Found, figure: Figure, signal: Signal, points: Points) -> None:
    """From one value to the next; where a gap lies between them, that is said, and the largest without one too."""
    steps = np.diff(points.values) * (1 if figure == "rise" else -1)
    zh, en = ("上升", "rise") if figure == "rise" else ("下降", "fall")
    if steps.max() <= 0:
        found.add(f"{signal.tag} 从未{zh}", f"{signal.tag} never showed a {en} from one value to the next")
        return
    lengths, step = np.diff(points.at), usual_step(points) or 0.0
    whole = lengths <= step * _GAP_FACTOR
    best = int(steps.argmax())
    places = [best]
    if not whole[best] and whole.any() and steps[whole].max() > 0:
        places.append(int(np.where(whole, steps, -np.inf).argmax()))
    unit = f" {signal.unit}" if signal.unit else ""
    for at in places:
        span = f"{moment(points.wall[at])} – {moment(points.wall[at + 1])}"
        size, ends = number(steps[at], COMPUTED), f"{number(points.values[at])} → {number(points.values[at + 1])}"
        gap = ("", "") if whole[at] else ("(其间有间断)", " (with a gap between them)")
        took = duration(float(lengths[at]))
        told = f"{size}{unit} ({ends}), {span}, in {took[1]}{gap[1]}"
        found.add(
            f"{signal.tag} 相邻读数最大{zh}:{size}{unit}({ends}),{span},{took[0]}内{gap[0]}",
            f"{signal.tag} largest {en} from one value to the next: {told}",
        )


def _rate(found: Found, ask: SeriesAsk, signal: Signal, points: Points) -> None:
    units = (points.at - points.at[0]) / ask.per_seconds
    fitted = float(np.polynomial.Polynomial.fit(units, points.values, 1).convert().coef[-1])
    simple = float((points.values[-1] - points.values[0]) / units[-1])
    zh, en = _UNITS[ask.per_seconds]
    shown, net = number(fitted, COMPUTED), number(simple, COMPUTED)
    unit = signal.unit and f" {signal.unit}"
    found.add(
        f"{signal.tag} 变化率:每{zh} {shown}{unit}(最小二乘),首末两值之间每{zh} {net}{unit}",
        f"{signal.tag} rate of change: {shown}{unit} per {en} (least squares), {net}{unit} per {en} from first to last",
    )


def _net(found: Found, signal: Signal, points: Points) -> None:
    change = number(points.values[-1] - points.values[0], COMPUTED)
    unit = f" {signal.unit}" if signal.unit else ""
    found.point(points, 0, signal, ("第一个值", "first value"))
    found.point(points, -1, signal, ("最后一个值", "last value"))
    found.add(
        f"{signal.tag} 从第一个值到最后一个值变化 {change}{unit}",
        f"{signal.tag} changed by {change}{unit} from the first value to the last",
    )
