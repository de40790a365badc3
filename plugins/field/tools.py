"""`field_check`: whether something may be done now, by the plant's own rules; and what a figure of the field is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from agent.api import (
    Binds,
    DatabaseError,
    Env,
    InputError,
    Record,
    Said,
    Series,
    SeriesReader,
    Tool,
    ToolFailed,
    ToolResult,
    TurnView,
    resolve_period,
    say,
    tool,
)
from knowledge.errors import KnowledgeError
from knowledge.store import KnowledgeStore
from plugins.field.conditions import Vocabulary
from plugins.field.figures import Measured, read_figures, span_of
from plugins.field.judging import Judged, distinct, judge, verdict_of
from plugins.field.questions import Ask, understand
from plugins.field.rules import Rulebook, applying, read_rules
from plugins.field.sheet import Decision, Figure, Scope, load_sheet, sheet_path
from plugins.field.values import Rule, Unchecked
from plugins.field.wording import (
    figure_record,
    not_understood,
    rule_record,
    scope_names,
    unchecked_record,
    verdict_line,
)

__all__ = ["FieldTools", "tools_of"]

_EXAMPLES = ("今天适合打药吗?", "Can we spray today?", "最近三天降雨量多少?", "冷库现在能发货吗?")
_CUES = ("适合", "能不能", "可以", "降雨", "suitable", "allowed", "rainfall")


class FieldTools:
    """The tool over one sheet."""

    def __init__(self, env: Env, series: SeriesReader | None) -> None:
        """:raises InputError: `field.toml` is not sound."""
        self._env = env
        self._series = series or _nothing
        self._vocabulary = Vocabulary(load_sheet(sheet_path(env.home, env.settings.field), env.settings.field))
        self._store = KnowledgeStore(env.home.knowledge_db, env.settings.knowledge.busy_seconds)

    def tools(self) -> list[Tool]:
        """None where nothing can be asked: a tool for nothing costs every question time."""
        sheet = self._vocabulary.sheet
        made = tool(risk="read", cues=_CUES, examples=_EXAMPLES, asked=self.is_asked)
        return [made(self.field_check)] if sheet.figures else []

    def is_asked(self, part: str) -> bool:
        """Whether a part of a question asks for a decision or a figure of the sheet."""
        return understand(part, self._vocabulary) is not None

    def field_check(
        self,
        turn: TurnView,
        asked: Annotated[str, Binds("phrase")],
        period: Annotated[str | None, Binds("period")] = None,
    ) -> ToolResult:
        """Say whether work may be done now by the plant's rules, or what was measured in the field."""
        ask = understand(asked, self._vocabulary)
        if ask is None:
            raise ToolFailed("no decision and no figure of field.toml is asked for")
        if ask.left:
            return ToolResult(notes=(not_understood(ask.left),))
        if ask.other_time:
            return ToolResult(notes=(_only_now(ask.other_time),))
        try:
            return self._decided(ask, ask.decision, turn) if ask.decision else self._told(ask, period, turn)
        except KnowledgeError as error:
            raise DatabaseError(str(error)) from None

    def _told(self, ask: Ask, period: str | None, turn: TurnView) -> ToolResult:
        """The figures that are asked for."""
        phrase = ask.periods[-1] if ask.periods else period
        span = resolve_period(phrase, turn.now) if phrase else None
        if phrase and span is None:
            return ToolResult(notes=(_only_now(phrase),))
        if span is not None and span.start >= turn.now:
            return ToolResult(notes=(_only_now(phrase or ""),))
        back = (turn.now - span.start).total_seconds() if span else 0.0
        measured = self._read([(figure, back or _usual(figure)) for figure in ask.figures], turn.now)
        records = []
        for figure in ask.figures:
            one = measured[figure.name]
            if span is None:
                over = span_of(one, _usual(figure))
            else:
                past = (turn.now - span.end).total_seconds()
                over = span_of(one, (span.end - span.start).total_seconds(), one.now - past if past > 0 else None)
            records.append(figure_record(self._number(figure), one, over))
        return ToolResult(tuple(records))

    def _decided(self, ask: Ask, decision: Decision, turn: TurnView) -> ToolResult:
        """The rules of a decision, each held against what was measured, and what follows."""
        settings = self._env.settings
        book = read_rules(self._store, decision, self._vocabulary, settings.field, settings.turn)
        if book.missing:
            return ToolResult(notes=(_missing(decision, book.missing),))
        strange = [scope for scope in ask.scopes if scope not in book.mentioned]
        if strange:
            return ToolResult(notes=(_not_mentioned(decision, strange),))
        holding, limited = applying([*book.rules, *book.unchecked], ask.scopes)
        if not holding and not limited:
            return ToolResult(notes=(_no_rules(decision, ask, book),))
        rules = [rule for rule in (*holding, *limited) if isinstance(rule, Rule)]
        measured = self._read([(c.figure, c.span_seconds) for rule in rules for c in rule.comparisons], turn.now)
        judged = [judge(rule, measured) for rule in holding if isinstance(rule, Rule)]
        others = [judge(rule, measured) for rule in limited if isinstance(rule, Rule)]
        unread = [rule for rule in holding if isinstance(rule, Unchecked)]
        verdict = verdict_of(judged, unchecked=bool(unread))
        told, aside = distinct(judged, turn.language), distinct(others, turn.language)
        line = verdict_line(decision, verdict, told, ask.scopes) if holding else _say_which(decision, limited)
        notes = [line, *([_unread(len(unread))] if unread and verdict == "open" else [])]
        shown = self._shown(decision, told, unread, aside)
        most = settings.field.shown_rules
        if len(shown) > most:
            notes.append(_cut(len(shown), most))
        records = (*self._figures(judged, measured), *shown[:most])
        return ToolResult(records, notes=tuple(notes), truncated=len(shown) > most)

    def _shown(
        self, decision: Decision, told: Sequence[Judged], unread: Sequence[Unchecked], aside: Sequence[Judged]
    ) -> list[Record]:
        """The rules as records: what decides first, what is for something else last."""
        number = self._vocabulary.sheet.decisions.index(decision) + 1
        order = sorted(told, key=lambda one: (one.met is not False, one.met is not None))
        shown = [rule_record(f"{number}.{n}", one) for n, one in enumerate(order, start=1)]
        shown += [unchecked_record(f"{number}.{n}", one) for n, one in enumerate(unread, start=len(shown) + 1)]
        return shown + [
            rule_record(f"{number}.{n}", one, limited=True) for n, one in enumerate(aside, start=len(shown) + 1)
        ]

    def _figures(self, judged: Sequence[Judged], measured: dict[str, Measured]) -> list[Record]:
        """Each figure and span that a rule was held against, once."""
        wanted = {(c.comparison.figure.name, c.comparison.span_seconds): c for one in judged for c in one.checked}
        return [
            figure_record(self._number(c.comparison.figure), measured[name], c.span) for (name, _), c in wanted.items()
        ]

    def _number(self, figure: Figure) -> int:
        return self._vocabulary.sheet.figures.index(figure) + 1

    def _read(self, figures: Sequence[tuple[Figure, float]], now: datetime) -> dict[str, Measured]:
        return read_figures(figures, self._series, now, self._env.settings.field)


