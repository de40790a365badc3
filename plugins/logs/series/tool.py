"""`series_statistics`: the tool over the log's series. It tells by itself when it is meant (`Tool.asked`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated

from agent.api import (
    Binds,
    Choice,
    DatabaseError,
    Env,
    Period,
    Tool,
    ToolFailed,
    ToolResult,
    TurnView,
    say,
    tool,
)
from agent.parts import asks_something
from plugins.logs.interface import EventLog, Signal
from plugins.logs.periods import resolve, spans_in
from plugins.logs.series.answers import answer
from plugins.logs.series.asked import Figure, SeriesAsk, understand
from plugins.logs.series.leftover import around, clauses, words_left
from plugins.logs.series.operations import figure_choice, figures_of, name_choice
from plugins.logs.series.signals import is_label, meant_pair, meant_signals

__all__ = ["SeriesTool", "not_understood"]

_EXAMPLES = (
    "What was the highest oil pressure yesterday and when?",
    "昨天油压的平均值是多少?",
    "How long was the level below 20 in the last week?",
    "振动值第一次超过4.5是什么时候?",
)
_CUES = ("最大值", "最小值", "平均值", "峰值", "maximum", "minimum", "average", "sampling", "采样")

_ANY: tuple[Figure, ...] = ("mean",)
"""Stands for a figure while it is looked at what else a question says."""
_MOST_LETTERS = {True: 24, False: 5}
"""Of the words by which a figure is asked for and that no rule knows, in English and in Chinese."""
_READ = re.compile(r"读数|数值|\b(?:readings?|values?|measured|read)\b")
"""Words for what the only series of a log says."""
_ASIDE = re.compile(r"[(（][^()（）]*[)）]")
_LEAST_NAMES = 2
"""Series between which a word can tell."""


class SeriesTool:
    """The tool over one plant's series."""

    def __init__(self, env: Env, log: EventLog, *, unless: Callable[[str], bool]) -> None:
        """:param unless: whether a part of a question is about events."""
        self._env = env
        self._log = log
        self._unless = unless

    def tool(self) -> Tool:
        """As the loop sees it."""
        make = tool(risk="read", cues=_CUES, examples=_EXAMPLES, asked=self.is_asked, choice=self.choice)
        return make(self.series_statistics)

    def is_asked(self, part: str) -> bool:
        """Whether a part of a question asks for a figure of a series that the log has."""
        ask = understand(part)
        if ask is None:
            return False
        try:
            return bool(self._meant(ask)[0]) and not self._unless(part)
        except DatabaseError:
            return False  # another tool is called, and says what is wrong with the log

    def choice(self, part: str) -> Choice | None:
        """What a model is asked: which figure, where a series is named and no figure; which series, where a name is
        said that no rule knows. None where the rules are sure, and where words restrict the answer."""
        try:
            ask = understand(part)
            if ask is None:
                return None if self._unless(part) else self._figure_choice(part)
            signals, every = self._meant(ask)
            left = self._left(ask, signals, every)
            return self._name_choice(part, ask, left, signals, every) if left else None
        except DatabaseError:
            return None

    def _figure_choice(self, part: str) -> Choice | None:
        bare = understand(part, _ANY)
        if bare is None or not asks_something(part):
            return None
        signals, every = self._meant(bare)
        left = words_left(bare.names_text, signals, every)
        named = meant_signals(bare.names_text, every).named
        if (
            bare.limit is not None
            or not named
            or clauses(bare.names_text)
            or sum(map(len, left)) > _MOST_LETTERS[part.isascii()]
        ):
            return None
        return figure_choice(part)

    def _name_choice(
        self, part: str, ask: SeriesAsk, left: Sequence[str], signals: Sequence[Signal], every: Sequence[Signal]
    ) -> Choice | None:
        plain = [signal.tag for signal in every if not is_label(signal)]
        if self._unless(part) or clauses(ask.names_text) or len(plain) < _LEAST_NAMES:
            return None
        word = around(ask.names_text, left, signals)
        if meant_signals(ask.names_text, every).named and word == " ".join(left):
            return None  # it stands beside no name, so it is none
        return name_choice(part, word, plain, parameter="signal")

    def _left(self, ask: SeriesAsk, signals: Sequence[Signal], every: Sequence[Signal]) -> tuple[str, ...]:
        """Words that were not understood; a clause about a second series is none that is."""
        windows = "windows" in ask.figures  # which of them an aside describes, no column says
        left = words_left(_ASIDE.sub(" ", ask.names_text) if windows else ask.names_text, signals, every)
        others = clauses(ask.names_text) if ask.limit is not None and len(signals) > 1 and not ask.relation else ()
        return left or tuple(clause.strip() for clause in others[:1])

    def series_statistics(
        self,
        turn: TurnView,
        asked: Annotated[str, Binds("phrase")],
        period: Annotated[str | None, Binds("period")] = None,
        operation: Annotated[str | None, Binds("operation")] = None,
        signal: Annotated[str | None, Binds("signal")] = None,
    ) -> ToolResult:
        """Compute figures of a measured signal in the log: extremes, mean, time above a limit, gaps."""
        # `operation` and `signal`: the figure and the series, where the question's words do not say them by rules.
        ask = understand(asked, figures_of(operation) if operation else ())
        signals, every = self._meant(ask) if ask else ((), [])
        if signal and ask:
            signals = tuple(one for one in every if one.tag == signal)
        elif ask and signals and not operation and (left := self._left(ask, signals, every)):
            return not_understood(left)
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
        if ask.figures == ("value",) and not meant.named and not _READ.search(ask.names_text):
            return (), every
        return meant.signals, every


def not_understood(left: Sequence[str]) -> ToolResult:
    """What is said instead of a figure that leaves out a part of the question."""
    zh, en = "、".join(f"“{word}”" for word in left), ", ".join(f"“{word}”" for word in left)
    return ToolResult(
        notes=(
            say(
                f"{zh}没看懂,它可能限定了要算的数据,所以没有计算;请换个说法",
                f"{en} was not understood; it may restrict what is to be computed, so nothing was: please say it in "
                "other words",
            ),
        )
    )


def _of_one_file(every: list[Signal]) -> tuple[Signal, ...]:
    """For questions about the data itself: where all series are of one file, the fullest stands for all."""
    alike = {(signal.source, signal.first, signal.last) for signal in every}
    return (max(every, key=lambda signal: signal.count),) if len(alike) == 1 else ()


def _distinct(periods: list[Period]) -> list[Period]:
    return list({(p.start, p.end): p for p in periods}.values())
