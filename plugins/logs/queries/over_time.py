"""What events do over time, worded: how often, how long, floods, chattering, what goes before a failure."""

from __future__ import annotations

from agent.api import Record, ToolFailed, say
from agent.values import Scalar
from plugins.logs.interface import Filter
from plugins.logs.queries.before import find_precursors
from plugins.logs.queries.patterns import find_chatter, find_floods, mean_between
from plugins.logs.queries.query import Query, all_moments, local, named
from plugins.logs.series.wording import duration, number

__all__ = ["answer_before", "answer_between", "answer_chatter", "answer_floods", "answer_lasting", "answer_rate"]


def answer_between(query: Query) -> None:
    moments = all_moments(query, query.which)
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


def answer_rate(query: Query) -> None:
    """Over the span of time that was named, else from the first event to the last."""
    unit = query.ask.bucket or "hour"
    period = query.which.period
    moments = all_moments(query, query.which)
    seconds = (period.end - period.start).total_seconds() if period else moments[-1].at - moments[0].at
    if seconds <= 0:
        query.add("时间太短,算不出平均", "too short a time for an average")
        return
    (zh, en), length = duration(_RATES[unit]), duration(seconds)
    rate = number(query.total / seconds * _RATES[unit], 6)
    query.add(f"平均每 {zh} {rate} 条({length[0]}内)", f"{rate} events per {en} on average (over {length[1]})")


def answer_lasting(query: Query) -> None:
    found = query.log.durations(query.which, now=query.now)
    if found.mean_seconds is None or found.longest_seconds is None:
        query.add("没有一条记下恢复时间", "none of them says when it cleared")
        return
    mean, longest = duration(found.mean_seconds), duration(found.longest_seconds)
    query.add(
        f"平均持续(MTTR):{mean[0]},最长 {longest[0]},已恢复的 {found.count} 条",
        f"mean time to clear (MTTR): {mean[1]}, longest {longest[1]}, of {found.count} that cleared",
    )


def answer_floods(query: Query) -> None:
    limits = query.settings
    seconds = limits.flood_minutes * 60
    found = find_floods(
        all_moments(query, query.which), more_than=limits.flood_events, below=limits.flood_end_events, seconds=seconds
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


def answer_chatter(query: Query) -> None:
    limits = query.settings
    found = find_chatter(all_moments(query, query.which), least=limits.chatter_events, seconds=limits.chatter_seconds)
    query.add(
        f"抖动报警({limits.chatter_seconds:g} 秒内至少 {limits.chatter_events} 次):{len(found)} 个",
        f"chattering alarms (at least {limits.chatter_events} in {limits.chatter_seconds:g} s): {len(found)}",
    )
    for one in found[: limits.listed]:
        name, first = named(one.tag, one.text), local(one.first, query.now)
        line = say(
            f"{name}:{one.bursts} 次抖动,共 {one.count} 条,最多 {one.peak} 条,首次 {first}",
            f"{name}: {one.bursts} bursts, {one.count} alarms, at most {one.peak}, first {first}",
        )
        query.records.append(
            Record(f"E{one.row}", "chatter", line, {"tag": one.tag, "text": one.text, "count": one.count})
        )


def answer_before(query: Query) -> None:
    if not (query.which.texts or query.which.tags):
        raise ToolFailed("which failure is meant is not known: name an alarm or a tag of the log")
    limits = query.settings
    minutes = query.ask.minutes or limits.before_minutes
    rows = {moment.row for moment in all_moments(query, query.which)}
    moments = all_moments(query, Filter(period=query.which.period))
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
        name, lift = named(one.tag, one.text), number(one.lift, 3)
        query.add(
            f"{name}:{one.failures} 次(连发算一次)中的 {one.before} 次,是偶然的 {lift} 倍(共出现 {one.total} 次)",
            f"{name}: before {one.before} of {one.failures} (bursts count once), {lift} times chance (of {one.total})",
        )
