"""What this turn knows, and which values a tool argument may therefore take.

The person's own words count first; the photo and earlier results count only for tools that read. For a tool that
writes, nothing but the person's words is evidence, so a text in a photo, a manual or a log can never name the device
that moves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.bound import BoundArgument, BoundTool
from agent.parts import says_little
from agent.perception import Perception
from agent.quotes import plain
from agent.times import find_periods
from agent.tools import Parameter, Tool
from agent.values import Json, Term, ToolResult

_MARKUP = re.compile(r"</?\w+>|<\|")
"""A name that spells a model's control token is no name."""

__all__ = ["Evidence", "bind_tool", "bind_tools", "gather_terms"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Grows as tools answer: each result makes a new one."""

    question: str
    perception: Perception | None
    terms: tuple[Term, ...]
    """The person's words first, then the photo, then results."""

    def with_result(self, result: ToolResult) -> Evidence:
        """The same, and what a tool found: tags and alarm texts of its records can be asked about further."""
        found = []
        for record in result.records:
            for kind, key in (("tag", "tag"), ("alarm", "text")):
                value = record.fields.get(key)
                if record.kind == "event" and isinstance(value, str) and value:
                    found.append(Term(kind, value, "result"))
        return Evidence(self.question, self.perception, _distinct([*self.terms, *found]))


def gather_terms(
    question: str, perception: Perception | None, known: Iterable[Term], before: Iterable[Term] = ()
) -> tuple[Term, ...]:
    """All names in reach, the person's own first.

    :param known: what plugins recognised in the question (`find_terms`).
    :param before: what the person named earlier in this conversation, for "how often did it happen?".
    """
    terms = [Term("period", phrase, "question", start) for start, phrase in find_periods(question)]
    terms += [Term(t.kind, t.value, "question", t.start) for t in known]
    if perception is not None:
        terms += _panel_terms(question, perception)
    terms += [
        Term(t.kind, t.value, "history") for t in before if t.source in ("question", "history") and t.kind != "period"
    ]
    order = {"question": 0, "history": 1, "panel": 2, "result": 3}
    return _distinct(sorted(terms, key=lambda t: order[t.source]))


def bind_tools(tools: Iterable[Tool], evidence: Evidence, phrase: str, *, part: str = "") -> tuple[BoundTool, ...]:
    """The tools that can be called now.

    :param phrase: what a search looks up where no name is known.
    :param part: the part of the question that they are called for; empty is the whole question.
    """
    bound = (bind_tool(tool, evidence, phrase, part=part or evidence.question) for tool in tools)
    return tuple(b for b in bound if b is not None)


def bind_tool(tool: Tool, evidence: Evidence, phrase: str, *, part: str) -> BoundTool | None:
    """A tool with its arguments bound, or None where a required one has no evidence or the tool needs a photo."""
    if tool.needs_photo and evidence.perception is None:
        return None
    arguments = []
    for parameter in tool.parameters:
        if not parameter.binds:
            argument = _unbound(parameter, tool)
        elif parameter.required:
            argument = _required(parameter, evidence, phrase, part, own_words_only=tool.risk != "read")
        else:
            argument = _optional(parameter, evidence, part)
        if argument is not None:
            arguments.append(argument)
        elif parameter.required:
            return None
    return BoundTool(tool, tuple(arguments))


def _unbound(parameter: Parameter, tool: Tool) -> BoundArgument | None:
    """A choice of the tool's own; for a tool that writes, nothing is without evidence."""
    if not parameter.required or tool.risk != "read":
        return None
    choices = parameter.schema.get("enum")
    values = tuple(choices) if isinstance(choices, list) else ()
    return BoundArgument(parameter.name, values=values, schema=parameter.schema)


def _required(
    parameter: Parameter, evidence: Evidence, phrase: str, part: str, *, own_words_only: bool
) -> BoundArgument | None:
    """Names that this part says; else of the question, the conversation, in sight; and the words of the part."""
    terms = [t for t in evidence.terms if t.kind in parameter.binds]
    own = [t for t in terms if t.source == "question"]
    values: list[Json] = [t.value for t in own if _stands_in(t, part)] or [t.value for t in own]
    if not values and not own_words_only:
        before = [t.value for t in terms if t.source == "history" and t.kind != "label"][:1]
        values = list(before) or [t.value for t in terms if t.kind != "label"]
        if "phrase" in parameter.binds and not (before and says_little(part)):
            values.append(phrase)
    elif not values and "phrase" in parameter.binds:
        values = [phrase]
    return BoundArgument(parameter.name, values=tuple(dict.fromkeys(values))) if values else None


def _optional(parameter: Parameter, evidence: Evidence, part: str) -> BoundArgument | None:
    """What this part says; a span of time goes on for the parts after it, a label does not."""
    own = [t for t in evidence.terms if t.kind in parameter.binds and t.source == "question"]
    here = [t.value for t in own if _stands_in(t, part)]
    if not here and "period" in parameter.binds:
        start = evidence.question.find(part)
        here = [t.value for t in own if 0 <= t.start < start][-1:]
    return BoundArgument(parameter.name, values=tuple(dict.fromkeys(here))) if here else None


def _stands_in(term: Term, part: str) -> bool:
    return plain(term.value) in plain(part)


def _panel_terms(question: str, perception: Perception) -> list[Term]:
    """Labels on the photo; those that the question names count as the person's own words."""
    asked = plain(question)
    named: list[tuple[str, str]] = [("label", r.label) for r in perception.readings if r.label]
    named += [("alarm", lamp.label) for lamp in perception.lamps if _is_printed(lamp.label, perception)]
    named += [("alarm", cell) for row in perception.alarms for cell in row.cells.values() if plain(cell)]
    terms = []
    for kind, value in named:
        key = plain(value)
        start = asked.find(key) if len(key) > 1 else -1
        terms.append(Term(kind, value, "question" if start >= 0 else "panel", start))
    return _longest(terms)


def _is_printed(label: str, perception: Perception) -> bool:
    """Whether a lamp's label was read from the panel; what the parser calls a badge or a symbol is no name."""
    printed = [plain(text.text) for text in perception.texts]
    words = [plain(word) for word in label.split() if plain(word)]
    return bool(words) and (not printed or all(any(word in text for text in printed) for word in words))


def _longest(terms: Sequence[Term]) -> list[Term]:
    """Of names that stand in the question at the same place, only the longest was meant."""
    named = [t for t in terms if t.source == "question"]

    def inside(term: Term) -> bool:
        end = term.start + len(plain(term.value))
        return any(
            other.start <= term.start
            and end <= other.start + len(plain(other.value))
            and len(plain(other.value)) > len(plain(term.value))
            for other in named
        )

    return [t for t in terms if t.source != "question" or not inside(t)]


def _distinct(terms: Iterable[Term]) -> tuple[Term, ...]:
    """One term for each kind and value, the first; one that spells a control token is none."""
    kept: dict[tuple[str, str], Term] = {}
    for term in terms:
        if not _MARKUP.search(term.value):
            kept.setdefault((term.kind, plain(term.value) or term.value), term)
    return tuple(kept.values())
