"""What was seen, as lines with ids; what to watch; the figures that a summary may be worded from."""

from __future__ import annotations

from collections.abc import Sequence

from agent.reports.alarms import AlarmFigures
from agent.reports.causes import Cause
from agent.reports.readings import Crossing, SeriesFigures
from agent.reports.report import SeenLine
from agent.reports.risk import RiskLevel
from agent.reports.values import Level, Sign
from agent.reports.wording import Fact
from agent.values import Said, say

__all__ = ["missing_lines", "number", "rough", "seen_lines", "summary_facts", "watch_lines"]

_SHOWN_IDS = 4
_SHOWN_CAUSES = 2


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
        for level in figures.trend.levels:
            near = _nearness(figures, level)
            if near is not None:
                lines.append(near)
    lines += [
        say(f"仍在报警:{e.text} {e.tag} [{e.id}]", f"still standing: {e.text} {e.tag} [{e.id}]")
        for e in alarms.standing[:_SHOWN_IDS]
    ]
    return tuple(lines)


def summary_facts(
    alarms: AlarmFigures, series: Sequence[SeriesFigures], causes: Sequence[Cause], risk: RiskLevel
) -> tuple[Fact, ...]:
    """The few facts that the line at the head is made of."""
    facts: list[Fact] = [_alarm_fact(alarms)] if alarms.count else []
    crossed = [(figures, c) for figures in series for c in figures.crossings]
    facts += [_crossing_fact(*max(crossed, key=lambda one: one[1].share))] if crossed else []
    facts += [_cause_fact(causes[:_SHOWN_CAUSES])] if causes else []
    word = risk.word
    facts.append(
        (
            say(f"风险等级{word['zh']}", f"the risk level is {word['en']}"),
            say(f"整体风险为{word['zh']}", f"overall the risk is {word['en']}"),
        )
    )
    return tuple(facts)


def _alarm_fact(alarms: AlarmFigures) -> Fact:
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


def number(value: float) -> str:
    """With as many digits as mean something."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def rough(value: float) -> str:
    """A mean, where more digits would pretend something."""
    return f"{value:.0f}" if abs(value) >= 20 else f"{value:.2g}"


def missing_lines(alarms: AlarmFigures, series: Sequence[SeriesFigures], *, has_log: bool) -> tuple[Said, ...]:
    """What the report had to do without."""
    lines = []
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
    for flood in alarms.floods:
        span = f"{flood.start:%m-%d %H:%M} – {flood.end:%H:%M}"
        ids = tuple(e.id for e in alarms.events if flood.start <= e.at <= flood.end)[:_SHOWN_IDS]
        lines.append(
            SeenLine(say(f"报警泛滥:{span},{flood.count} 条", f"alarm flood: {span}, {flood.count} alarms"), ids, True)
        )
    for event in alarms.stale:
        lines.append(
            SeenLine(
                say(
                    f"长时间未恢复:{event.text}({event.at:%m-%d %H:%M} 起)",
                    f"stood for more than a day: {event.text} (since {event.at:%m-%d %H:%M})",
                ),
                (event.id,),
                True,
            )
        )
    for event in alarms.standing:
        if event not in alarms.stale:
            line = say(
                f"期末仍在报警:{event.text}({event.at:%m-%d %H:%M} 起)",
                f"still standing at the end: {event.text} (since {event.at:%m-%d %H:%M})",
            )
            lines.append(SeenLine(line, (event.id,), True))
    return lines


def _count_line(alarms: AlarmFigures) -> SeenLine:
    if not alarms.count:
        return SeenLine(say("本期没有报警", "no alarm in this period"), ())
    zh, en = f"报警 {alarms.count} 次", f"{alarms.count} alarms"
    if alarms.between_hours is not None:
        zh += f",平均间隔 {rough(alarms.between_hours)} 小时"
        en += f", one every {rough(alarms.between_hours)} h on average"
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
    left = level.value - worst if level.side == "high" else worst - level.value
    if left > span:
        return None
    name, unit = figures.trend.name, figures.trend.unit
    return say(
        f"{name}:{'最高' if level.side == 'high' else '最低'} {number(worst)} {unit},{level.name['zh']}",
        f"{name}: {'highest' if level.side == 'high' else 'lowest'} {number(worst)} {unit}, {level.name['en']}",
    )
