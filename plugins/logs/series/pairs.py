"""Two series held against each other, worded: how far apart, which is higher, how often one is beyond.

Only stamps that both have are compared; how many those are is said.
"""

from __future__ import annotations

import numpy as np

from plugins.logs.interface import Points, Signal
from plugins.logs.series.asked import SeriesAsk
from plugins.logs.series.found import COMPUTED, Found
from plugins.logs.series.measures import one_figure
from plugins.logs.series.wording import FIGURES, moment, number

__all__ = ["answer_pair"]

_LEAST_FOR_CORRELATION = 3


def answer_pair(found: Found, ask: SeriesAsk, signals: tuple[Signal, Signal], both: tuple[Points, Points]) -> None:
    """What the relation of the question is; each has at least one value."""
    if ask.relation == "which":
        _higher(found, ask, signals, both)
        return
    at, first, second = _common(*both)
    names = (signals[0].tag, signals[1].tag)
    if not len(at):
        found.add(
            "两个信号没有相同的时间戳,无法比较",
            "the two series have no time stamp in common, so they cannot be compared",
        )
        return
    a, b = both[0].values[first], both[1].values[second]
    found.add(
        f"{names[0]} 与 {names[1]}:共同的时间戳 {len(at)} 个",
        f"{names[0]} and {names[1]}: {len(at)} time stamps in common",
    )
    if ask.relation == "correlation":
        _correlation(found, names, a, b)
    elif ask.relation == "apart":
        _apart(found, names, a - b)
    else:
        _beyond(found, ask, names, a - b, both[0].wall[first])


def _common(one: Points, other: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stamps that both have, and the places of their first values."""
    at, first, second = np.intersect1d(one.at, other.at, return_indices=True)
    return at, first, second


def _correlation(found: Found, names: tuple[str, str], a: np.ndarray, b: np.ndarray) -> None:
    if len(a) < _LEAST_FOR_CORRELATION or a.min() == a.max() or b.min() == b.max():
        found.add("值太少或不变,没有相关系数", "too few values, or they never change: there is no correlation")
        return
    r = number(float(np.corrcoef(a, b)[0, 1]), COMPUTED)
    found.add(f"相关系数(Pearson):{r}", f"correlation (Pearson): {r}")


def _apart(found: Found, names: tuple[str, str], apart: np.ndarray) -> None:
    mean, low, high = (number(float(x), COMPUTED) for x in (apart.mean(), apart.min(), apart.max()))
    found.add(
        f"{names[0]} 减 {names[1]}:平均 {mean},最小 {low},最大 {high}",
        f"{names[0]} minus {names[1]}: mean {mean}, lowest {low}, highest {high}",
    )


def _beyond(found: Found, ask: SeriesAsk, names: tuple[str, str], apart: np.ndarray, wall: np.ndarray) -> None:
    mask = apart > 0 if ask.relation == "above" else apart < 0
    zh, en = ("高于", "above") if ask.relation == "above" else ("低于", "below")
    count = int(np.count_nonzero(mask))
    share = number(100 * count / len(mask), 6)
    if not count:
        found.add(f"{names[0]} 从未{zh} {names[1]}", f"{names[0]} was never {en} {names[1]}")
        return
    places = np.flatnonzero(mask)
    first, last = moment(wall[places[0]]), moment(wall[places[-1]])
    found.add(
        f"{names[0]} {zh} {names[1]} 的有 {count} 个时间戳(共 {len(mask)} 个),占 {share} %;首次 {first},最后 {last}",
        f"{names[0]} {en} {names[1]} at {count} of {len(mask)} time stamps, {share} %; first {first}, last {last}",
    )


def _higher(found: Found, ask: SeriesAsk, signals: tuple[Signal, Signal], both: tuple[Points, Points]) -> None:
    """Which has the higher figure; the figures stand above, each with its series."""
    figure = next((f for f in ("mean", "median", "deviation", "sum") if f in ask.figures), ask.figures[0])
    first, second = (one_figure(points.values, figure) for points in both)
    zh, en = FIGURES[figure]
    if first == second:
        found.add(f"两者的{zh}相同", f"both have the same {en}")
        return
    high, low = signals if first > second else signals[::-1]
    apart = number(abs(first - second), COMPUTED)
    found.add(
        f"{zh}较高的是 {high.tag},高出 {apart}({low.tag} 较低)", f"higher {en}: {high.tag}, by {apart} over {low.tag}"
    )
