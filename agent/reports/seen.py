"""What was seen, as lines with ids; what to watch; the figures that a summary may be worded from."""

from __future__ import annotations

from collections.abc import Sequence

from agent.reports.alarms import AlarmFigures
from agent.reports.causes import Cause
from agent.reports.numbers import lasting, number, rough
from agent.reports.readings import Crossing, SeriesFigures
from agent.reports.report import SeenLine
from agent.reports.risk import RiskLevel
from agent.reports.values import Level, Sign, Trend
from agent.reports.wording import Fact
from agent.values import Said, say

__all__ = ["missing_lines", "seen_lines", "summary_facts", "watch_lines"]

_SHOWN_IDS = 4
_SHOWN = 4
"""Lines of one kind; the rest is a number."""
_SHOWN_CAUSES = 3
_LIKELY = 0.5
"""A cause after the first is named at the head from this probability."""


def seen_lines(
    alarms: AlarmFigures, series: Sequence[SeriesFigures], signs: Sequence[Sign], *, has_log: bool
) -> tuple[SeenLine, ...]:
    """Everything that was seen, alarms first."""
    lines = [*_alarm_lines(alarms)] if has_log else []
    for figures in series:
        lines += _series_lines(figures)
    known = {s.trend.id for s in series}
    lines += [SeenLine(s.line, (s.id,), s.severity >= 2) for s in signs if s.present and s.id not in known]
    return tuple(lines)


def watch_lines(causes: Sequence[Cause], series: Sequence[SeriesFigures], alarms: AlarmFigures) -> tuple[Said, ...]:
    """What to look at until the next report."""
    lines = [say(f"{c.watch['zh']}({c.name['zh']})", f"{c.watch['en']} ({c.name['en']})") for c in causes]
    for figures in series:
        levels = sorted(figures.trend.levels, key=lambda level: _left(figures, level))
        crossed = [level for level in levels if _left(figures, level) < 0][-1:]
        ahead = [level for level in levels if _left(figures, level) >= 0][:1]
        lines += [line for level in (*crossed, *ahead) if (line := _nearness(figures, level)) is not None]
    lines += [
        say(f"仍在报警:{e.text} {e.tag} [{e.id}]", f"still standing: {e.text} {e.tag} [{e.id}]")
        for e in alarms.standing[:_SHOWN_IDS]
    ]
    return tuple(lines)


def summary_facts(
    alarms: AlarmFigures,
    series: Sequence[SeriesFigures],
    causes: Sequence[Cause],
    risk: RiskLevel,
    *,
    has_log: bool = True,
) -> tuple[Fact, ...]:
    """The few facts that the line at the head is made of."""
    facts: list[Fact] = [_alarm_fact(alarms)] if has_log else []
    crossed = [(figures, _gravest(figures)) for figures in series if figures.crossings]
    facts += [_crossing_fact(*max(crossed, key=lambda one: one[1].share))] if crossed else []
    likely = [c for c in causes[1:_SHOWN_CAUSES] if c.probability >= _LIKELY]
    facts += [_cause_fact([causes[0], *likely])] if causes else []
    word = risk.word
    facts.append(
        (
            say(f"风险等级{word['zh']}", f"the risk level is {word['en']}"),
            say(f"整体风险为{word['zh']}", f"overall the risk is {word['en']}"),
        )
    )
    return tuple(facts)


def _alarm_fact(alarms: AlarmFigures) -> Fact:
    if not alarms.count:
        return (say("本期没有报警", "no alarm in this period"), say("本期报警 0 次", "0 alarms in this period"))
    top, count, kinds = alarms.bars[0], alarms.count, len(alarms.bars)
    zh, en = f"本期报警 {count} 次", f"{_times(count, 'alarm')} in this period"
    if kinds > 1 and alarms.bars[1].count == top.count:  # none is the most frequent
        return (
            say(f"{zh},共 {kinds} 种", f"{en}, of {kinds} kinds"),
            say(f"本期 {kinds} 种报警共 {count} 次", f"{kinds} kinds of alarm in this period, {count} in all"),
        )
    if not top.text:
        return (say(zh, en),)
    if top.count == count:
        return (
            say(f"{zh},均为“{top.text}”", f"{en}, {'all ' if count > 1 else ''}“{top.text}”"),
            say(f"本期“{top.text}”报警 {count} 次", f"“{top.text}” came {_often(count)} in this period"),
        )
    return (
        say(f"{zh},最多的是“{top.text}”({top.count} 次)", f"{en}, most often “{top.text}” ({_often(top.count)})"),
        say(f"{zh},其中“{top.text}”{top.count} 次", f"{en}, of which “{top.text}” came {_often(top.count)}"),
    )


