"""A question about events, answered: every count is the database's, every event a record with its row's id.

The first line says which events were looked at: what restricted them, the span of time with its instants, how many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.api import Record, Said, ToolFailed, ToolResult, say
from agent.settings import QuerySettings
from agent.values import Scalar
from plugins.logs.event_lines import event_record
from plugins.logs.interface import BUCKETS, Event, EventLog, Filter, Group, Moment, Order
from plugins.logs.queries.asked import EventAsk, Kind
from plugins.logs.queries.before import find_precursors
from plugins.logs.queries.patterns import find_chatter, find_floods, mean_between
from plugins.logs.queries.standing import standing_events
from plugins.logs.series.wording import duration, number

__all__ = ["answer", "local", "unknown_value"]

_MANY = 40
"""Groups of a distribution that are listed."""


@dataclass(slots=True)
class _Query:
    """A question on its way to an answer."""

    ask: EventAsk
    which: Filter
    log: EventLog
    now: datetime
    settings: QuerySettings
    notes: list[Said]
    records: list[Record]
    total: int = 0

    def add(self, zh: str, en: str) -> None:
        self.notes.append(say(zh, en))

    def show(self, events: Sequence[Event]) -> None:
        """Events as records, each once."""
        known = {record.id for record in self.records}
        self.records += [r for r in (event_record(event, self.now) for event in events) if r.id not in known]


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
    query = _Query(ask, which, log, now, settings, [], [])
    query.total = log.count(which, now=now)
    _stated(query)
    if query.total or ask.kinds[0] in ("standing", "stale"):
        for kind in ask.kinds:
            _answer_kind(query, kind)
    return ToolResult(tuple(query.records), notes=tuple(query.notes))


def _answer_kind(query: _Query, kind: Kind) -> None:
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
            _between(query)
        case "lasting":
            _lasting(query)
        case "flood":
            _floods(query)
        case "chatter":
            _chatter(query)
        case "before":
            _before(query)
        case "span":
            _span(query)
        case "rate":
            _rate(query)
        case "list":
            _share(query)
            query.show(_latest(query, query.settings.listed))
        case "count":
            pass  # stands in the first line


def _stated(query: _Query) -> None:
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
    if query.ask.unknown:
        query.add(
            f"“{query.ask.unknown}”没有理解,未作限制", f"“{query.ask.unknown}” was not understood and restricts nothing"
        )


def _latest(query: _Query, most: int) -> list[Event]:
    """The newest events; says so where there are more."""
    events, total = query.log.events(query.which, now=query.now, limit=most)
    if total > len(events):
        query.add(f"只列出最新的 {len(events)} 条", f"only the latest {len(events)} are listed")
    return events


def _extreme(query: _Query, kind: Kind) -> None:
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


def _groups(query: _Query, kind: Kind) -> None:
    by = query.ask.columns[:2] or ((query.ask.bucket,) if query.ask.bucket else ("text",))
    groups, different = _minutes(query) if by == ("minute",) else _counted(query, by)
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


def _counted(query: _Query, by: Sequence[str]) -> tuple[list[Group], int]:
    found = query.log.groups(query.which, by=by, now=query.now, limit=query.settings.max_moments)
    return list(found.groups), found.different


def _minutes(query: _Query) -> tuple[list[Group], int]:
    """Counted here: a bucket of a minute is none of the database's."""
    counts: dict[str, int] = {}
    for moment in _moments(query, query.which):
        key = local(moment.at, query.now)[:16]
        counts[key] = counts.get(key, 0) + 1
    return [Group((key,), count) for key, count in sorted(counts.items())], len(counts)


def _distinct(query: _Query) -> None:
    for column in query.ask.columns[:2]:
        found = query.log.groups(query.which, by=(column,), now=query.now, limit=query.settings.listed)
        empty = any(group.key == ("",) for group in found.groups)
        count = found.different - empty
        names = "、".join(group.key[0] for group in found.groups if group.key[0])
        query.add(f"不同的{_column((column,), 'zh')}:{count} 个", f"different {_column((column,), 'en')}: {count}")
        if count <= query.settings.listed:
            query.add(f"它们是:{names}", f"they are: {names}")


