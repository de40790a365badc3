"""`event_statistics`: the tool over the log's events. It tells by itself when it is meant (`Tool.asked`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, get_args

from agent.api import Binds, Choice, DatabaseError, Env, Tool, ToolFailed, ToolResult, TurnView, tool
from plugins.logs.database import LogDatabase
from plugins.logs.interface import Filter
from plugins.logs.matching import meant_by
from plugins.logs.periods import ends_of, resolve, spans_in
from plugins.logs.queries.answers import answer, unknown_value
from plugins.logs.queries.asked import EventAsk, Kind, understand
from plugins.logs.series.leftover import clauses
from plugins.logs.series.operations import name_choice
from plugins.logs.series.tool import not_understood
from plugins.logs.symptom import squeeze

__all__ = ["EventTool"]

_EXAMPLES = (
    "Which tag has the most alarms this month?",
    "本月哪个位号报警最多?",
    "Was there an alarm flood last night?",
    "报警按小时的分布?",
)
_CUES = ("最多", "分布", "泛滥", "抖动", "most alarms", "flood", "chattering", "per hour")
_SPECIAL = frozenset({"flood", "chatter", "stale"})
"""Kinds that are about events whatever else a question says."""
_COMPARED = frozenset({"top", "bottom", "distribution"})
_FIGURES = frozenset(get_args(Kind)) - {"list", "before", "standing"}
_NAMED = ("text", "tag", "area")
_LEAST_NAMES, _MOST_NAMES = 2, 24
"""Names between which a word can tell, and that a model chooses among."""


class EventTool:
    """The tool over one plant's events."""

    def __init__(self, env: Env, log: LogDatabase, *, otherwise: Callable[[str], bool]) -> None:
        """:param otherwise: whether a part of a question asks for a figure of a series."""
        self._env = env
        self._log = log
        self._otherwise = otherwise

    def tool(self) -> Tool:
        """As the loop sees it."""
        make = tool(risk="read", cues=_CUES, examples=_EXAMPLES, asked=self.is_asked, choice=self.choice)
        return make(self.event_statistics)

    def is_asked(self, part: str) -> bool:
        """Whether a part of a question asks for a figure of events; also where a word of it is not understood, so that
        no simpler tool answers without that word."""
        return self.is_sure(part) or (self._unsure(part) is not None and not self._otherwise(part))

    def is_sure(self, part: str) -> bool:
        """Whether a part of a question asks for a figure of events that this tool has and no simpler one."""
        ask = self._understood(part)
        return ask is not None and _is_ours(ask)

    def choice(self, part: str) -> Choice | None:
        """What a model is asked: which name of the log is meant by a word that no rule knows."""
        ask = self._unsure(part)
        if ask is None or clauses(part):
            return None
        names = list(dict.fromkeys(name for column in _NAMED for name in self._log.names(column) if name))
        if not _LEAST_NAMES <= len(names) <= _MOST_NAMES:
            return None
        return name_choice(part, ask.unknown, names, parameter="name")

    def _unsure(self, part: str) -> EventAsk | None:
        """What is asked where a word of it is not understood."""
        ask = self._understood(part)
        if ask is None or not ask.unknown or ask.kinds[0] not in _FIGURES:
            return None
        located = ask.equal and (ask.kinds != ("count",) or clauses(part))  # how much is no count, nor is where
        return ask if ask.says_alarm or ask.columns or ask.names or located else None

    def _understood(self, part: str) -> EventAsk | None:
        try:
            return understand(part, self._log) if self._log.span()[2] > 0 else None
        except DatabaseError:
            return None  # another tool is called, and says what is wrong with the log

    def event_statistics(
        self,
        turn: TurnView,
        asked: Annotated[str, Binds("phrase")],
        period: Annotated[str | None, Binds("period")] = None,
        name: Annotated[str | None, Binds("name")] = None,
    ) -> ToolResult:
        """Compute figures of the alarm log: most frequent, by hour or area, floods, chattering, mean time between."""
        # `name` is the alarm, tag or area that is meant, where the question's words do not say it by rules.
        ask = understand(asked, self._log)
        if ask is not None and name:
            ask = self._named(ask, name)
        if ask is None:
            raise ToolFailed("no figure of the alarm log is asked for; ask for example which tag has the most alarms")
        if (told := unknown_value(ask, self._log)) is not None:
            return told
        if ask.unknown:
            return not_understood([ask.unknown])
        settings, ends = self._env.settings, ends_of(self._log, turn.now)
        spans = spans_in(asked, turn.now, settings, self._log, within=ends)
        if not spans and period:
            spans = [resolve(period, turn.now, settings, self._log, within=ends)]
        which = [(one, self._filter(one)) for one in _apart(ask)]
        each = [(one, replace(chosen, period=span)) for one, chosen in which for span in spans] or which
        found = [answer(one, chosen, self._log, turn.now, settings.queries) for one, chosen in each]
        records = {record.id: record for result in found for record in result.records}
        return ToolResult(tuple(records.values()), notes=tuple(note for result in found for note in result.notes))

    def _named(self, ask: EventAsk, name: str) -> EventAsk:
        """The same about a name of the log."""
        if name in self._log.names("area"):
            return replace(ask, equal={**ask.equal, "area": name}, parts=(), unknown="")
        return replace(ask, names=(name,), parts=(), unknown="")

    def _filter(self, ask: EventAsk) -> Filter:
        """The events that a question is about, whenever they were."""
        texts: dict[str, None] = {}
        tags: dict[str, None] = {}
        for name in ask.names:
            meant = meant_by(name, self._log)
            texts.update(dict.fromkeys(meant.texts))
            tags.update(dict.fromkeys(meant.tags))
        for part in ask.parts:
            key = squeeze(part)
            texts.update(dict.fromkeys(text for text in self._log.names("text") if key in squeeze(text)))
            tags.update(dict.fromkeys(tag for tag in self._log.names("tag") if key in squeeze(tag)))
        return Filter(texts=tuple(texts), tags=tuple(tags), equal=ask.equal)


def _apart(ask: EventAsk) -> list[EventAsk]:
    """Several alarms, or several values of one column, that are counted or compared: a question for each."""
    if ask.kinds[0] in ("before", "flood", "chatter", "distinct") or (ask.also and len(ask.names) > 1):
        return [ask]
    kinds = ("count",) if ask.kinds[0] in _COMPARED and not ask.columns else ask.kinds
    if (len(ask.names) > 1 and kinds != ask.kinds) or (len(ask.names) > 1 and ask.kinds == ("count",)):
        return [replace(ask, kinds=kinds, names=(name,)) for name in ask.names]
    if not ask.also:
        return [ask]
    column = ask.also[0][0]
    values = [ask.equal[column], *(value for name, value in ask.also if name == column)]
    return [replace(ask, kinds=kinds, equal={**ask.equal, column: value}, also=()) for value in values]


def _is_ours(ask: EventAsk) -> bool:
    """Not where a named alarm is only counted or listed, and not where something in the question is not understood."""
    kind = ask.kinds[0]
    if ask.unknown:
        return False
    if kind in _SPECIAL or kind == "standing":
        return True
    if not (ask.says_alarm or ask.columns or ask.equal or ask.names or ask.bucket):
        return False
    return not (kind == "count" and len(ask.names) == 1 and not ask.equal)
