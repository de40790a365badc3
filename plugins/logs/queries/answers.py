"""A question about events, answered: every count is the database's, every event a record with its row's id.

The first line says which events were looked at: what restricted them, the span of time with its instants, how many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from agent.api import ToolFailed, ToolResult, say
from agent.settings import QuerySettings
from plugins.logs.interface import BUCKETS, Event, EventLog, Filter, Group, Order
from plugins.logs.queries.asked import EventAsk, Kind
from plugins.logs.queries.over_time import (
    answer_before,
    answer_between,
    answer_chatter,
    answer_floods,
    answer_lasting,
    answer_rate,
)
from plugins.logs.queries.query import Query, all_moments, local
from plugins.logs.queries.standing import standing_events
from plugins.logs.series.wording import duration, number

__all__ = ["answer", "unknown_value"]

_MANY = 40
"""Groups of a distribution that are listed."""


def unknown_value(ask: EventAsk, log: EventLog) -> ToolResult | None:
    """What is said where a column is named with a value that the log does not have; None where that is not so."""
    if not (ask.unknown and len(ask.columns) == 1 and ask.kinds[0] in ("count", "share", "list", "first", "last")):
        return None
    column, values = ask.columns[0], log.names(ask.columns[0])[:_MANY]
    zh, en = _column((column,), "zh").strip(), _column((column,), "en")
    listed = "、".join(values)
    note = say(f"{zh}没有“{ask.unknown}”这个值;有:{listed}", f"{en} has no value “{ask.unknown}”; it has: {listed}")
    return ToolResult(notes=(note,))


def answer(ask: EventAsk, which: Filter, log: EventLog, now: datetime, settings: QuerySettings) -> ToolResult:
    """Compute what is asked.

    :param which: the events it is about.
    :raises ToolFailed: it cannot be answered from this log, in words for the person.
    """
    query = Query(ask, which, log, now, settings, [], [])
    query.total = log.count(which, now=now)
    _stated(query)
    if query.total or ask.kinds[0] in ("standing", "stale"):
        for kind in ask.kinds:
            _answer_kind(query, kind)
    return ToolResult(tuple(query.records), notes=tuple(query.notes))


def _answer_kind(query: Query, kind: Kind) -> None:
    match kind:
        case "first" | "last" | "longest":
            _extreme(query, kind)
        case "top" | "bottom" | "distribution":
            _groups(query, kind)
        case "distinct":
            _distinct(query)
        case "share":
            _share(query)
        case "standing" | "stale":
            _standing(query, kind)
        case "between":
            answer_between(query)
        case "lasting":
            answer_lasting(query)
        case "flood":
            answer_floods(query)
        case "chatter":
            answer_chatter(query)
        case "before":
            answer_before(query)
        case "span":
            _span(query)
        case "rate":
            answer_rate(query)
        case "list":
            _share(query)
            query.show(_latest(query, query.settings.listed))
        case "count":
            pass  # stands in the first line


def _stated(query: Query) -> None:
    """Which events, over which span, how many."""
    what = [
        *query.ask.names,
        *(f"…{part}…" for part in query.ask.parts),
        *(f"{column} = {value}" for column, value in query.ask.equal.items()),
    ]
    period = query.which.period
    if period is None:
        first, last, _ = query.log.span()
        when_zh, when_en = f"全部记录({first[:16]} – {last[:16]})", f"whole log ({first[:16]} – {last[:16]})"
    else:
        when_zh = when_en = f"{period.phrase}({period.stated()})"
        when_en = when_en.replace("(", " (")
    count = "1 event" if query.total == 1 else f"{query.total} events"
    query.add(",".join([*what, when_zh]) + f":{query.total} 条", ", ".join([*what, when_en]) + f": {count}")
    if period is not None and period.note:
        query.notes.append(period.note)


def _latest(query: Query, most: int) -> list[Event]:
    """The newest events; says so where there are more."""
    events, total = query.log.events(query.which, now=query.now, limit=most)
    if total > len(events):
        query.add(f"只列出最新的 {len(events)} 条", f"only the latest {len(events)} are listed")
    return events


def _extreme(query: Query, kind: Kind) -> None:
    order: Order = "oldest" if kind == "first" else "longest" if kind == "longest" else "newest"
    many = query.ask.first_n or (3 if kind == "longest" else 1)
    events, _ = query.log.events(query.which, now=query.now, limit=min(many, query.settings.listed), order=order)
    events = [e for e in events if kind != "longest" or e.lasted_seconds is not None]
    if not events:
        query.add(
            "日志没有记下恢复时间,无法比较持续时间", "the log does not say when events cleared, so none is the longest"
        )
        return
    zh, en = {"first": ("最早", "first"), "last": ("最近", "last")}.get(kind, ("持续最长", "longest"))
    at = _shown(events[0].time)
    if kind == "longest":
        held = duration(events[0].lasted_seconds or 0)
        query.add(f"{zh}:{at},持续 {held[0]}", f"{en}: {at}, for {held[1]}")
    else:
        query.add(f"{zh}:{at}", f"{en}: {at}")
    query.show(events)


def _groups(query: Query, kind: Kind) -> None:
    by = query.ask.columns[:2] or ((query.ask.bucket,) if query.ask.bucket else ("text",))
    groups, different = _minutes(query) if by == ("minute",) else _counted(query, by)
    unnamed = sum(group.count for group in groups if not any(group.key))
    if unnamed and kind != "distribution":
        groups, different = [group for group in groups if any(group.key)], different - 1
        query.add(f"{unnamed} 条没有{_column(by, 'zh')}", f"{unnamed} events have no {_column(by, 'en')}")
    if kind == "bottom":
        groups = sorted(groups, key=lambda g: (g.count, g.key))
    elif kind == "top":
        groups = sorted(groups, key=lambda g: (-g.count, g.key))
    if not groups:
        return
    if kind != "distribution":
        best = groups[0].count
        tied = [group for group in groups if group.count == best]
        zh, en = ("最多", "most") if kind == "top" else ("最少", "fewest")
        listed = [_name(group) for group in tied[: query.settings.listed]]
        names, names_en = "、".join(listed), ", ".join(listed)
        many_tied = len(tied) > query.settings.listed
        more, more_en = (f" 等 {len(tied)} 个", f" and others, {len(tied)} in all") if many_tied else ("", "")
        each = ("各 ", " each") if len(tied) > 1 else ("", "")
        query.add(
            f"{zh}的{_column(by, 'zh')}:{names}{more}({each[0]}{best} 条)",
            f"{en} by {_column(by, 'en')}: {names_en}{more_en} ({best} events{each[1]})",
        )
    many = query.ask.first_n or (_MANY if kind == "distribution" else query.settings.listed)
    shown = groups[:many]
    if len(shown) > 1:
        counts = [f"{_name(group)} ({group.count})" for group in shown]
        query.add(f"按{_column(by, 'zh')}:{';'.join(counts)}", f"by {_column(by, 'en')}: {'; '.join(counts)}")
    if different > len(shown) > 1:
        query.add(f"共 {different} 个,只列出 {len(shown)} 个", f"{different} in all, {len(shown)} are listed")


def _counted(query: Query, by: Sequence[str]) -> tuple[list[Group], int]:
    found = query.log.groups(query.which, by=by, now=query.now, limit=query.settings.max_moments)
    return list(found.groups), found.different


def _minutes(query: Query) -> tuple[list[Group], int]:
    """Counted here: a bucket of a minute is none of the database's."""
    counts: dict[str, int] = {}
    for moment in all_moments(query, query.which):
        key = local(moment.at, query.now)[:16]
        counts[key] = counts.get(key, 0) + 1
    return [Group((key,), count) for key, count in sorted(counts.items())], len(counts)


