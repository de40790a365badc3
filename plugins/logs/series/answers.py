"""A question about a series, answered: what was computed, over which span, and the values that it rests on.

Every figure is computed here from the stored values; single values are records with the id of their row (`V17`). The
first line for each series says what was looked at: its name, the instants, how many values.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from agent.api import Period, Record, ToolFailed, ToolResult, say
from plugins.logs.interface import EventLog, Points, Signal
from plugins.logs.lexicon import heading_words, words_in
from plugins.logs.series.asked import Figure, SeriesAsk
from plugins.logs.series.buckets import answer_by_bucket
from plugins.logs.series.changes import answer_change
from plugins.logs.series.found import COMPUTED, LISTED, Found
from plugins.logs.series.limits import answer_days, answer_limit
from plugins.logs.series.measures import chosen, one_figure, runs, within_runs
from plugins.logs.series.pairs import answer_pair
from plugins.logs.series.signals import is_label
from plugins.logs.series.stamps import answer_stamps
from plugins.logs.series.wording import FIGURES, duration, moment, number

__all__ = ["answer"]


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
    found = Found([], {})
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
        if len(periods) == 2 and len(signals) == 1 and not ask.by_window:
            _difference(found, ask, signal, [log.points(signal.tag, period, now=now) for period in periods], periods)
    if ask.relation and len(signals) == 2:
        _related(found, ask, (signals[0], signals[1]), periods, log, now)
    return ToolResult(tuple(found.records.values()), notes=tuple(found.notes))


def _related(
    found: Found, ask: SeriesAsk, pair: tuple[Signal, Signal], periods: Sequence[Period], log: EventLog, now: datetime
) -> None:
    for period in periods or (None,):
        first, second = (log.points(signal.tag, period, now=now) for signal in pair)
        if len(first.values) and len(second.values):
            answer_pair(found, ask, pair, (first, second))


def _label(ask: SeriesAsk, every: Sequence[Signal]) -> Signal | None:
    """The column that marks windows: the one that is named, else one that marks more than points of change."""
    labels = [signal for signal in every if is_label(signal)]
    said = {word.name for word in words_in(ask.names_text)}
    labels.sort(key=lambda s: (not said & set(heading_words(s.tag)), "changepoint" in heading_words(s.tag)))
    return labels[0] if labels else None


def _about(
    found: Found,
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
        answer_by_bucket(found, ask, signal, points)
        return
    for figure in ask.figures:
        _figure(found, figure, ask, signal, points, period)


def _part_of(found: Found, ask: SeriesAsk, points: Points) -> Points:
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


def _stated(found: Found, signal: Signal, points: Points, period: Period | None) -> None:
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
    found: Found, figure: Figure, ask: SeriesAsk, signal: Signal, points: Points, period: Period | None
) -> None:
    unit = f" {signal.unit}" if signal.unit else ""
    match figure:
        case "maximum" | "minimum":
            if ask.extremes > 1:
                _extremes(found, figure, ask, signal, points)
                return
            at = int(points.values.argmax() if figure == "maximum" else points.values.argmin())
            found.point(points, at, signal, FIGURES[figure])
            times = int(np.count_nonzero(points.values == points.values[at]))
            if times > 1:
                found.add(
                    f"这个值出现 {times} 次,给出最早的一次", f"this value occurs {times} times; the first is given"
                )
        case "range":
            low, high = points.values.min(), points.values.max()
            apart = number(high - low, COMPUTED)
            found.add(
                f"{signal.tag} 范围:{number(low)} 至 {number(high)}{unit},相差 {apart}",
                f"{signal.tag} range: {number(low)} to {number(high)}{unit}, a difference of {apart}",
            )
        case "mean" | "median" | "deviation" | "sum":
            value, (zh, en) = number(one_figure(points.values, figure), COMPUTED), FIGURES[figure]
            found.add(f"{signal.tag} {zh}:{value}{unit}", f"{signal.tag} {en}: {value}{unit}")
        case "first" | "last":
            found.point(points, 0 if figure == "first" else -1, signal, FIGURES[figure])
        case "percentile":
            value = number(float(np.percentile(points.values, ask.percent)), COMPUTED)
            found.add(
                f"{signal.tag} 第 {ask.percent:g} 百分位数:{value}{unit}",
                f"{signal.tag} percentile {ask.percent:g}: {value}{unit}",
            )
        case "days":
            answer_days(found, ask, signal, points)
        case "rise" | "fall" | "slope" | "change":
            answer_change(found, figure, ask, signal, points)
        case "value":
            _value_at(found, signal, points, period)
        case "count" | "share" | "duration" | "first crossing" | "last crossing" | "crossings":
            answer_limit(found, figure, ask, signal, points)
        case _:
            answer_stamps(found, figure, ask, points)


def _extremes(found: Found, figure: Figure, ask: SeriesAsk, signal: Signal, points: Points) -> None:
    """The highest or lowest few, the most extreme first; of equal ones the earliest."""
    many = min(ask.extremes, LISTED, len(points.values))
    order = np.argsort(-points.values if figure == "maximum" else points.values, kind="stable")
    for at in order[:many].tolist():
        found.point(points, at, signal, FIGURES[figure])
    if many < ask.extremes:
        found.add(f"只列出 {many} 个", f"{many} are listed")


_MOMENT_SECONDS = 60
"""10:24 is a minute, of which a series may have many values."""


def _value_at(found: Found, signal: Signal, points: Points, period: Period | None) -> None:
    """The values of a moment; of a minute with more of them its first, of a longer span mean and extremes."""
    if len(points.values) <= LISTED:
        for at in range(len(points.values)):
            found.point(points, at, signal)
        return
    if period is not None and (period.end - period.start).total_seconds() <= _MOMENT_SECONDS:
        found.point(points, 0, signal)
    for figure in ("mean", "minimum", "maximum"):
        _figure(found, figure, SeriesAsk((figure,)), signal, points, period)


def _sides(found: Found, ask: SeriesAsk, signal: Signal, points: Points, label: Points, named: Signal) -> None:
    """Inside and outside the windows that a column marks."""
    mask, spans = within_runs(points, label)
    shown = "、".join(f"{moment(a)} – {moment(b)}" for a, b in spans[:LISTED])
    english = ", ".join(f"{moment(a)} – {moment(b)}" for a, b in spans[:LISTED])
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


def _windows(found: Found, label: Points, signal: Signal) -> None:
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
    for at, run in enumerate(stretches[:LISTED], 1):
        first, last = moment(label.wall[run.first]), moment(label.wall[run.last])
        row, many = f"V{int(label.rows[run.first])}", run.last - run.first + 1
        held = duration(float(label.at[run.last] - label.at[run.first]))
        line = say(
            f"第 {at} 段:{first} – {last}({many} 个值,历时 {held[0]})",
            f"window {at}: {first} – {last} ({many} values, {held[1]})",
        )
        found.records[row] = Record(row, "window", line, {"start": first, "end": last, "values": many})
    if len(stretches) > LISTED:
        found.add(f"只列出前 {LISTED} 段", f"the first {LISTED} are listed")


def _difference(
    found: Found, ask: SeriesAsk, signal: Signal, both: Sequence[Points], periods: Sequence[Period]
) -> None:
    """What changed between two spans of time."""
    for figure in ask.figures:
        if figure not in ("mean", "median", "maximum", "minimum", "deviation", "sum") or not all(
            len(p.values) for p in both
        ):
            continue
        first, second = (one_figure(points.values, figure) for points in both)
        zh, en = FIGURES[figure]
        change, old, new = (number(x, COMPUTED) for x in (second - first, first, second))
        found.add(
            f"{signal.tag} {zh}:{periods[1].phrase} 比 {periods[0].phrase} 差 {change}({old} → {new})",
            f"{signal.tag} {en}: {periods[1].phrase} against {periods[0].phrase} {change} ({old} → {new})",
        )
