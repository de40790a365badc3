"""What a question asks of the field: whether something may be done now, or what a figure is.

Every word of it must be accounted for: names of the sheet, spans of time, and words that restrict nothing. What is left
over (another crop, another place) is told instead of an answer that leaves it out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.times import find_periods
from knowledge.tokens import fold
from plugins.field.conditions import Vocabulary
from plugins.field.sheet import Decision, Figure, Scope
from plugins.field.wordlist import word

__all__ = ["Ask", "understand"]

_OTHERS = re.compile(r"[^?？]*[?？]\s*(?=\S)")
_WORD = re.compile(r"[a-z][a-z'-]*|[\d.]+|[\u3400-\u9fff]+")
_NOW = re.compile(r"今[天日]|现在|目前|当前|today|now")
_UP_TO_NOW = re.compile(r"最近|近|过去|(?:(?:in|over|within|during|for) )?(?:the )?(?:past|last)\b")


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked."""

    decision: Decision | None
    """None: only figures."""
    figures: tuple[Figure, ...]
    scopes: tuple[Scope, ...]
    periods: tuple[str, ...]
    """Spans of time that are named, other than now."""
    other_time: str
    """A time that is not now, and for which nothing can be decided."""
    left: tuple[str, ...]
    """Words that were not understood."""


def understand(question: str, vocabulary: Vocabulary) -> Ask | None:
    """What a part of a question asks; None where that is nothing of the field.

    :param question: a part, with the part before it where it says little alone.
    """
    text = _OTHERS.sub("", fold(question)) or fold(question)
    decisions = vocabulary.decisions_in(text)
    figures = tuple(vocabulary.figures_in(text))
    bare = vocabulary.blanked(text)
    if word("silent", "otherwise").search(bare) and not word("silent", "how_much").search(bare):
        return None
    if decisions:
        if not _asks_whether(text, bare, vocabulary):
            return None
    elif not figures or not word("silent", "how_much").search(text):
        return None
    spans = [(start, phrase) for start, phrase in find_periods(text) if not _NOW.fullmatch(phrase)]
    decision = decisions[0] if decisions else None
    left = _left(text, spans, vocabulary, decision)
    if decision is None and left:
        return None  # a figure of another kind: the highest, the mean, of another thing
    periods = tuple(phrase for _, phrase in spans)
    scopes = tuple(vocabulary.scopes_in(text))
    return Ask(decision, figures, scopes, periods, _other_time(text, periods, decision), left)


def _asks_whether(text: str, bare: str, vocabulary: Vocabulary) -> bool:
    """Whether it may be done; not how, and not above how much it may not."""
    if word("silent", "otherwise").search(bare) or not word("silent", "whether").search(text):
        return False
    clauses = [clause for clause in re.split(r"[,，;；]", text) if vocabulary.decisions_in(clause)]
    return not any(word("silent", "how_much").search(clause) for clause in clauses)


def _other_time(text: str, periods: tuple[str, ...], decision: Decision | None) -> str:
    """A time that is not now: none of it can be decided; of what was measured only what is to come cannot be told."""
    other = word("silent", "other_time").search(text)
    if decision is None:
        return other.group() if other and not any(other.group() in phrase for phrase in periods) else ""
    if other:
        return other.group()
    return next((phrase for phrase in periods if not _UP_TO_NOW.match(phrase)), "")


def _left(
    text: str, spans: list[tuple[int, str]], vocabulary: Vocabulary, decision: Decision | None
) -> tuple[str, ...]:
    for start, phrase in spans:
        text = f"{text[:start]}{' ' * len(phrase)}{text[start + len(phrase) :]}"
    text = vocabulary.blanked(text, decision)
    for name in ("other_time", "ask_en", "ask"):
        text = word("silent", name).sub(" ", text)
    return tuple(_WORD.findall(text))
