"""`machine_condition`: what a machine's signals say, for the model; the same findings that a report is made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

from agent.api import (
    Binds,
    Env,
    InputError,
    Period,
    Record,
    SeriesReader,
    Tool,
    ToolFailed,
    ToolResult,
    TurnView,
    resolve_period,
    say,
    tool,
)
from knowledge.tokens import place_of
from plugins.maintenance.analysis import analyse, wall_seconds
from plugins.maintenance.machines import Sheet, load_sheets, machines_path
from plugins.maintenance.sources import sources_of
from plugins.maintenance.values import Analysis
from plugins.maintenance.zones import load_zones

__all__ = ["MachineTools", "analysis_of", "machines_in", "sheets_of"]

_CUES = (
    "状态",
    "状况",
    "健康",
    "振动",
    "轴承",
    "趋势",
    "怎么样",
    "正常吗",
    "condition",
    "health",
    "vibrat",
    "bearing",
    "trend",
    "how is",
    "doing",
)
_EXAMPLES = ("一号泵的设备状态怎么样?", "How is the condition of the fan this week?", "最近一个月风机振动正常吗?")
_USUAL_DAYS = 7
_SHOWN = 12


class MachineTools:
    """The tools over the machines of `machines.toml`."""

    def __init__(self, env: Env, series: SeriesReader | None = None) -> None:
        self._env = env
        self._series = series

    def tools(self) -> Iterable[Tool]:
        """As the model sees them; none where no machine is known."""
        return [tool(risk="read", cues=_CUES, examples=_EXAMPLES, asked=self._asked)(self.machine_condition)]

    def _asked(self, part: str) -> bool:
        """A machine by name, and a word for how it is."""
        said = part.casefold()
        return any(cue in said for cue in _CUES) and bool(machines_in(part, self._env))

    def machine_condition(
        self,
        turn: TurnView,
        machine: Annotated[str, Binds("machine")],
        period: Annotated[str | None, Binds("period")] = None,
    ) -> ToolResult:
        """Say what the signals of a machine (vibration, temperature, pressure) show: trend, anomalies, zones."""
        sheet = next((s for s in sheets_of(self._env) if s.name == machine), None)
        if sheet is None:
            raise ToolFailed(f"machine {machine!r} is not in machines.toml")
        span = _span(period, turn.now)
        found = analysis_of(sheet, self._env, span.start, span.end, self._series)
        told = [finding for finding in found.findings if finding.present]
        records = tuple(
            Record(f"F{n}", "finding", f.line, {"key": f.key, "severity": f.severity, **f.figures}, f.source)
            for n, f in enumerate(told[:_SHOWN], start=1)
        )
        stated = say(
            f"{machine},{span.stated()}:{len(found.features)} 个信号,{len(told)} 项发现",
            f"{machine}, {span.stated()}: {len(found.features)} signals, {len(told)} findings",
        )
        return ToolResult(records, notes=(stated, *found.missing), truncated=len(told) > _SHOWN)


def sheets_of(env: Env) -> tuple[Sheet, ...]:
    """The machines of this box.

    :raises InputError: `machines.toml` is not sound.
    """
    return load_sheets(machines_path(env.home, env.settings.maintenance), env.settings.maintenance)


def machines_in(question: str, env: Env) -> dict[str, int]:
    """Machines that stand in a question by name or title, and where; none where `machines.toml` is not sound."""
    try:
        sheets = sheets_of(env)
    except InputError:
        return {}
    found = {}
    for sheet in sheets:
        names = [sheet.name, *((sheet.title.zh, sheet.title.en) if sheet.title else ())]
        places = [place for name in names if (place := place_of(name, question)) >= 0]
        if places:
            found[sheet.name] = min(places)
    return found


def analysis_of(sheet: Sheet, env: Env, start: datetime, end: datetime, series: SeriesReader | None = None) -> Analysis:
    """Read a machine's signals, with the history that shows what is usual, and look at them.

    :raises InputError: the table of zones is not sound.
    """
    settings = env.settings.maintenance
    since = wall_seconds(start) - settings.history_days * 86_400
    sources, missing = sources_of(sheet, env, since, wall_seconds(end), series)
    found = analyse(sheet, sources, (), end, zones=load_zones(settings), settings=settings, period=end - start)
    return Analysis(
        found.machine,
        found.features,
        found.findings,
        found.episodes,
        found.trends,
        found.spectra,
        (*missing, *found.missing),
    )


def _span(phrase: str | None, now: datetime) -> Period:
    if phrase is None or not phrase.strip():
        return Period("", now - timedelta(days=_USUAL_DAYS), now)
    period = resolve_period(phrase.strip(), now)
    if period is None:
        raise ToolFailed(
            f"period {phrase!r} is no span of time that is known here; say for example 最近三天 or last week"
        )
    return period
