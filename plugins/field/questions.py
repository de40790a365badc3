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
        if word("silent", "otherwise").search(bare) or not word("silent", "whether").search(text):
            return None
    elif not figures or not word("silent", "how_much").search(text):
        return None
    spans = [(start, phrase) for start, phrase in find_periods(text) if not _NOW.fullmatch(phrase)]
    other = word("silent", "other_time").search(text)
    return Ask(
        decisions[0] if decisions else None,
        figures,
        tuple(vocabulary.scopes_in(text)),
        tuple(phrase for _, phrase in spans),
        other.group() if other else "",
        _left(text, spans, vocabulary, decisions[0] if decisions else None),
    )


def _left(
    text: str, spans: list[tuple[int, str]], vocabulary: Vocabulary, decision: Decision | None
) -> tuple[str, ...]:
    for start, phrase in spans:
        text = f"{text[:start]}{' ' * len(phrase)}{text[start + len(phrase) :]}"
    text = vocabulary.blanked(text, decision)
    for name in ("other_time", "ask_en", "ask"):
        text = word("silent", name).sub(" ", text)
    return tuple(_WORD.findall(text))
