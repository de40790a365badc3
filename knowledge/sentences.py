"""A text as sentences, and as windows of sentences: what is embedded, and what an answer has to stand in."""

from __future__ import annotations

import re

__all__ = ["sentences", "windows_of"]

_END = re.compile(r"(?<=[。;；!！?？])|(?<=[.!?])\s+(?=\S)|\n+")
_RULE = re.compile(r"[\s|:+=*`~-]+")


def sentences(text: str) -> list[str]:
    """The sentences, list items and table rows of a text, in order; rules of tables and fences left out."""
    parts = (part.strip() for part in _END.split(text))
    return [part for part in parts if part and not _RULE.fullmatch(part)]


def windows_of(heading: str, text: str, chars: int) -> list[str]:
    """Neighbouring sentences together up to a length, each window under its heading; at least one.

    A sentence that is longer than twice the length is cut there.
    """
    out: list[str] = []
    held = ""
    for sentence in sentences(text):
        if held and len(held) + len(sentence) > chars:
            out.append(held)
            held = ""
        held = f"{held} {sentence}".strip()[: 2 * chars]
    if held or not out:
        out.append(held)
    return [f"{heading}: {window}" if heading else window for window in out]