def _share(query: _Query) -> None:
    everything = query.log.count(Filter(period=query.which.period), now=query.now)
    if everything:
        share = number(100 * query.total / everything, 6)
        query.add(f"占全部 {everything} 条的 {share} %", f"{share} % of all {everything} events")


def _standing(query: _Query, kind: Kind) -> None:
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


def _between(query: _Query) -> None:
    moments = _moments(query, query.which)
    seconds = mean_between(moments)
    if seconds is None:
        query.add("不到两条,没有间隔", "fewer than two events, so no time between them")
        return
    held = duration(seconds)
    first, last = local(moments[0].at, query.now)[:16], local(moments[-1].at, query.now)[:16]
    query.add(
        f"平均间隔(MTBF):{held[0]}({first} 至 {last},共 {len(moments)} 条)",
        f"mean time between (MTBF): {held[1]} ({first} to {last}, {len(moments)} events)",
    )


_RATES = {
    "分钟": 60,
    "minute": 60,
    "小时": 3600,
    "hour": 3600,
    "天": 86_400,
    "day": 86_400,
    "周": 604_800,
    "week": 604_800,
}


def _rate(query: _Query) -> None:
    """Over the span of time that was named, else from the first event to the last."""
    unit = query.ask.bucket or "hour"
    period = query.which.period
    moments = _moments(query, query.which)
    seconds = (period.end - period.start).total_seconds() if period else moments[-1].at - moments[0].at
    if seconds <= 0:
        query.add("时间太短,算不出平均", "too short a time for an average")
        return
    (zh, en), length = duration(_RATES[unit]), duration(seconds)
    rate = number(query.total / seconds * _RATES[unit], 6)
    query.add(f"平均每 {zh} {rate} 条({length[0]}内)", f"{rate} events per {en} on average (over {length[1]})")


def _lasting(query: _Query) -> None:
    found = query.log.durations(query.which, now=query.now)
    if found.mean_seconds is None or found.longest_seconds is None:
        query.add("没有一条记下恢复时间", "none of them says when it cleared")
        return
    mean, longest = duration(found.mean_seconds), duration(found.longest_seconds)
    query.add(
        f"平均持续(MTTR):{mean[0]},最长 {longest[0]},已恢复的 {found.count} 条",
        f"mean time to clear (MTTR): {mean[1]}, longest {longest[1]}, of {found.count} that cleared",
    )


def _floods(query: _Query) -> None:
    limits = query.settings
    seconds = limits.flood_minutes * 60
    found = find_floods(
        _moments(query, query.which), more_than=limits.flood_events, below=limits.flood_end_events, seconds=seconds
    )
    query.add(
        f"报警泛滥({limits.flood_minutes:g} 分钟内超过 {limits.flood_events} 条):{len(found)} 次",
        f"alarm floods (more than {limits.flood_events} in {limits.flood_minutes:g} minutes): {len(found)}",
    )
    for flood in sorted(found, key=lambda f: -f.count)[: limits.listed]:
        start, end, peak = (local(x, query.now)[:16] for x in (flood.start, flood.end, flood.peak_at))
        line = say(
            f"{start} – {end},共 {flood.count} 条,峰值 {flood.peak} 条(从 {peak} 起)",
            f"{start} – {end}, {flood.count} alarms, peak {flood.peak} (from {peak})",
        )
        fields: dict[str, Scalar] = {"start": start, "end": end, "count": flood.count, "peak": flood.peak}
        query.records.append(Record(f"E{flood.rows[0]}–E{flood.rows[1]}", "flood", line, fields))


