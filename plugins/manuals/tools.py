"""The tools that know the books: find the passages that answer, hold the panel's readings against the limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, cast

from agent.api import (
    Binds,
    Env,
    Language,
    Passage,
    Perception,
    Record,
    Said,
    Tool,
    ToolFailed,
    ToolResult,
    TurnView,
    say,
    tool,
)
from agent.panel_records import position_words
from knowledge.errors import KnowledgeError
from knowledge.search import Hit, search
from knowledge.store import KnowledgeStore
from plugins.manuals.limits import Comparison, citation_of, compare

__all__ = ["ManualTools", "open_store"]

_SEARCH_EXAMPLES = (
    "这个红灯是什么意思?",
    "过滤器压差高怎么处理?",
    "轴承多久加一次油?",
    "How do I clear alarm A7?",
    "what should I do?",
)
_LIMIT_EXAMPLES = ("Is anything on this screen too high or too low?", "正常吗?")
_NAMED = 6
"""Labels that a note lists before it says how many more there are."""


def open_store(env: Env) -> KnowledgeStore:
    """The store of this box; touches nothing."""
    return KnowledgeStore(env.home.knowledge_db, env.settings.knowledge.busy_seconds)


class ManualTools:
    """The tools over one store."""

    def __init__(self, env: Env) -> None:
        self._settings = env.settings.knowledge
        self._store = open_store(env)

    def tools(self) -> Iterable[Tool]:
        """As the model sees them."""
        explain = (
            "什么",
            "代表",
            "意思",
            "含义",
            "处理",
            "怎么",
            "怎样",
            "如何",
            "原因",
            "为什么",
            "步骤",
            "手册",
            "规定",
        )
        explain_en = (
            "mean",
            "what",
            "how",
            "why",
            "fix",
            "cause",
            "do about",
            "should i",
            "procedure",
            "manual",
            "steps",
        )
        limits = ("超限", "越限", "超出", "超标", "正常吗", "是否正常", "范围", "上限", "下限", "偏高", "偏低", "异常")
        limits_en = ("out of range", "limit", "too high", "too low", "normal", "within", "abnormal")
        return [
            tool(risk="read", cues=(*explain, *explain_en), examples=_SEARCH_EXAMPLES)(self.search_manuals),
            tool(risk="read", cues=(*limits, *limits_en), examples=_LIMIT_EXAMPLES, needs_photo=True)(
                self.check_limits
            ),
        ]

    def search_manuals(
        self, turn: TurnView, query: Annotated[str, Binds("alarm", "tag", "label", "phrase")]
    ) -> ToolResult:
        """Find what the manuals say: meaning, causes, steps, limits, rules."""
        try:
            hits = search(self._store, query, limit=self._settings.max_passages, language=turn.language)
            passages = tuple(self._passage(hit) for hit in hits)
        except KnowledgeError as error:
            raise ToolFailed(str(error)) from None
        if not passages:
            return ToolResult(notes=(say(f"手册中没有找到“{query}”", f"the manuals say nothing about “{query}”"),))
        return ToolResult(passages=passages)

    def check_limits(self, turn: TurnView, label: Annotated[str | None, Binds("label")] = None) -> ToolResult:
        """List the readings on the photo that are out of the manuals' limits."""
        if turn.perception is None:
            raise ToolFailed("check_limits: this turn has no photo")
        try:
            limits = self._store.limits()
        except KnowledgeError as error:
            raise ToolFailed(str(error)) from None
        compared = compare(turn.perception.readings, limits, turn.language)
        if label is not None and label.strip():
            wanted = [c for c in compared if _asked(turn.perception.readings[c.index].label, label)]
            if not wanted:
                return ToolResult(notes=(say(f"照片上没有读数“{label}”", f"the photo has no reading “{label}”"),))
            compared = wanted
        outside = [c for c in compared if c.outcome in ("above", "below")]
        records = tuple(_record(turn.perception, c) for c in outside)
        return ToolResult(records=records, notes=tuple(_notes(turn.perception, compared)))

    def _passage(self, hit: Hit) -> Passage:
        """The whole section where it is not too long, so that a list of steps is complete."""
        text = hit.text
        pieces = self._store.section_of(hit.document, hit.section_order)
        if len(pieces) > 1 and sum(len(piece) for piece in pieces) <= self._settings.section_chars:
            text = "\n\n".join(pieces)
        language = cast(Language, hit.language)
        return Passage(hit.document, hit.title, hit.section, hit.heading, hit.page, text, language, hit.score)