def _distinct(query: Query) -> None:
    for column in query.ask.columns[:2]:
        found = query.log.groups(query.which, by=(column,), now=query.now, limit=query.settings.listed)
        empty = any(group.key == ("",) for group in found.groups)
        count = found.different - empty
        names = "、".join(group.key[0] for group in found.groups if group.key[0])
        query.add(f"不同的{_column((column,), 'zh')}:{count} 个", f"different {_column((column,), 'en')}: {count}")
        if count <= query.settings.listed:
            query.add(f"它们是:{names}", f"they are: {names}")


def _share(query: Query) -> None:
    everything = query.log.count(Filter(period=query.which.period), now=query.now)
    if everything:
        share = number(100 * query.total / everything, 6)
        query.add(f"占全部 {everything} 条的 {share} %", f"{share} % of all {everything} events")


def _standing(query: Query, kind: Kind) -> None:
    least = query.settings.stale_hours * 3600 if kind == "stale" else 0.0
    found = standing_events(
        query.log, query.which, now=query.now, least_seconds=least, limit=query.settings.max_moments
    )
    if found is None:
        raise ToolFailed(
            "the log says neither when an alarm cleared nor which alarms are active, so none can be told standing"
        )
    hours = f"{query.settings.stale_hours:g}"
    name = (
        (f"超过 {hours} 小时未恢复", f"standing for more than {hours} hours")
        if kind == "stale"
        else ("未恢复", "standing")
    )
    query.add(f"{name[0]}的:{len(found)} 条", f"{name[1]}: {len(found)}")
    states = Counter(event.state for event in found if event.state)
    if len(states) > 1:
        by_state = "、".join(f"{state} ({count})" for state, count in states.most_common())
        query.add(f"按状态:{by_state}", f"by state: {by_state}")
    if found and query.total:
        share = number(100 * len(found) / query.total, 6)
        query.add(f"占 {query.total} 条的 {share} %", f"{share} % of {query.total} events")
    query.show(found[: query.settings.listed])
    if len(found) > query.settings.listed:
        query.add(f"只列出 {query.settings.listed} 条", f"{query.settings.listed} are listed")


def _span(query: Query) -> None:
    orders: tuple[Order, Order] = ("oldest", "newest")
    found = [query.log.events(query.which, now=query.now, limit=1, order=order)[0] for order in orders]
    ends = [event.at or 0.0 for events in found for event in events]
    query.show([event for events in found for event in events])
    first, last = (record.fields.get("time") for record in (query.records[0], query.records[-1]))
    length = duration(ends[-1] - ends[0])
    query.add(f"时间范围:{first} 至 {last},共 {length[0]}", f"time range: {first} to {last}, {length[1]}")


def _shown(time: str) -> str:
    return time[:19].replace("T", " ")


def _name(group: Group) -> str:
    return " / ".join(key or "–" for key in group.key)


_COLUMNS_ZH = {
    "tag": "位号", "text": "报警", "priority": "优先级", "state": "状态", "area": "区域",
    "minute": "分钟", "hour": "小时", "day": "天", "week": "周", "month": "月", "hour of day": "钟点",
    "weekday": "星期",
}  # fmt: skip


def _column(by: Sequence[str], language: str) -> str:
    known = (*BUCKETS, *_COLUMNS_ZH)
    return "、".join(_COLUMNS_ZH.get(name, f" {name}") if language == "zh" and name in known else name for name in by)
