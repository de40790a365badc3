"""The drawings of alarms: by kind, by day. `agent.reports.curves` has those of values and spectra.

Labels stand at what they name, so no legend has to be looked up; what is bad is darker or hatched, so that it shows in
black and white too.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.reports.alarms import AlarmFigures, Bar
from agent.reports.scene import BLUE, INK, ORANGE, PAPER, SOFT, Line, Rect, Scene, Text, cut_to
from agent.settings import ReportSettings
from agent.values import Language, say

__all__ = ["calendar", "pareto"]

_SHADES = ("#f2f4f7", "#cfdcea", "#9dbbd6", "#5f8fb9", "#2f6690", "#173c5c")
_DAYS = {"zh": "一二三四五六日", "en": "MTWTFSS"}
_WEEKS = 14
_OTHERS = say("其余 {n} 种", "{n} other kinds")
_BEFORE = say("| 处为历史同期均值", "| marks the average of the history")
_PARETO = say("报警排序(次数)", "Alarms by kind (count)")
_CALENDAR = say("每日报警数", "Alarms a day")
_URGENT = say("斜线:高级别", "hatched: urgent")


def pareto(alarms: AlarmFigures, language: Language, settings: ReportSettings, *, width: float) -> Scene:
    """Bars, most frequent first, each under its name, with a tick at what the history makes one expect."""
    rows = _rows(alarms, language, settings)
    row_height, top, size = 34.0, 34.0, 12.0
    scene = Scene(width, top + row_height * len(rows) + 20, _PARETO[language])
    scene.add(Text(0, 14, _PARETO[language], 13, bold=True))
    shown = rows[: settings.shown_alarms]
    most = max((max(count, expected or 0) for _, count, expected, _ in shown), default=1) or 1
    room = width - 44
    for i, (name, count, expected, urgent) in enumerate(rows):
        y = top + i * row_height
        if i >= len(shown):  # many kinds in one bar would dwarf each of the others
            scene.add(Text(0, y + 12, f"{name}: {count}", size, SOFT))
            continue
        long = max(room * count / most, 1.0)
        scene.add(Text(0, y + 8, cut_to(name, size, width - 4), size))
        scene.add(Rect(0, y + 13, long, 12, fill=BLUE, opacity=1 if urgent else 0.75))
        if urgent:
            scene.add(Rect(0, y + 13, long, 12, ink=PAPER, line=0, hatch=6))
        scene.add(Text(long + 6, y + 23, str(count), size, bold=True))
        if expected is not None:
            at = room * expected / most
            scene.add(Line(((at, y + 10), (at, y + 28)), INK, 1.6))
    notes = [_URGENT[language]] if any(urgent for *_, urgent in rows) else []
    notes += [_BEFORE[language]] if any(expected is not None for _, _, expected, _ in rows) else []
    scene.add(Text(0, scene.height - 4, " · ".join(notes), 10, SOFT))
    return scene


def calendar(alarms: AlarmFigures, start: datetime, end: datetime, language: Language, *, width: float) -> Scene:
    """A square for each day, a column for each week; the days of the period are framed."""
    days = dict(alarms.days)
    last = (end - timedelta(microseconds=1)).date()
    first = max(min(days, default=last), last - timedelta(weeks=_WEEKS - 1, days=last.weekday()))
    monday = first - timedelta(days=first.weekday())
    weeks = (last - monday).days // 7 + 1
    left, top = 26.0, 52.0
    cell = min((width - left) / max(weeks, 6), 30.0)
    scene = Scene(width, top + cell * 7 + 26, _CALENDAR[language])
    scene.add(Text(0, 14, _CALENDAR[language], 13, bold=True))
    most = max(days.values(), default=0)
    for row, name in enumerate(_DAYS[language]):
        scene.add(Text(left - 8, top + cell * (row + 0.5) + 4, name, 11, SOFT, "end"))
    month = 0
    for week in range(weeks):
        begins = monday + timedelta(weeks=week)
        if begins.month != month:
            month = begins.month
            name = f"{month}月" if language == "zh" else f"{begins:%b}"
            scene.add(Text(left + cell * week, top - 6, name, 11, SOFT))
        for row in range(7):
            day = begins + timedelta(days=row)
            if first <= day <= last and day in days:
                _day(scene, left + cell * week, top + cell * row, cell, days[day], most)
                if start.date() <= day <= last:
                    x, y = left + cell * week + 1, top + cell * row + 1
                    scene.add(Rect(x, y, cell - 2, cell - 2, ink=ORANGE, line=2.2))
    framed = say("框内:本期", "framed: this period")[language]
    scene.add(Text(left, scene.height - 6, framed, 10, SOFT))
    return scene


def _day(scene: Scene, x: float, y: float, cell: float, count: int, most: int) -> None:
    shade = 0 if not count else 1 + min(4, (count - 1) * 5 // max(most, 5))
    scene.add(Rect(x + 1, y + 1, cell - 2, cell - 2, fill=_SHADES[shade]))
    if count and cell >= 14:
        ink = PAPER if shade >= 3 else INK
        scene.add(Text(x + cell / 2, y + cell / 2 + 4, str(count), min(11, cell * 0.5), ink, "middle"))


def _rows(
    alarms: AlarmFigures, language: Language, settings: ReportSettings
) -> list[tuple[str, int, float | None, bool]]:
    """(name, count, expected, urgent) of each bar; the rest is one bar."""
    share = None
    if alarms.expected is not None and alarms.history:
        share = alarms.expected / len(alarms.history)
    shown, rest = alarms.bars[: settings.shown_alarms], alarms.bars[settings.shown_alarms :]
    urgent = {(e.tag, e.text) for e in alarms.urgent}
    rows = [
        (f"{bar.text}  {bar.tag}", bar.count, None if share is None else bar.before * share, _key(bar) in urgent)
        for bar in shown
    ]
    if rest:
        rows.append((_OTHERS[language].format(n=len(rest)), sum(bar.count for bar in rest), None, False))
    return rows


def _key(bar: Bar) -> tuple[str, str]:
    return bar.tag, bar.text