def _gravest(figures: SeriesFigures) -> Crossing:
    """Of the levels that were crossed the one farthest out."""
    return max(figures.crossings, key=lambda c: c.level.value if c.level.side == "high" else -c.level.value)


def _crossing_fact(figures: SeriesFigures, crossing: Crossing) -> Fact:
    high = crossing.level.side == "high"
    name, level = figures.trend.name, crossing.level.name
    worst = f"{number(figures.high if high else figures.low)} {figures.trend.unit}".rstrip()
    over = say("超过" if high else "低于", "above" if high else "below")
    most = say("最高" if high else "最低", "highest" if high else "lowest")
    times = _often(crossing.times)
    return (
        say(
            f"{name}{over['zh']}{level['zh']} {crossing.times} 次,{most['zh']} {worst}",
            f"{name} went {over['en']} {level['en']} {times}, {most['en']} {worst}",
        ),
        say(
            f"{name}{most['zh']}达 {worst},{crossing.times} 次{over['zh']}{level['zh']}",
            f"{name} reached {worst} and went {over['en']} {level['en']} {times}",
        ),
    )


def _cause_fact(causes: Sequence[Cause]) -> Fact:
    zh = "、".join(f"{c.name['zh']} {c.probability:.0%}" for c in causes)
    en = ", ".join(f"{c.name['en']} {c.probability:.0%}" for c in causes)
    which = "likely causes" if len(causes) > 1 else "a likely cause"
    return (
        say(f"可能的原因:{zh}", f"{which}: {en}"),
        say(f"从证据看可能是{zh}", f"the evidence points at {en}"),
    )


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def missing_lines(
    alarms: AlarmFigures, series: Sequence[SeriesFigures], trends: Sequence[Trend], *, has_log: bool
) -> tuple[Said, ...]:
    """What the report had to do without.

    :param trends: all that there were; of those that are in no series no figure is told.
    """
    counted = {figures.trend.id for figures in series}
    lines = [
        say(f"{t.name}:读数不是有效的数值,未使用", f"{t.name}: its readings are no valid numbers and are not used")
        for t in trends
        if t.id not in counted and len(t.values)
    ]
    if not has_log:
        lines.append(say("没有可用的报警记录", "no alarm log was available"))
    elif not alarms.events and not alarms.history:
        lines.append(say("报警记录中没有该设备的任何记录", "the alarm log holds nothing about this machine"))
    if not series:
        lines.append(say("本期没有测量数据", "there are no measured values in this period"))
    return tuple(lines)


def _alarm_lines(alarms: AlarmFigures) -> list[SeenLine]:
    lines = [_count_line(alarms)]
    if alarms.cleared_minutes is not None:
        lasted = rough(alarms.cleared_minutes)
        lines.append(
            SeenLine(say(f"报警平均 {lasted} 分钟后恢复", f"an alarm cleared after {lasted} min on average"), ())
        )
    floods = sorted(alarms.floods, key=lambda flood: -flood.count)
    for flood in sorted(floods[:_SHOWN], key=lambda flood: flood.start):
        span = f"{flood.start:%m-%d %H:%M} – {flood.end:%H:%M}"
        ids = tuple(e.id for e in alarms.events if flood.start <= e.at <= flood.end)[:_SHOWN_IDS]
        lines.append(
            SeenLine(say(f"报警泛滥:{span},{flood.count} 条", f"alarm flood: {span}, {flood.count} alarms"), ids, True)
        )
    lines += _others(len(floods), say("次报警泛滥", "smaller alarm floods"))
    for event in alarms.stale[:_SHOWN]:
        since = f"{event.at:%m-%d %H:%M}"
        said = say(f"长时间未恢复:{event.text}({since} 起)", f"stood for more than a day: {event.text} (since {since})")
        lines.append(SeenLine(said, (event.id,), True))
    lines += _others(len(alarms.stale), say("条长时间未恢复的报警", "alarms that stood for more than a day"))
    stale = {event.id for event in alarms.stale}
    standing = [event for event in alarms.standing if event.id not in stale]
    for event in standing[:_SHOWN]:
        since = f"{event.at:%m-%d %H:%M}"
        said = say(f"期末仍在报警:{event.text}({since} 起)", f"still standing at the end: {event.text} (since {since})")
        lines.append(SeenLine(said, (event.id,), True))
    return lines + _others(len(standing), say("条期末仍在的报警", "alarms that still stand"))