def _usual(figure: Figure) -> float:
    """How far back is told where nobody says: a day of what adds up."""
    return 86_400.0 if figure.adds_up else 0.0


def _nothing(tags: Sequence[str], start: datetime, end: datetime) -> tuple[Series, ...]:
    return ()


def _only_now(said: str) -> Said:
    return say(
        f"只能按现有数据判断现在,不能判断“{said}”",
        f"only now can be judged by what was measured, not “{said}”",
    )


def _missing(decision: Decision, titles: Sequence[str]) -> Said:
    zh, en = "、".join(f"《{title}》" for title in titles), ", ".join(f"“{title}”" for title in titles)
    what = decision.called()
    return say(
        f"结论:无法判断“{what['zh']}”:知识库中没有 {zh};用 `watchkeeper kb add 文件` 添加",
        f"Verdict: unknown for {what['en']}: {en} is not in the manuals; add it with `watchkeeper kb add FILE`",
    )


def _not_mentioned(decision: Decision, scopes: Sequence[Scope]) -> Said:
    what, who = decision.called(), scope_names(scopes)
    return say(
        f"结论:无法判断:“{what['zh']}”的规定没有提到{who['zh']}",
        f"Verdict: unknown: the rules for {what['en']} do not speak of {who['en']}",
    )


def _no_rules(decision: Decision, ask: Ask, book: Rulebook) -> Said:
    what, who = decision.called(), scope_names(ask.scopes)
    if ask.scopes and (book.rules or book.unchecked):
        every: list[Rule | Unchecked] = [*book.rules, *book.unchecked]
        others = scope_names(list(dict.fromkeys(scope for rule in every for scope in rule.scopes)))
        return say(
            f"结论:无法判断:没有针对{who['zh']}的“{what['zh']}”规定(只有 {others['zh']} 的)",
            f"Verdict: unknown: there are no rules for {what['en']} of {who['en']} (only of {others['en']})",
        )
    return say(
        f"结论:无法判断:指定的文件中没有“{what['zh']}”的规定",
        f"Verdict: unknown: the manuals that field.toml names hold no rule for {what['en']}",
    )


def _say_which(decision: Decision, limited: Sequence[Rule | Unchecked]) -> Said:
    what = decision.called()
    names = scope_names(list(dict.fromkeys(scope for rule in limited for scope in rule.scopes)))
    return say(
        f"结论:无法判断“{what['zh']}”:规定分对象({names['zh']}),请说明是哪一个;各自的情况见下",
        f"Verdict: unknown for {what['en']}: the rules are for {names['en']}; say which one. Each is shown below",
    )


def _unread(count: int) -> Said:
    return say(
        f"有 {count} 条规定程序不能核对,请人工核对后再决定",
        f"rules that the program cannot compare, and a person has to check: {count}",
    )


def _cut(count: int, shown: int) -> Said:
    return say(f"共 {count} 条,列出前 {shown} 条", f"{count} rules; the first {shown} are shown")


def tools_of(env: Env, series: SeriesReader | None) -> list[Tool]:
    """The tools of a box; none where `field.toml` is not sound, which `doctor` says."""
    try:
        return FieldTools(env, series).tools()
    except InputError:
        return []
