"""The rung without weights: it chooses among the same bounds by the tools' own cues and by shared words, and invents
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from agent.bound import BoundTool, CallBound, CallPart, PickBound
from agent.errors import ModelError
from agent.messages import Message, Reply, ToolCall
from agent.model.protocol import Bound, ReplyLimits
from agent.quotes import Quote, plain
from agent.tools import Tool

__all__ = ["RulesModel"]

_ASKS_STEPS = re.compile(
    r"怎么(?:办|做|处理|排除|解决|复位|停|启|更换|检查)|如何|步骤|处理|措施|"
    r"\bhow (?:do|can|should|to)\b|\bwhat (?:should|to do|can)\b|\bsteps?\b",
    re.IGNORECASE,
)
_ASKS_CAUSE = re.compile(r"原因|为什么|为何|\bwhy\b|\bcauses?d?\b", re.IGNORECASE)
_SAYS_CAUSE = re.compile(r"原因|由于|因为|\bcauses?d?\b|\bbecause\b|\bdue to\b", re.IGNORECASE)


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

        :raises ModelError: asked for free text, which rules cannot word.
        """
        if isinstance(bound, CallBound):
            text = bound.write([_choose_call(part) for part in bound.parts])
        elif isinstance(bound, PickBound):
            text = bound.write([_choose_quote(part, bound.quotes) for part in bound.parts])
        else:
            raise ModelError("the rules rung words nothing freely")
        if on_text:
            on_text(text)
        return Reply(text, "done")

    def close(self) -> None:
        """Holds nothing."""


def _choose_call(part: CallPart) -> ToolCall | None:
    """The tool with the longest cue in the part; where none has any, the one with the most alike example."""
    asked = part.text.casefold()
    cued = {b: max((len(cue) for cue in b.tool.cues if cue.casefold() in asked), default=0) for b in part.tools}
    for bound in sorted(cued, key=lambda b: (cued[b], _likeness(part.text, b.tool)), reverse=True):
        call = _first_call(part.text, bound)
        if call is not None and (cued[bound] or not part.may_decline):
            return call
    return None


def _first_call(part: str, bound: BoundTool) -> ToolCall | None:
    """The best value of each argument; a choice that is the tool's own is made as in the most alike example."""
    if any(not argument.values for argument in bound.arguments):
        return None
    examples = [example for example in bound.tool.examples if not isinstance(example, str)]
    shown = max(examples, key=lambda e: _overlap(part, e[0]), default=("", {}))[1]
    values = {a.name: shown[a.name] if shown.get(a.name) in a.values else a.values[0] for a in bound.arguments}
    return ToolCall(bound.tool.name, values)


def _likeness(part: str, tool: Tool) -> float:
    questions = [example if isinstance(example, str) else example[0] for example in tool.examples]
    return max((_overlap(part, question) for question in questions), default=0.0)


def _choose_quote(part: str, quotes: Sequence[Quote]) -> Quote | None:
    """Of the quotes of the best passage, the kind that the part asks for, then the one that shares most with it."""
    if not quotes:
        return None
    if _ASKS_STEPS.search(part):
        steps = [quote for quote in quotes if quote.kind == "steps"]
        if steps:
            return max(steps, key=lambda q: (_shared(part, q), q.passage.score))
    if _ASKS_CAUSE.search(part):
        causes = [quote for quote in quotes if _SAYS_CAUSE.search(quote.text)]
        if causes:
            return max(causes, key=lambda q: (_shared(part, q), q.passage.score))
    best = max(quotes, key=lambda q: (_shared(part, q), q.kind != "steps"))
    return best if _shared(part, best) > 0 else None


def _shared(part: str, quote: Quote) -> float:
    """How much of the part the quote or its heading holds."""
    return _overlap(part, f"{quote.passage.heading} {quote.text}")


def _overlap(part: str, text: str) -> float:
    """How many of the part's letter pairs a text holds, 0 to 1."""
    asked = _pairs(part)
    return len(asked & _pairs(text)) / len(asked) if asked else 0.0


def _pairs(text: str) -> set[str]:
    letters = plain(text)
    return {letters[i : i + 2] for i in range(len(letters) - 1)}
