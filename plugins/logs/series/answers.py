"""A question about a series, answered: what was computed, over which span, and the values that it rests on.

Every figure is computed here from the stored values; single values are records with the id of their row (`V17`). The
first line for each series says what was looked at: its name, the instants, how many values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from agent.api import Period, Record, Said, ToolFailed, ToolResult, say
from agent.values import Scalar
from plugins.logs.interface import EventLog, Points, Signal
from plugins.logs.lexicon import heading_words, words_in
from plugins.logs.series.asked import Figure, SeriesAsk
from plugins.logs.series.measures import (
    aggregate,
    chosen,
    crossings,
    duplicated,
    fits,
    gaps,
    lasting,
    one_figure,
    runs,
    steps_back,
    usual_step,
    within_runs,
)
from plugins.logs.series.signals import is_label
from plugins.logs.series.wording import FIGURES, duration, moment, number, side_name

__all__ = ["answer"]

_LISTED = 10
_COMPUTED = 8
"""Digits of a computed figure."""
_BUCKETS = {"hour": 3600, "day": 86_400, "week": 7 * 86_400}
_MONDAY = 4 * 86_400
"""1970-01-05 was a Monday."""


@dataclass(slots=True)
class _Found:
    """Lines and records as they come together."""

    notes: list[Said]
    records: dict[str, Record]

    def add(self, zh: str, en: str) -> None:
        self.notes.append(say(zh, en))

    def point(self, points: Points, at: int, signal: Signal, name: tuple[str, str] = ("", "")) -> None:
        """A stored value as a record; the same one once."""
        shown, unit = number(points.values[at]), f" {signal.unit}" if signal.unit else ""
        time, row = moment(points.wall[at]), f"V{int(points.rows[at])}"
        zh = f"{signal.tag} {name[0]} {shown}{unit},时间 {time}".replace("  ", " ")
        en = f"{signal.tag} {name[1]} {shown}{unit} at {time}".replace("  ", " ")
        if row in self.records and self.records[row].line["zh"] != zh:
            row = f"{row}.{len(self.records)}"
        fields: dict[str, Scalar] = {
            "time": time,
            "series": signal.tag,
            "value": float(points.values[at]),
            "unit": signal.unit,
        }
        self.records[row] = Record(row, "value", say(zh, en), fields)


def answer(
    ask: SeriesAsk,
    signals: Sequence[Signal],
    every: Sequence[Signal],
    periods: Sequence[Period],
    log: EventLog,
    now: datetime,
) -> ToolResult:
    """Compute what is asked.

    :param every: all series of the log, for the one that marks windows.
    :param periods: spans of time that were named; none is the whole series, two are compared.
    :raises ToolFailed: it cannot be answered from the log, in words for the person.
    """
    found = _Found([], {})
    if "signals" in ask.figures:
        names = [signal.tag for signal in every]
        found.add(f"信号 {len(names)} 个:{'、'.join(names)}", f"{len(names)} signals: {', '.join(names)}")
        return ToolResult(notes=tuple(found.notes))
    label = _label(ask, every)
    if (ask.by_window or "windows" in ask.figures) and label is None:
        raise ToolFailed("the log has no column that marks windows (such as `anomaly` or `label`)")
    if "windows" in ask.figures and label is not None:
        _windows(found, log.points(label.tag, periods[0] if periods else None, now=now), label)
        return ToolResult(tuple(found.records.values()), notes=tuple(found.notes))
    for signal in signals:
        for period in periods or (None,):
            points = log.points(signal.tag, period, now=now)
            _about(found, ask, signal, points, period, log, label, now)
        if len(periods) == 2 and not ask.by_window:
            _difference(found, ask, signal, [log.points(signal.tag, period, now=now) for period in periods], periods)
    return ToolResult(tuple(found.records.values()), notes=tuple(found.notes))


def _label(ask: SeriesAsk, every: Sequence[Signal]) -> Signal | None:
    """The column that marks windows: the one that is named, else one that marks more than points of change."""
    labels = [signal for signal in every if is_label(signal)]
    said = {word.name for word in words_in(ask.names_text)}
    labels.sort(key=lambda s: (not said & set(heading_words(s.tag)), "changepoint" in heading_words(s.tag)))
    return labels[0] if labels else None


def _about(
    found: _Found,
    ask: SeriesAsk,
    signal: Signal,
    points: Points,
    period: Period | None,
    log: EventLog,
    label: Signal | None,
    now: datetime,
) -> None:
    points = _part_of(found, ask, points)
    _stated(found, signal, points, period)
    if points.total > len(points.values):
        raise ToolFailed(
            f"{signal.tag} has {points.total:,} values there, more than [logs] max_points; name a shorter span of time"
        )
    if not len(points.values):
        return
    if ask.by_window and label is not None:
        _sides(found, ask, signal, points, log.points(label.tag, period, now=now), label)
        return
    if ask.by:
        _by_bucket(found, ask, signal, points)
        return
    for figure in ask.figures:
        _figure(found, figure, ask, signal, points, period)


def _part_of(found: _Found, ask: SeriesAsk, points: Points) -> Points:
    """Only the values at the beginning or the end, where that was asked."""
    if not (ask.head or ask.tail):
        return points
    mask = np.zeros(len(points.values), dtype=np.bool_)
    mask[: ask.head] = True
    if ask.tail:
        mask[-ask.tail :] = True
    zh, en = (f"前 {ask.head}", f"first {ask.head}") if ask.head else (f"最后 {ask.tail}", f"last {ask.tail}")
    found.add(f"只看{zh} 个值", f"only the {en} values")
    return chosen(points, mask)


def _stated(found: _Found, signal: Signal, points: Points, period: Period | None) -> None:
    """Over which span, and how many values."""
    if period is None:
        span = f"{moment(points.wall[0])} – {moment(points.wall[-1])}" if len(points.wall) else ""
        found.add(
            f"{signal.tag},全部数据({span}):{len(points.values)} 个值",
            f"{signal.tag}, all data ({span}): {len(points.values)} values",
        )
        return
    found.add(
        f"{signal.tag},{period.phrase}({period.stated()}):{len(points.values)} 个值",
        f"{signal.tag}, {period.phrase} ({period.stated()}): {len(points.values)} values",
    )
    if period.note:
        found.notes.append(period.note)
    if not len(points.values):
        span = f"{moment(signal.first)} – {moment(signal.last)}"
        first, last = (datetime.fromtimestamp(x, period.start.tzinfo) for x in (signal.first, signal.last))
        span = f"{first:%Y-%m-%d %H:%M:%S} – {last:%Y-%m-%d %H:%M:%S}"
        found.add(f"这段时间没有数据;数据范围是 {span}", f"there is no data then; the series runs {span}")


def _figure(
    found: _Found, figure: Figure, ask: SeriesAsk, signal: Signal, points: Points, period: Period | None
) -> None:
    unit = f" {signal.unit}" if signal.unit else ""
    match figure:
        case "maximum" | "minimum":
            at = int(points.values.argmax() if figure == "maximum" else points.values.argmin())
            found.point(points, at, signal, FIGURES[figure])
            times = int(np.count_nonzero(points.values == points.values[at]))
            if times > 1:
                found.add(
                    f"这个值出现 {times} 次,给出最早的一次", f"this value occurs {times} times; the first is given"
                )
        case "range":
            low, high = points.values.min(), points.values.max()
            found.add(
                f"{signal.tag} 范围:{number(low)} 至 {number(high)}{unit},相差 {number(high - low, _COMPUTED)}",
                f"{signal.tag} range: {number(low)} to {number(high)}{unit}, a difference of {number(high - low, _COMPUTED)}",
            )
        case "mean" | "median" | "deviation" | "sum":
            value, (zh, en) = number(one_figure(points.values, figure), _COMPUTED), FIGURES[figure]
            found.add(f"{signal.tag} {zh}:{value}{unit}", f"{signal.tag} {en}: {value}{unit}")
        case "first" | "last":
            found.point(points, 0 if figure == "first" else -1, signal, FIGURES[figure])
        case "percentile":
            value = number(float(np.percentile(points.values, ask.percent)), _COMPUTED)
            found.add(
                f"{signal.tag} 第 {ask.percent:g} 百分位数:{value}{unit}",
                f"{signal.tag} percentile {ask.percent:g}: {value}{unit}",
            )
        case "days":
            _days(found, ask, signal, points)
        case "value":
            _value_at(found, signal, points, period)
        case "count" | "share" | "duration" | "first crossing" | "last crossing" | "crossings":
            _threshold(found, figure, ask, signal, points)
        case _:
            _quality(found, figure, ask, signal, points)


def _days(found: _Found, ask: SeriesAsk, signal: Signal, points: Points) -> None:
    if ask.limit is None:
        return
    zh, en = side_name(ask.limit)
    days = np.unique(points.wall[fits(points, ask.limit)] // 86_400).astype(np.int64).tolist()
    names = [_key_name(day, "day") for day in days[: 4 * _LISTED]]
    found.add(f"{signal.tag} {zh} 的有 {len(days)} 天", f"{signal.tag} {en} on {len(days)} days")
    if names:
        found.add(f"它们是:{'、'.join(names)}", f"they are: {', '.join(names)}")


def _threshold(found: _Found, figure: Figure, ask: SeriesAsk, signal: Signal, points: Points) -> None:
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
            found.add(f"最长的一段:{span}", f"the longest stretch: {span}")
    elif figure == "crossings":
        times = len(crossings(points, ask.limit))
        started = ("(开始时已是如此,不计)", " (not counting that it began so)") if mask[0] else ("", "")
        found.add(
            f"{signal.tag} 变为{zh}共 {times} 次{started[0]}", f"{signal.tag} went {en} {times} times{started[1]}"
        )
    else:
        _crossing(found, figure, ask, signal, points)


def _crossing(found: _Found, figure: Figure, ask: SeriesAsk, signal: Signal, points: Points) -> None:
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


def _quality(found: _Found, figure: Figure, ask: SeriesAsk, signal: Signal, points: Points) -> None:
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


def _gaps(found: _Found, ask: SeriesAsk, points: Points) -> None:
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
    for hole in holes[:_LISTED]:
        span = f"{moment(points.wall[hole.before])} – {moment(points.wall[hole.before + 1])}"
        found.add(f"间断 {span},{duration(hole.seconds)[0]}", f"gap {span}, {duration(hole.seconds)[1]}")
    if len(holes) > _LISTED:
        found.add(f"只列出最长的 {_LISTED} 处", f"the longest {_LISTED} are listed")


def _value_at(found: _Found, signal: Signal, points: Points, period: Period | None) -> None:
    """The values of a moment; of a longer span its ends, mean and extremes."""
    if len(points.values) <= _LISTED:
        for at in range(len(points.values)):
            found.point(points, at, signal)
        return
    for figure in ("mean", "minimum", "maximum"):
        _figure(found, figure, SeriesAsk((figure,)), signal, points, period)


def _sides(found: _Found, ask: SeriesAsk, signal: Signal, points: Points, label: Points, named: Signal) -> None:
    """Inside and outside the windows that a column marks."""
    mask, spans = within_runs(points, label)
    shown = "、".join(f"{moment(a)} – {moment(b)}" for a, b in spans[:_LISTED])
    english = ", ".join(f"{moment(a)} – {moment(b)}" for a, b in spans[:_LISTED])
    found.add(f"{named.tag} 标注的时段:{shown or '没有'}", f"windows marked by {named.tag}: {english or 'none'}")
    marked_at = points.at[mask]
    early = points.at < (marked_at[0] if len(marked_at) else np.inf)
    late = points.at > (marked_at[-1] if len(marked_at) else np.inf)
    sides = [
        *[(mask, ("内", "inside"))] * ask.inside,
        *[(~mask, ("外", "outside"))] * ask.outside,
        *[(early, ("之前", "before"))] * ask.before,
        *[(late, ("之后", "after"))] * ask.after,
    ]
    for marked, (zh, en) in sides:
        part = chosen(points, marked)
        found.add(f"标注时段{zh}:{len(part.values)} 个值", f"{en} the windows: {len(part.values)} values")
        if not len(part.values):
            continue
        for figure in ask.figures:
            before = len(found.notes)
            _figure(found, figure, ask, signal, part, None)
            found.notes[before:] = [
                say(f"标注时段{zh} {note['zh']}", f"{en} the windows: {note['en']}") for note in found.notes[before:]
            ]


def _windows(found: _Found, label: Points, signal: Signal) -> None:
    values = set(np.unique(label.values).tolist())
    if not values <= {0.0, 1.0}:
        raise ToolFailed(f"the column {signal.tag} holds more than 0 and 1, so it marks no windows")
    stretches = runs(label.values > 0)
    marked, every = int(np.count_nonzero(label.values > 0)), len(label.values)
    share = number(100 * marked / every, 6) if every else "0"
    found.add(
        f"{signal.tag} 标注的时段:{len(stretches)} 段,{marked} 个值(共 {every} 个),占 {share} %",
        f"windows marked by {signal.tag}: {len(stretches)}, {marked} of {every} values, {share} %",
    )
    for at, run in enumerate(stretches[:_LISTED], 1):
        first, last = moment(label.wall[run.first]), moment(label.wall[run.last])
        row, many = f"V{int(label.rows[run.first])}", run.last - run.first + 1
        held = duration(float(label.at[run.last] - label.at[run.first]))
        line = say(
            f"第 {at} 段:{first} – {last}({many} 个值,历时 {held[0]})",
            f"window {at}: {first} – {last} ({many} values, {held[1]})",
        )
        found.records[row] = Record(row, "window", line, {"start": first, "end": last, "values": many})
    if len(stretches) > _LISTED:
        found.add(f"只列出前 {_LISTED} 段", f"the first {_LISTED} are listed")


def _by_bucket(found: _Found, ask: SeriesAsk, signal: Signal, points: Points) -> None:
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
    if extreme is not None or ask.limit is not None:
        best = (min if extreme == "minimum" else max)(by_key, key=lambda key: by_key[key])
        most = FIGURES[extreme] if extreme and figures else ("最多", "most") if ask.limit else ("", "")
        shown, label = number(by_key[best], _COMPUTED), _key_name(best, ask.by)
        found.add(
            f"{signal.tag} {name[0]}{most[0]}的是 {label}:{shown}",
            f"{signal.tag} {most[1]} {name[1]}: {label}, {shown}".replace("  ", " "),
        )
        return
    for key in sorted(by_key)[: 4 * _LISTED]:
        label, shown = _key_name(key, ask.by), number(by_key[key], _COMPUTED)
        found.add(f"{label} {name[0]} {shown}", f"{label} {name[1]} {shown}")
    if len(by_key) > 4 * _LISTED:
        found.add(f"只列出前 {4 * _LISTED} 个", f"the first {4 * _LISTED} are listed")


def _keys(points: Points, by: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    wall = points.wall
    if by == "hour of day":
        return np.asarray(wall // 3600 % 24, dtype=np.int64)
    if by == "month":
        months = wall.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
        return np.asarray(months, dtype=np.int64)
    shift = _MONDAY if by == "week" else 0
    return np.asarray((wall - shift) // _BUCKETS[by], dtype=np.int64)


def _key_name(key: int, by: str) -> str:
    if by == "hour of day":
        return f"{key:02}:00–{(key + 1) % 24:02}:00"
    if by == "month":
        return f"{1970 + key // 12}-{key % 12 + 1:02}"
    shift = _MONDAY if by == "week" else 0
    start = datetime.fromtimestamp(key * _BUCKETS[by] + shift, UTC)
    return f"{start:%Y-%m-%d %H:00}" if by == "hour" else f"{start:%Y-%m-%d}"


def _difference(
    found: _Found, ask: SeriesAsk, signal: Signal, both: Sequence[Points], periods: Sequence[Period]
) -> None:
    """What changed between two spans of time."""
    for figure in ask.figures:
        if figure not in ("mean", "median", "maximum", "minimum", "deviation", "sum") or not all(
            len(p.values) for p in both
        ):
            continue
        first, second = (one_figure(points.values, figure) for points in both)
        zh, en = FIGURES[figure]
        change = number(second - first, _COMPUTED)
        found.add(
            f"{signal.tag} {zh}:{periods[1].phrase} 比 {periods[0].phrase} 差 {change}({number(first, _COMPUTED)} → {number(second, _COMPUTED)})",
            f"{signal.tag} {en}: {periods[1].phrase} against {periods[0].phrase} {change} ({number(first, _COMPUTED)} → {number(second, _COMPUTED)})",
        )
