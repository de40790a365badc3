"""The values on one side of a limit, worded: how many, how long, since when, on which days."""

from __future__ import annotations

import numpy as np

from plugins.logs.interface import Points, Signal
from plugins.logs.series.asked import Figure, SeriesAsk
from plugins.logs.series.buckets import bucket_name
from plugins.logs.series.found import LISTED, Found
from plugins.logs.series.measures import crossings, fits, lasting, runs
from plugins.logs.series.wording import duration, moment, number, side_name

__all__ = ["answer_days", "answer_limit"]


def answer_days(found: Found, ask: SeriesAsk, signal: Signal, points: Points) -> None:
    if ask.limit is None:
        return
    zh, en = side_name(ask.limit)
    days = np.unique(points.wall[fits(points, ask.limit)] // 86_400).astype(np.int64).tolist()
    names = [bucket_name(day, "day") for day in days[: 4 * LISTED]]
    found.add(f"{signal.tag} {zh} 的有 {len(days)} 天", f"{signal.tag} {en} on {len(days)} days")
    if names:
        found.add(f"它们是:{'、'.join(names)}", f"they are: {', '.join(names)}")


def answer_limit(found: Found, figure: Figure, ask: SeriesAsk, signal: Signal, points: Points) -> None:
    if ask.limit is None:
        return  # the number of values stands in the first line
    mask, (zh, en) = fits(points, ask.limit), side_name(ask.limit)
    count = int(np.count_nonzero(mask))
    if figure in ("count", "share"):
        share = number(100 * count / len(mask), 6)
        found.add(
            f"{signal.tag} {zh} 的有 {count} 个值(共 {len(mask)} 个),占 {share} %",
            f"{signal.tag} {en}: {count} of {len(mask)} values, {share} %",
        )
    elif figure == "duration":
        held, longest = (
            lasting(points, mask),
            max(runs(mask), key=lambda r: points.at[r.last] - points.at[r.first], default=None),
        )
        zh_time, en_time = duration(held)
        found.add(
            f"{signal.tag} {zh} 共 {zh_time}({count} 个值)", f"{signal.tag} {en} for {en_time} in all ({count} values)"
        )
        if longest is not None:
            span = f"{moment(points.wall[longest.first])} – {moment(points.wall[longest.last])}"
            whole = duration(float(points.at[longest.last] - points.at[longest.first]))
            found.add(f"最长的一段:{span},{whole[0]}", f"the longest stretch: {span}, {whole[1]}")
    elif figure == "crossings":
        times = len(crossings(points, ask.limit))
        started = ("(开始时已是如此,不计)", " (not counting that it began so)") if mask[0] else ("", "")
        found.add(
            f"{signal.tag} 变为{zh}共 {times} 次{started[0]}", f"{signal.tag} went {en} {times} times{started[1]}"
        )
    else:
        _crossing(found, figure, ask, signal, points)


def _crossing(found: Found, figure: Figure, ask: SeriesAsk, signal: Signal, points: Points) -> None:
    """The first or the last value that holds (of the last stretch, where it began is said too)."""
    if ask.limit is None:
        return
    stretches, (zh, en) = runs(fits(points, ask.limit)), side_name(ask.limit)
    if not stretches:
        found.add(f"{signal.tag} 从未{zh}", f"{signal.tag} was never {en}")
    elif figure == "first crossing":
        found.point(points, stretches[0].first, signal, (f"首次{zh}:", f"first {en}:"))
        if stretches[0].first == 0:
            found.add(f"开始时已{zh}", f"it was {en} from the beginning")
            for run in stretches[1:2]:
                found.point(points, run.first, signal, (f"之后再次{zh}:", f"next {en}:"))
    else:
        found.point(points, stretches[-1].last, signal, (f"最后一次{zh}:", f"last {en}:"))
        if stretches[-1].first != stretches[-1].last:
            began = moment(points.wall[stretches[-1].first])
            found.add(f"最后一段{zh}从 {began} 开始", f"the last stretch {en} began at {began}")
