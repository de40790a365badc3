"""What was seen, as lines with ids; what to watch; the figures that a summary may be worded from."""

from __future__ import annotations

from collections.abc import Sequence

from agent.reports.alarms import AlarmFigures
from agent.reports.causes import Cause
from agent.reports.readings import SeriesFigures
from agent.reports.report import SeenLine
from agent.reports.risk import RiskLevel
from agent.reports.values import Level, Sign
from agent.values import Said, say

__all__ = ["missing_lines", "number", "rough", "seen_lines", "summary_facts", "summary_line", "watch_lines"]

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
) -> tuple[Said, ...]:
    """The few facts that the one free line may speak of, worded so that nothing in them is negated."""
    facts = []
    if alarms.count:
        top = alarms.bars[0]
        facts.append(say(f"本期报警 {alarms.count} 次", f"{alarms.count} alarms in this period"))
        facts.append(
            say(f"最多的是“{top.text}”,{top.count} 次", f"the most frequent is “{top.text}”, {top.count} times")
        )
    for figures in [f for f in series if f.crossings][:1]:  # each costs the model a second
        for c in figures.crossings[:1]:
            name, unit = figures.trend.name, figures.trend.unit
            facts.append(
                say(
                    f"{name}超过{c.level.name['zh']} {c.times} 次,最高 {number(figures.high)} {unit}"
                    if c.level.side == "high"
                    else f"{name}低于{c.level.name['zh']} {c.times} 次,最低 {number(figures.low)} {unit}",
                    f"{name} went {'above' if c.level.side == 'high' else 'below'} {c.level.name['en']} {c.times} "
                    f"times, {'highest' if c.level.side == 'high' else 'lowest'} "
                    f"{number(figures.high if c.level.side == 'high' else figures.low)} {unit}",
                )
            )
    if causes:
        zh = "、".join(f"{c.name['zh']} {c.probability:.0%}" for c in causes[:_SHOWN_CAUSES])
        en = ", ".join(f"{c.name['en']} {c.probability:.0%}" for c in causes[:_SHOWN_CAUSES])
        facts.append(say(f"可能的原因:{zh}", f"likely causes: {en}"))
    facts.append(say(f"风险等级{risk.word['zh']}", f"the risk level is {risk.word['en']}"))
    return tuple(facts)


def summary_line(facts: Sequence[Said]) -> Said:
    """The facts one after another: what stands where no model worded a line."""
    english = "; ".join(fact["en"] for fact in facts)
    return say(",".join(fact["zh"] for fact in facts) + "。", english[:1].upper() + english[1:] + ".")


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