def _others(count: int, what: Said) -> list[SeenLine]:
    """Those beyond the few that are shown, as a number."""
    rest = count - _SHOWN
    return [SeenLine(say(f"另有 {rest} {what['zh']}", f"{rest} more {what['en']}"), ())] if rest > 0 else []


def _count_line(alarms: AlarmFigures) -> SeenLine:
    if not alarms.count:
        return SeenLine(say("本期没有报警", "no alarm in this period"), ())
    zh, en = f"报警 {alarms.count} 次", f"{alarms.count} alarms"
    if alarms.between_hours is not None:
        apart = lasting(alarms.between_hours)
        zh += f",平均间隔 {apart['zh']}"
        en += f", one every {apart['en']} on average"
    grave = False
    if alarms.expected is not None:
        zh += f";此前 {alarms.history_days:.0f} 天的同期平均为 {alarms.expected:.1f} 次"
        en += f"; the {alarms.history_days:.0f} days before make one expect {alarms.expected:.1f}"
        grave = alarms.count > alarms.expected + 2 * max(alarms.expected, 1.0) ** 0.5
    return SeenLine(say(zh, en), tuple(e.id for e in alarms.events[-_SHOWN_IDS:]), grave)


def _series_lines(figures: SeriesFigures) -> list[SeenLine]:
    trend = figures.trend
    unit = f" {trend.unit}" if trend.unit else ""
    low, mean, high, last = (number(v) for v in (figures.low, figures.mean, figures.high, figures.last))
    when = f"{figures.high_at:%m-%d %H:%M}"
    zh = f"{trend.name}:最低 {low}、平均 {mean}、最高 {high}{unit}(最高在 {when}),最后 {last}{unit}"
    en = (
        f"{trend.name}: lowest {low}, mean {mean}, highest {high}{unit} (on {figures.high_at:%m-%d %H:%M}), "
        f"last {last}{unit}"
    )
    if figures.change is not None:
        zh += f";本期{'上升' if figures.change > 0 else '下降'}约 {rough(abs(figures.change))}{unit}"
        en += f"; {'rose' if figures.change > 0 else 'fell'} by about {rough(abs(figures.change))}{unit}"
    lines = [SeenLine(say(zh, en), (trend.id,))]
    for c in figures.crossings:
        side = "高于" if c.level.side == "high" else "低于"
        over = "above" if c.level.side == "high" else "below"
        cite = f" [{c.level.source}]" if c.level.source else ""
        lines.append(
            SeenLine(
                say(
                    f"{trend.name} {side}{c.level.name['zh']} {c.times} 次,占读数 {c.share:.1%},首次 "
                    f"{c.first:%m-%d %H:%M}{',目前仍是' if c.still else ''}{cite}",
                    f"{trend.name} was {over} {c.level.name['en']} {c.times} times, {c.share:.1%} of the readings, "
                    f"first on {c.first:%m-%d %H:%M}{', and still is' if c.still else ''}{cite}",
                ),
                (trend.id,),
                True,
            )
        )
    return lines


def _nearness(figures: SeriesFigures, level: Level) -> Said | None:
    """A level that was nearly reached, or was crossed."""
    span = max(figures.high - figures.low, abs(level.value) * 0.05)
    worst = figures.high if level.side == "high" else figures.low
    if _left(figures, level) > span:
        return None
    name, unit = figures.trend.name, figures.trend.unit
    return say(
        f"{name}:{'最高' if level.side == 'high' else '最低'} {number(worst)} {unit},{level.name['zh']}",
        f"{name}: {'highest' if level.side == 'high' else 'lowest'} {number(worst)} {unit}, {level.name['en']}",
    )


def _left(figures: SeriesFigures, level: Level) -> float:
    """How far the worst value stayed from a level; negative beyond it."""
    return level.value - figures.high if level.side == "high" else figures.low - level.value
