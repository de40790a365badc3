"""The one line at the head of a report: facts in full clauses, of which the model takes one way to say each and leads
with what matters most.

It words nothing by itself. Given its freedom a small model kept every number and moved some to another subject ("the
imbalance occurred 49 times" where a limit was crossed 49 times), which no check of numbers can see; so the reply is
bound to the lines that the clauses make, and costs a few choices instead of eighty tokens. Where no model answers, the
clauses stand one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from agent.bound import SchemaBound
from agent.errors import BadReply
from agent.messages import Message
from agent.model.protocol import ReplyLimits, Request
from agent.values import Language, Said

__all__ = ["Fact", "line_of", "plain_line", "wording_request"]

Fact = tuple[Said, ...]
"""One fact, each way to say it as a clause; the plainest first."""

_ASK: Said = {
    "zh": "把下面的事实写成一句给设备主管看的中文概括,最要紧的放在最前面:",
    "en": "Put these facts into one English sentence for a plant manager, the most important one first:",
}
_BETWEEN: Said = {"zh": ",", "en": "; "}
_END: Said = {"zh": "。", "en": "."}
_MOST_LINES = 200
"""Of which the model chooses; where the facts make more, those of the plainest wordings."""


def plain_line(facts: Sequence[Fact]) -> Said:
    """The facts one after another: what stands where no model worded the line."""
    return {language: _line([fact[0][language] for fact in facts], language) for language in ("zh", "en")}


def wording_request(facts: Sequence[Fact], language: Language, *, max_tokens: int) -> Request | None:
    """Asks for the line; None where there is nothing to choose."""
    lines = _lines(facts, language)
    if len(lines) < 2:
        return None
    told = "\n".join(f"- {fact[0][language]}" for fact in facts)
    bound = SchemaBound({"type": "string", "enum": list(lines)})
    messages = [Message("user", f"{_ASK[language]}\n{told}")]
    return Request(messages, (), bound, ReplyLimits(max_tokens=max_tokens, reusable=True))


def line_of(request: Request, text: str) -> str:
    """The line of a reply.

    :raises BadReply: it is none of those that the facts make.
    """
    bound = request.bound
    if not isinstance(bound, SchemaBound):
        raise BadReply("this was no question for a line")
    said, lines = bound.parse(text), bound.schema.get("enum")
    if not isinstance(said, str) or not isinstance(lines, list) or said not in lines:
        raise BadReply(f"the line is not made of the facts: {text[:80]!r}")
    return said


def _lines(facts: Sequence[Fact], language: Language) -> tuple[str, ...]:
    """Any of the facts first, then the others in their order, each in one of its wordings."""
    while len(facts) * _product(facts) > _MOST_LINES and any(len(fact) > 1 for fact in facts):
        most = max(len(fact) for fact in facts)
        facts = [fact[:-1] if len(fact) == most else fact for fact in facts]
    lines: dict[str, None] = {}
    for lead in range(len(facts)):
        order = [facts[lead], *(fact for n, fact in enumerate(facts) if n != lead)]
        for wordings in product(*order):
            lines[_line([said[language] for said in wordings], language)] = None
    return tuple(lines)


def _product(facts: Sequence[Fact]) -> int:
    count = 1
    for fact in facts:
        count *= len(fact)
    return count


def _line(clauses: Sequence[str], language: Language) -> str:
    line = _BETWEEN[language].join(clauses)
    return (line[:1].upper() + line[1:] if language == "en" else line) + _END[language]
