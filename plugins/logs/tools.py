"""The tools that know what happened: events of a span of time, events like one, how many.

What they return is computed here and shown as it is: every event is a record with its row's id, and a note states the
instants that were searched and the count. A log that cannot be read is a `DatabaseError`: a person has to put it right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from agent.api import (
    Binds,
    Env,
    Period,
    Said,
    Tool,
    ToolResult,
    TurnView,
    say,
    tool,
)
from plugins.logs.database import Event, Filter, LogDatabase
from plugins.logs.event_lines import event_record, fields_of
from plugins.logs.matching import Meant, meant_by
from plugins.logs.periods import ends_of, resolve
from plugins.logs.queries.tool import EventTool
from plugins.logs.series.tool import SeriesTool

__all__ = ["LogTools", "event_record", "fields_of"]

_SIMILAR_EXAMPLES = (
    "这个报警以前出现过吗?",
    "有没有类似的记录?",
    "Has this happened before?",
    "上次跳闸是什么时候?",
    "When was the last time?",
)
_COUNT_EXAMPLES = (
    "How many times did the dryer trip this week?",
    "上个月电机过载报警有几次?",
    "How often did the burner lock out?",
    "这个故障一共出现多少次?",
)
_RECENT_EXAMPLES = ("What happened on line 2 yesterday?", "今天夜里有哪些报警?", "Show the alarms of this shift.")


class LogTools:
    """The tools over one plant's log."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._log = LogDatabase(env.log_path, env.settings.logs)
        self._events = EventTool(env, self._log, otherwise=lambda part: self._series.is_asked(part))
        self._series = SeriesTool(env, self._log, unless=self._events.is_sure)

    def tools(self) -> Iterable[Tool]:
        """As the model sees them."""
        similar = ("类似", "以前", "之前", "出现过", "发生过", "同样", "上次", "曾")
        similar_en = ("similar", "before", "again", "earlier", "same", "ever ")
        recent = (
            "最近",
            "记录",
            "历史",
            "发生了什么",
            "哪些报警",
            "什么报警",
            "recent",
            "lately",
            "events",
            "history",
            "log",
            "happened",
            "alarms",
        )
        count = (
            "多少次",
            "几次",
            "次数",
            "多少条",
            "几条",
            "数量",
            "条数",
            "how many",
            "how often",
            "number of",
            "count",
            "times",
        )
        return [
            tool(risk="read", cues=(*similar, *similar_en), examples=_SIMILAR_EXAMPLES)(self.similar_events),
            tool(risk="read", cues=count, examples=_COUNT_EXAMPLES)(self.count_events),
            tool(risk="read", cues=recent, examples=_RECENT_EXAMPLES)(self.recent_events),
            self._events.tool(),
            self._series.tool(),
        ]

    def recent_events(self, turn: TurnView, period: Annotated[str | None, Binds("period")] = None) -> ToolResult:
        """List the events of the alarm log in a period, newest first."""
        settings = self._env.settings.logs
        span = self._resolved(period, turn.now)
        limit = settings.max_rows if span else settings.recent_rows
        events, total = self._log.events(Filter(period=span), now=turn.now, limit=limit)
        if span:
            return _listed(events, total, [_stated(None, span, total)], turn.now)
        notes = [
            say(f"没有指定时间,列出最近 {len(events)} 条", f"no period was named; the latest {len(events)} events")
        ]
        return ToolResult(tuple(event_record(e, turn.now) for e in events), notes=tuple(notes))

    def similar_events(
        self,
        turn: TurnView,
        like: Annotated[str, Binds("alarm", "tag")],
        period: Annotated[str | None, Binds("period")] = None,
    ) -> ToolResult:
        """Find earlier events like an alarm or tag in the alarm log."""
        return self._alike(turn, like, period, limit=self._env.settings.logs.max_rows)

    def count_events(
        self,
        turn: TurnView,
        like: Annotated[str, Binds("alarm", "tag")],
        period: Annotated[str | None, Binds("period")] = None,
    ) -> ToolResult:
        """Count the events like an alarm or tag in the alarm log."""
        return self._alike(turn, like, period, limit=self._env.settings.logs.counted_rows)

    def _alike(self, turn: TurnView, like: str, period: str | None, *, limit: int) -> ToolResult:
        """The count first, then the newest, so that a model that takes one tool for the other still answers."""
        span = self._resolved(period, turn.now)
        meant = meant_by(like, self._log)
        if not (meant.texts or meant.tags):
            return self._unknown(like, span)
        which = Filter(texts=meant.texts, tags=meant.tags, period=span)
        events, total = self._log.events(which, now=turn.now, limit=limit)
        return _listed(events, total, [self._stated(like, span, total), *_how(like, meant)], turn.now)

    def _resolved(self, phrase: str | None, now: datetime) -> Period | None:
        if phrase is None or not phrase.strip():
            return None
        return resolve(phrase, now, self._env.settings, self._log, within=ends_of(self._log, now))

    def _stated(self, like: str, span: Period | None, total: int) -> Said:
        if span is not None:
            return _stated(like, span, total)
        first, last, _ = self._log.span()
        window = f"{first[:16]} – {last[:16]}"
        return say(f"{like},全部记录({window}):{total} 条", f"{like}, whole log ({window}): {_events(total)}")

    def _unknown(self, like: str, span: Period | None) -> ToolResult:
        said = self._stated(like, span, 0)
        none = say(f"日志里没有叫“{like}”的报警或位号", f"the log has no alarm or tag called “{like}”")
        return ToolResult(notes=(said, none))


def _listed(events: list[Event], total: int, notes: list[Said], now: datetime) -> ToolResult:
    more = total > len(events)
    if more:
        notes.append(say(f"只列出最新的 {len(events)} 条", f"only the latest {len(events)} are listed"))
    return ToolResult(tuple(event_record(event, now) for event in events), notes=tuple(notes), truncated=more)


def _stated(like: str | None, span: Period, total: int) -> Said:
    what_zh = f"{like}," if like else ""
    what_en = f"{like}, " if like else ""
    return say(
        f"{what_zh}{span.phrase}({span.stated()}):{total} 条",
        f"{what_en}{span.phrase} ({span.stated()}): {_events(total)}",
    )


def _how(like: str, meant: Meant) -> list[Said]:
    """Says what was counted where that is not plainly the name that was given."""
    if not meant.part:
        return []
    named = "、".join(meant.texts)
    return [
        say(
            f"没有叫“{like}”的报警,按含有它的计:{named}",
            f"no alarm is called “{like}”; counted are those with it: {named}",
        )
    ]


def _events(total: int) -> str:
    return "1 event" if total == 1 else f"{total} events"
