"""The rung without weights: it chooses among the same bounds by the tools' own cues and by shared words, and invents
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from agent.asks import asked_for, likeness
from agent.bound import BoundTool, CallBound, CallPart, PickBound, PickPart
from agent.errors import WordsNothing
from agent.messages import Message, Reply, ToolCall
from agent.model.protocol import Bound, ReplyLimits
from agent.quotes import Quote, plain
from agent.tools import Tool
from agent.values import Json

__all__ = ["RulesModel"]

_POINTS = re.compile(
    r"(?:这|那|该|此)个?(?:报警|故障|灯|信号|指示)|它|"
    r"\b(?:this|that|the) (?:alarm|fault|lamp|light|indicator|message)\b|\bit\b",
    re.IGNORECASE,
)
"""Words that point at something in sight."""
_LEAST = 0.25
"""A quote that shares less than this with the question says nothing about it."""
_ALIKE = 0.4
"""A question that shares less than this with a tool's example is not like it."""


class RulesModel:
    """Implements `Model` by rules."""

    name = "rules"
    sees = False

    def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        bound: Bound | None,
        limits: ReplyLimits,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """Choose the first call whose cues a part holds, and the quote that shares most with it.

        :raises WordsNothing: asked for free text, which rules cannot word.
        """
        if isinstance(bound, CallBound):
            text = bound.write([_choose_call(part) for part in bound.parts])
        elif isinstance(bound, PickBound):
            text = bound.write([_choose_quote(part) for part in bound.parts])
        else:
            raise WordsNothing("the rules rung words nothing freely")
        if on_text:
            on_text(text)
        return Reply(text, "done")

    def close(self) -> None:
        """Holds nothing."""


def _choose_call(part: CallPart) -> ToolCall | None:
    """The tool with the longest cue in the part; where none has any, that of the most alike example, or a search."""
    asked = part.text.casefold()
    cued = {b: max((len(cue) for cue in b.tool.cues if cue.casefold() in asked), default=0) for b in part.tools}
    like = {b: _likeness(part.text, b.tool) for b in part.tools}
    for bound in sorted(cued, key=lambda b: (cued[b], _searches(b) and like[b] < _ALIKE, like[b]), reverse=True):
        call = _first_call(part.text, bound)
        if call is not None and (cued[bound] or not part.may_decline):
            return call
    return None


def _first_call(part: str, bound: BoundTool) -> ToolCall | None:
    """The best value of each argument; a choice that is the tool's own is made as in the most alike example."""
    if any(not argument.values for argument in bound.arguments):
        return None
    examples = [example for example in bound.tool.examples if not isinstance(example, str)]
    shown = max(examples, key=lambda e: likeness(part, e[0]), default=("", {}))[1]
    values = {
        a.name: shown[a.name] if shown.get(a.name) in a.values else _best(part, a.values) for a in bound.arguments
    }
    return ToolCall(bound.tool.name, values)


def _best(part: str, values: Sequence[Json]) -> Json:
    """A name that the part says, a name in sight where it points at something, else the value most like it."""
    said = [value for value in values if value != part and plain(str(value)) in plain(part)]
    if said:
        return said[0]
    if _POINTS.search(part):
        return values[0]
    return max(values, key=lambda value: likeness(part, str(value)))


def _searches(bound: BoundTool) -> bool:
    """Whether it looks up the words of the part, so that it finds nothing where nothing fits."""
    return any("phrase" in parameter.binds for parameter in bound.tool.parameters)


def _likeness(part: str, tool: Tool) -> float:
    questions = [example if isinstance(example, str) else example[0] for example in tool.examples]
    return max((likeness(part, question) for question in questions), default=0.0)


def _choose_quote(part: PickPart) -> Quote | None:
    """The first of the quotes, which stand best first, if it has to do with the part: by its words, its meaning, or
    because it was narrowed to by what is asked.
    """
    if not part.quotes:
        return None
    best = part.quotes[0]
    narrowed = asked_for(part.text) != "fact" or not part.may_decline
    return best if narrowed or part.likely or _shared(part.text, best) >= _LEAST else None


def _shared(part: str, quote: Quote) -> float:
    return likeness(part, f"{quote.passage.heading} {quote.text}")