def _asked(label: str, wanted: str) -> bool:
    return "".join(wanted.split()).casefold() in "".join(label.split()).casefold()


def _record(perception: Perception, comparison: Comparison) -> Record:
    """A reading that is out of range."""
    reading, limit = perception.readings[comparison.index], comparison.limit
    if limit is None:
        raise ValueError("a reading out of range has a limit")
    above = comparison.outcome == "above"
    bound = limit.high if above else limit.low
    where = position_words(reading.box, perception.size)
    value = f"{reading.value} {reading.unit}".strip()
    stated = f"{_plain(bound)} {limit.unit}".strip()
    line = say(
        f"{reading.label} {value} {'高于上限' if above else '低于下限'} {stated}({where['zh']})",
        f"{reading.label} {value} is {'above the high' if above else 'below the low'} limit {stated} ({where['en']})",
    )
    fields = {
        "label": reading.label,
        "value": reading.value,
        "unit": reading.unit,
        "position": where["en"],
        "outcome": comparison.outcome,
        "low": limit.low,
        "high": limit.high,
        "limit_unit": limit.unit,
    }
    return Record(f"R{comparison.index + 1}", "reading", line, fields, citation_of(limit))


def _notes(perception: Perception, compared: Sequence[Comparison]) -> Iterable[Said]:
    groups = {
        outcome: [c for c in compared if c.outcome == outcome] for outcome in ("no-limit", "no-value", "other-unit")
    }
    held = [c for c in compared if c.outcome in ("above", "below", "within")]
    outside = sum(1 for c in held if c.outcome != "within")
    yield say(
        f"共比较 {len(held)} 个读数,{outside} 个越限",
        f"readings compared with the manuals' limits: {len(held)}; out of range: {outside}",
    )
    told = {
        "no-limit": ("个读数在手册中没有上下限", "readings without a limit in the manuals"),
        "no-value": ("个读数没有可信的数值", "readings without a value that can be trusted"),
        "other-unit": ("个读数的单位与手册不一致,未作比较", "readings in another unit than the manuals, not compared"),
    }
    for outcome, (zh, en) in told.items():
        if groups[outcome]:
            zh_names, en_names = _labels(perception, groups[outcome])
            count = len(groups[outcome])
            yield say(f"{count} {zh}:{zh_names}", f"{en}: {count} ({en_names})")
    for comparison in held:
        for other in comparison.also:
            name, place = perception.readings[comparison.index].label, citation_of(other)
            row = f"{_plain(other.low)} – {_plain(other.high)} {other.unit}".strip()
            yield say(f"注意:{place} 给出的{name}上下限不同:{row}", f"note: {place} has other limits for {name}: {row}")


def _labels(perception: Perception, compared: Sequence[Comparison]) -> tuple[str, str]:
    labels = list(dict.fromkeys(perception.readings[c.index].label for c in compared))
    zh = [label or "(无标签)" for label in labels]
    en = [label or "(no label)" for label in labels]
    more = len(labels) - _NAMED
    tail_zh, tail_en = (f" 等 {len(labels)} 种", f" and {more} more") if more > 0 else ("", "")
    return "、".join(zh[:_NAMED]) + tail_zh, ", ".join(en[:_NAMED]) + tail_en


def _plain(bound: float | None) -> str:
    return "—" if bound is None else f"{bound:g}"
