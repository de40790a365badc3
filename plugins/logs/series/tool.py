"""`series_statistics`: the tool over the log's series. It tells by itself when it is meant (`Tool.asked`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from agent.api import Binds, DatabaseError, Env, Period, Tool, ToolFailed, ToolResult, TurnView, tool
from plugins.logs.interface import EventLog, Signal
from plugins.logs.periods import resolve, spans_in
from plugins.logs.series.answers import answer
from plugins.logs.series.asked import SeriesAsk, understand
from plugins.logs.series.signals import is_label, meant_pair, meant_signals

__all__ = ["SeriesTool"]

_EXAMPLES = (
    "What was the highest oil pressure yesterday and when?",
    "昨天油压的平均值是多少?",
    "How long was the level below 20 in the last week?",
    "振动值第一次超过4.5是什么时候?",
)
_CUES = ("最大值", "最小值", "平均值", "峰值", "maximum", "minimum", "average", "sampling", "采样")


class SeriesTool:
    """The tool over one plant's series."""

    def __init__(self, env: Env, log: EventLog, *, unless: Callable[[str], bool]) -> None:
        """:param unless: whether a part of a question is about events."""
        self._env = env
        self._log = log
        self._unless = unless

    def tool(self) -> Tool:
        """As the loop sees it."""
        return tool(risk="read", cues=_CUES, examples=_EXAMPLES, asked=self.is_asked)(self.series_statistics)

    def is_asked(self, part: str) -> bool:
        """Whether a part of a question asks for a figure of a series that the log has."""
        ask = understand(part)
        if ask is None:
            return False
        try:
            return bool(self._meant(ask)[0]) and not self._unless(part)
        except DatabaseError:
            return False  # another tool is called, and says what is wrong with the log

    def series_statistics(
        self,
        turn: TurnView,
        asked: Annotated[str, Binds("phrase")],
        period: Annotated[str | None, Binds("period")] = None,
    ) -> ToolResult:
        """Compute figures of a measured signal in the log: extremes, mean, time above a limit, gaps."""
        ask = understand(asked)
        signals, every = self._meant(ask) if ask else ((), [])
        if ask is None or not signals:
            known = ", ".join(signal.tag for signal in every[:10]) or "none"
            raise ToolFailed(f"no figure of a series of the log is asked for; the series are: {known}")
        ends = (min(s.first for s in signals), max(s.last for s in signals))
        settings = self._env.settings
        periods = spans_in(asked, turn.now, settings, self._log, within=ends)
        if not periods and period:
            periods = [resolve(period, turn.now, settings, self._log, within=ends)]
        return answer(ask, signals, every, _distinct(periods), self._log, turn.now)

    def _meant(self, ask: SeriesAsk) -> tuple[tuple[Signal, ...], list[Signal]]:
        """The series of a question, and all there are."""
        every = self._log.signals()
        if pair := meant_pair(ask.names_text, every):
            return pair, every
        meant = meant_signals(ask.names_text, every)
        if ask.relation == "correlation" or (ask.of_two and len(meant.signals) < 2 and not ask.compares_spans):
            return (), every  # of one series there is none
        if "windows" in ask.figures:
            return tuple(signal for signal in every if is_label(signal))[:1], every
        if "signals" in ask.figures:
            return tuple(every[:1]), every
        if not meant.signals and ask.figures[0] in ("gaps", "duplicates", "order", "interval", "span", "count"):
            return _of_one_file(every), every
        if ask.figures == ("value",) and not meant.named:
            return (), every
        return meant.signals, every


def _of_one_file(every: list[Signal]) -> tuple[Signal, ...]:
    """For questions about the data itself: where all series are of one file, the fullest stands for all."""
    alike = {(signal.source, signal.first, signal.last) for signal in every}
    return (max(every, key=lambda signal: signal.count),) if len(alike) == 1 else ()


def _distinct(periods: list[Period]) -> list[Period]:
    return list({(p.start, p.end): p for p in periods}.values())
