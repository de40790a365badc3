"""Figures by the hour, day, week or month of the plant's clock, worded."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from plugins.logs.interface import Points, Signal
from plugins.logs.series.asked import SeriesAsk
from plugins.logs.series.found import COMPUTED, LISTED, Found
from plugins.logs.series.measures import aggregate, chosen, fits
from plugins.logs.series.wording import FIGURES, number

__all__ = ["answer_by_bucket", "bucket_name"]

_BUCKETS = {"hour": 3600, "day": 86_400, "week": 7 * 86_400}
_NAMES = {
    "hour": ("小时", "hour"), "day": ("天", "day"), "week": ("周", "week"), "month": ("月", "month"),
    "hour of day": ("钟点", "hour of the day"), "weekday": ("星期几", "weekday"),
}  # fmt: skip
_WEEKDAYS = (
    "星期一 (Monday)", "星期二 (Tuesday)", "星期三 (Wednesday)", "星期四 (Thursday)", "星期五 (Friday)",
    "星期六 (Saturday)", "星期日 (Sunday)",
)  # fmt: skip
_MONDAY = 4 * 86_400
"""1970-01-05 was a Monday."""


def answer_by_bucket(found: Found, ask: SeriesAsk, signal: Signal, points: Points) -> None:
    """The bucket of time with the most or the least, or all of them."""
    figures = [f for f in ask.figures if f in ("mean", "median", "deviation", "sum", "range", "count")]
    extreme = next((f for f in ask.figures if f in ("maximum", "minimum")), None)
    figure = figures[0] if figures else extreme or "mean"
    points = chosen(points, fits(points, ask.limit)) if ask.limit else points
    if not len(points.values):
        found.add("没有这样的值", "there are no such values")
        return
    by_key = aggregate(points, _keys(points, ask.by), figure)
    name = FIGURES[figure]
    if extreme is None and ask.limit is None and ask.amount and figure == "mean":
        _mean_amount(found, ask, signal, points)
        return
    if extreme is not None or ask.limit is not None:
        best = (min if extreme == "minimum" else max)(by_key, key=lambda key: by_key[key])
        most = FIGURES[extreme] if extreme and figures else ("最多", "most") if ask.limit else ("", "")
        shown, label = number(by_key[best], COMPUTED), bucket_name(best, ask.by)
        found.add(
            f"{signal.tag} {name[0]}{most[0]}的是 {label}:{shown}",
            f"{signal.tag} {most[1]} {name[1]}: {label}, {shown}".replace("  ", " "),
        )
        return
    for key in sorted(by_key)[: 4 * LISTED]:
        label, shown = bucket_name(key, ask.by), number(by_key[key], COMPUTED)
        found.add(f"{label} {name[0]} {shown}", f"{label} {name[1]} {shown}")
    if len(by_key) > 4 * LISTED:
        found.add(f"只列出前 {4 * LISTED} 个", f"the first {4 * LISTED} are listed")


def _mean_amount(found: Found, ask: SeriesAsk, signal: Signal, points: Points) -> None:
    """What is used or made in a bucket is the sum of its values; told is the mean of those sums."""
    sums = list(aggregate(points, _keys(points, ask.by), "sum").values())
    mean, unit = number(sum(sums) / len(sums), COMPUTED), f" {signal.unit}" if signal.unit else ""
    zh, en = _NAMES[ask.by]
    found.add(
        f"{signal.tag} 平均每{zh}合计 {mean}{unit}({len(sums)} 个{zh}的总和的平均)",
        f"{signal.tag} mean amount per {en}: {mean}{unit} (mean of {len(sums)} sums)",
    )


def _keys(points: Points, by: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    wall = points.wall
    if by == "hour of day":
        return np.asarray(wall // 3600 % 24, dtype=np.int64)
    if by == "weekday":
        return np.asarray((wall // 86_400 + 3) % 7, dtype=np.int64)  # 1970 began on a Thursday
    if by == "month":
        months = wall.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
        return np.asarray(months, dtype=np.int64)
    shift = _MONDAY if by == "week" else 0
    return np.asarray((wall - shift) // _BUCKETS[by], dtype=np.int64)


def bucket_name(key: int, by: str) -> str:
    if by == "hour of day":
        return f"{key:02}:00–{(key + 1) % 24:02}:00"
    if by == "weekday":
        return _WEEKDAYS[key]
    if by == "month":
        return f"{1970 + key // 12}-{key % 12 + 1:02}"
    shift = _MONDAY if by == "week" else 0
    start = datetime.fromtimestamp(key * _BUCKETS[by] + shift, UTC)
    return f"{start:%Y-%m-%d %H:00}" if by == "hour" else f"{start:%Y-%m-%d}"
