"""Numbered items of a section as places of their own: `第八十四条（二）`, `6.2 (3)`.

A section stays one text, because half a list is a trap; an item is a place in it that can be named and looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Item", "item_at", "items_of", "same_label", "split_place"]

_LABEL = re.compile(
    r"\s{0,8}(?:([(（][一二三四五六七八九十百\d]{1,4}[)）]|[(（][a-zA-Z][)）]|[①-⑳])|(\d{1,3}|[a-z])[.)、）](?!\d))\s*(?=\S)"
)
_PLACE = re.compile(r"(.+?)\s*([(（]\s*(?:[一二三四五六七八九十百\d]{1,4}|[a-zA-Z])\s*[)）]|[①-⑳])")
_CIRCLED = {chr(0x2460 + i): str(i + 1) for i in range(20)}


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list, up to the next one."""

    label: str
    """As printed with its brackets: `（二）`, `(3)`; `3.` and `3)` are `(3)`."""
    start: int
    """Where it begins in the section's text."""
    text: str


def items_of(text: str) -> list[Item]:
    """The numbered items of a section, in order."""
    found: list[tuple[str, int]] = []
    place = 0
    for line in text.split("\n"):
        match = _LABEL.match(line)
        if match:
            found.append((match[1] or f"({match[2]})", place))
        place += len(line) + 1
    ends = [start for _, start in found[1:]] + [len(text)]
    return [Item(label, start, text[start:end].rstrip()) for (label, start), end in zip(found, ends, strict=True)]


def item_at(text: str, place: int) -> str:
    """The label of the item that a place in a section's text belongs to; empty before the first one."""
    return next((item.label for item in reversed(items_of(text)) if item.start <= place), "")


def split_place(name: str) -> tuple[str, str]:
    """A section's name and the label of an item in it, empty where none is named: `第八十四条（二）`."""
    match = _PLACE.fullmatch(name.strip())
    return (match[1], match[2]) if match else (name.strip(), "")


def same_label(one: str, other: str) -> bool:
    """Whether two labels name one item, whatever their brackets."""
    return _bare(one) == _bare(other)


def _bare(label: str) -> str:
    return _CIRCLED.get(label, re.sub(r"[\s()（）]", "", label))
