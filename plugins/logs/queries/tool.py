"""`event_statistics`: the tool over the log's events. It tells by itself when it is meant (`Tool.asked`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from agent.api import Binds, DatabaseError, Env, Tool, ToolFailed, ToolResult, TurnView, tool
from plugins.logs.database import LogDatabase
from plugins.logs.interface import Filter
from plugins.logs.matching import meant_by
from plugins.logs.periods import ends_of, resolve, spans_in
from plugins.logs.queries.answers import answer, unknown_value
from plugins.logs.queries.asked import EventAsk, understand
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
_TOLD = frozenset({"flood", "chatter", "stale", "top", "bottom", "distribution"})
"""Kinds that are answered where words are left, and say so."""


class EventTool:
    """The tool over one plant's events."""

    def __init__(self, env: Env, log: LogDatabase) -> None:
        self._env = env
        self._log = log

    def tool(self) -> Tool:
        """As the loop sees it."""
        return tool(risk="read", cues=_CUES, examples=_EXAMPLES, asked=self.is_asked)(self.event_statistics)

    def is_asked(self, part: str) -> bool:
        """Whether a part of a question asks for a figure of events that this tool has and no simpler one."""
        try:
            ask = understand(part, self._log)
            return ask is not None and _is_ours(ask) and self._log.span()[2] > 0
        except DatabaseError:
            return False  # another tool is called, and says what is wrong with the log

    def event_statistics(
        self,
        turn: TurnView,
        asked: Annotated[str, Binds("phrase")],
        period: Annotated[str | None, Binds("period")] = None,
    ) -> ToolResult:
        """Compute figures of the alarm log: most frequent, by hour or area, floods, chattering, mean time between."""
        ask = understand(asked, self._log)
        if ask is None:
            raise ToolFailed("no figure of the alarm log is asked for; ask for example which tag has the most alarms")
        if (told := unknown_value(ask, self._log)) is not None:
            return told
        settings, ends = self._env.settings, ends_of(self._log, turn.now)
        spans = spans_in(asked, turn.now, settings, self._log, within=ends)
        if not spans and period:
            spans = [resolve(period, turn.now, settings, self._log, within=ends)]
        which = [(one, self._filter(one)) for one in _apart(ask)]
        each = [(one, replace(chosen, period=span)) for one, chosen in which for span in spans] or which
        found = [answer(one, chosen, self._log, turn.now, settings.queries) for one, chosen in each]
        records = {record.id: record for result in found for record in result.records}
        return ToolResult(tuple(records.values()), notes=tuple(note for result in found for note in result.notes))

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
    if kind in _SPECIAL:
        return True
    if kind == "standing" and not ask.unknown:
        return True
    if not (ask.says_alarm or ask.columns or ask.equal or ask.names or ask.bucket):
        return False
    if ask.unknown:
        return (kind in _TOLD or len(ask.columns) == 1) and bool(ask.columns or ask.bucket)
    return not (kind == "count" and len(ask.names) == 1 and not ask.equal)
