"""A question taken apart: "what does it mean? did it happen before? what to do?" are three things to look up.

Cut at the ends of sentences, at commas, and where a conjunction starts a new question. A piece that asks nothing
("The pump hums.") says what the next one is about and stays with it. A small model that is asked for all tools at
once calls too few or too many; asked part by part it is right (DECISIONS.md has the figures).
"""

from __future__ import annotations

import re

__all__ = ["asks_something", "phrases_of", "says_little", "split_question"]

_SHORT_CHARS = 10
"""A part with fewer letters says too little to be looked up alone: "该怎么处理?", "Why?"."""

_CUT = re.compile(
    r"(?<=[?？。!！;；,，\n])\s*"
    r"|(?<=[a-z]\.)\s+(?=[A-Z])"
    r"|\s+(?=and\s+(?:what|how|why|when|which|where|who|has|have|was|were|is|are|did|does|do|can|could|should)\b)"
    r"|(?=(?:以及|还有|并且|另外)(?!没|其))",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"[?？吗么]|什么|怎么|怎样|如何|多少|几|哪|为何|是否|有没有|"
    r"^\W*(?:(?:and|or|but|so|then|please)\s+)*"
    r"(?:what|how|why|when|which|where|who|has|have|had|was|were|is|are|did|does|do|can|could|should|any|"
    r"show|list|give|tell|read|count|find|explain)\b",
    re.IGNORECASE,
)


def split_question(question: str, *, most: int) -> tuple[str, ...]:
    """The parts of a question, in order, each on one line.

    :param most: parts beyond this many stay together in the last one.
    """
    pieces = [" ".join(piece.split()) for piece in _CUT.split(question) if piece and piece.strip()]
    parts: list[str] = []
    carried = ""
    for piece in pieces:
        whole = f"{carried}{' ' if carried and piece[0].isascii() else ''}{piece}"
        if _QUESTION.search(piece):
            parts.append(whole)
            carried = ""
        else:
            carried = whole
    if carried:
        parts = (
            [*parts[:-1], f"{parts[-1]} {carried}"] if parts and not _QUESTION.search(carried) else [*parts, carried]
        )
    if len(parts) > most:
        parts = [*parts[: most - 1], " ".join(parts[most - 1 :])]
    return tuple(dict.fromkeys(parts)) or (" ".join(question.split()),)


def asks_something(part: str) -> bool:
    """Whether a part has the form of a question or a request; a greeting has not."""
    return _QUESTION.search(part) is not None


def phrases_of(parts: tuple[str, ...]) -> tuple[str, ...]:
    """What to look up for each part: itself, or with the part before it where it says too little alone."""
    phrases: list[str] = []
    for part in parts:
        phrases.append(f"{phrases[-1]} {part}" if phrases and says_little(part) else part)
    return tuple(phrases)


def says_little(part: str) -> bool:
    """Whether a part is too short to be looked up alone."""
    return sum(2 if c > "\u2e80" else 1 for c in part if c.isalnum()) < 2 * _SHORT_CHARS
