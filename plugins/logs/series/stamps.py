"""The time stamps of a series, worded: gaps, stamps that stand twice, order, step, span."""

from __future__ import annotations

from plugins.logs.interface import Points
from plugins.logs.series.asked import Figure, SeriesAsk
from plugins.logs.series.found import LISTED, Found
from plugins.logs.series.measures import duplicated, gaps, steps_back, usual_step
from plugins.logs.series.wording import duration, moment, number

__all__ = ["answer_stamps"]


def answer_stamps(found: Found, figure: Figure, ask: SeriesAsk, points: Points) -> None:
    if figure == "gaps":
        _gaps(found, ask, points)
    elif figure == "duplicates":
        stamps, extra = duplicated(points)
        found.add(
            f"重复的时间戳:{stamps} 个,多出 {extra} 个值",
            f"duplicated time stamps: {stamps}, with {extra} values too many",
        )
    elif figure == "order":
        back = steps_back(points)
        found.add(
            "存入时按时间顺序排列" if not back else f"存入时不按时间顺序:有 {back} 处时间倒退",
            "stored in order of time" if not back else f"not stored in order of time: {back} steps back",
        )
    elif figure == "interval":
        step = usual_step(points)
        if step is None:
            found.add("只有一个时间戳,没有间隔", "there is one time stamp only, so no interval")
            return
        (zh, en), seconds = duration(step), number(step, 6)
        minutes = (f"{number(step / 60, 6)} 分钟 = ", f"{number(step / 60, 6)} min = ") if step >= 3600 else ("", "")
        found.add(
            f"采样间隔:{zh}(最常见;= {minutes[0]}{seconds} 秒)",
            f"sampling interval: {en} (the most frequent; = {minutes[1]}{seconds} s)",
        )
    elif figure == "span":
        length = duration(float(points.at[-1] - points.at[0]))
        first, last = moment(points.wall[0]), moment(points.wall[-1])
        found.add(f"时间范围:{first} 至 {last},共 {length[0]}", f"time range: {first} to {last}, {length[1]}")


def _gaps(found: Found, ask: SeriesAsk, points: Points) -> None:
    holes, step = gaps(points, ask.longer_seconds), usual_step(points)
    if step is None:
        found.add("只有一个时间戳,没有间断", "there is one time stamp only, so no gap")
        return
    least = duration(ask.longer_seconds if ask.longer_seconds is not None else step * 1.5)
    found.add(
        f"长于 {least[0]} 的间断:{len(holes)} 处(通常间隔 {duration(step)[0]})",
        f"gaps longer than {least[1]}: {len(holes)} (the usual step is {duration(step)[1]})",
    )
    if ask.longer_seconds is None and holes:
        missing = sum(round(hole.seconds / step) - 1 for hole in holes)
        found.add(f"按通常间隔缺 {missing} 个值", f"by the usual step {missing} values are missing")
    for hole in holes[:LISTED]:
        span = f"{moment(points.wall[hole.before])} – {moment(points.wall[hole.before + 1])}"
        found.add(f"间断 {span},{duration(hole.seconds)[0]}", f"gap {span}, {duration(hole.seconds)[1]}")
    if len(holes) > LISTED:
        found.add(f"只列出最长的 {LISTED} 处", f"the longest {LISTED} are listed")