def _chatter(query: _Query) -> None:
    limits = query.settings
    found = find_chatter(_moments(query, query.which), least=limits.chatter_events, seconds=limits.chatter_seconds)
    query.add(
        f"抖动报警({limits.chatter_seconds:g} 秒内至少 {limits.chatter_events} 次):{len(found)} 个",
        f"chattering alarms (at least {limits.chatter_events} in {limits.chatter_seconds:g} s): {len(found)}",
    )
    for one in found[: limits.listed]:
        name, first = _named(one.tag, one.text), local(one.first, query.now)
        line = say(
            f"{name}:{one.bursts} 次抖动,共 {one.count} 条,最多 {one.peak} 条,首次 {first}",
            f"{name}: {one.bursts} bursts, {one.count} alarms, at most {one.peak}, first {first}",
        )
        query.records.append(
            Record(f"E{one.row}", "chatter", line, {"tag": one.tag, "text": one.text, "count": one.count})
        )


def _before(query: _Query) -> None:
    if not (query.which.texts or query.which.tags):
        raise ToolFailed("which failure is meant is not known: name an alarm or a tag of the log")
    limits = query.settings
    minutes = query.ask.minutes or limits.before_minutes
    rows = {moment.row for moment in _moments(query, query.which)}
    moments = _moments(query, Filter(period=query.which.period))
    found = find_precursors(
        moments,
        [m.row in rows for m in moments],
        seconds=minutes * 60,
        least=limits.before_least,
        lift=limits.before_lift,
    )
    if not found:
        query.add(
            f"之前 {minutes:g} 分钟内没有比偶然更常出现的事件",
            f"no event came within {minutes:g} minutes before it more often than by chance",
        )
        return
    query.add(
        f"之前 {minutes:g} 分钟内比偶然更常出现的:", f"within {minutes:g} minutes before it, more often than by chance:"
    )
    for one in found[: limits.listed]:
        name, lift = _named(one.tag, one.text), number(one.lift, 3)
        query.add(
            f"{name}:{one.failures} 次中的 {one.before} 次,是偶然的 {lift} 倍(共出现 {one.total} 次)",
            f"{name}: before {one.before} of {one.failures}, {lift} times as often as by chance (it came {one.total} times)",
        )


def _span(query: _Query) -> None:
    orders: tuple[Order, Order] = ("oldest", "newest")
    found = [query.log.events(query.which, now=query.now, limit=1, order=order)[0] for order in orders]
    ends = [event.at or 0.0 for events in found for event in events]
    query.show([event for events in found for event in events])
    first, last = (record.fields.get("time") for record in (query.records[0], query.records[-1]))
    length = duration(ends[-1] - ends[0])
    query.add(f"时间范围:{first} 至 {last},共 {length[0]}", f"time range: {first} to {last}, {length[1]}")


def _moments(query: _Query, which: Filter) -> list[Moment]:
    """All of them: figures over a part would be wrong."""
    limit = query.settings.max_moments
    moments = query.log.moments(which, now=query.now, limit=limit)
    if len(moments) >= limit and query.log.count(which, now=query.now) > limit:
        raise ToolFailed(f"more than {limit:,} events ([queries] max_moments); name a shorter span of time")
    return moments


def local(instant: float, now: datetime) -> str:
    """An instant as the plant's clock shows it."""
    moment = datetime.fromtimestamp(instant, now.tzinfo) if now.tzinfo else datetime.fromtimestamp(instant)
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _shown(time: str) -> str:
    return time[:19].replace("T", " ")


def _named(tag: str, text: str) -> str:
    return text if tag in ("", text) else f"{text} ({tag})"


def _name(group: Group) -> str:
    return " / ".join(key or "–" for key in group.key)


_COLUMNS_ZH = {
    "tag": "位号", "text": "报警", "priority": "优先级", "state": "状态", "area": "区域", "hour": "小时", "day": "天", "week": "周",
    "month": "月", "hour of day": "钟点", "weekday": "星期", "minute": "分钟",
}  # fmt: skip


def _column(by: Sequence[str], language: str) -> str:
    known = (*BUCKETS, *_COLUMNS_ZH)
    return "、".join(_COLUMNS_ZH.get(name, f" {name}") if language == "zh" and name in known else name for name in by)
