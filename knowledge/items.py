"""Numbered items of a section as places of their own: `第八十四条（二）`, `6.2 (3)`.

A section stays one text, because half a list is a trap; an item is a place in it that can be named and looked up. It
ends where its list does: a paragraph behind the last item belongs to the section, not to that item.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Item", "item_at", "item_of", "items_of", "same_label", "split_place"]

_LABEL = re.compile(
    r"\s{0,8}(?:([(（][一二三四五六七八九十百\d]{1,4}[)）]|[(（][a-zA-Z][)）]|[①-⑳])|(\d{1,3}|[a-z])[.)、）](?!\d))\s*(?=\S)"
)
_PLACE = re.compile(r"(.+?)\s*([(（]\s*(?:[一二三四五六七八九十百\d]{1,4}|[a-zA-Z])\s*[)）]|[①-⑳])")
_INDENTED = re.compile(r"(?: {2,}|\t)\S")
_ENDS = re.compile(r"[.。;；!！?？:：]\s*$")
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
    """The numbered items of a section, in order, each with the lines that go on under it."""
    found: list[Item] = []
    label, start, end, place = "", 0, 0, 0
    is_apart = False
    for line in text.split("\n"):
        match = _LABEL.match(line)
        if match:
            if label:
                found.append(Item(label, start, text[start:end]))
            label, start, end = match[1] or f"({match[2]})", place, place + len(line.rstrip())
        elif not line.strip():
            is_apart = True
        elif label and (_INDENTED.match(line) or not (is_apart or _ENDS.search(text[start:end]))):
            end = place + len(line.rstrip())
        elif label:
            found.append(Item(label, start, text[start:end]))
            label = ""
        is_apart = is_apart and not line.strip()
        place += len(line) + 1
    return [*found, Item(label, start, text[start:end])] if label else found


def item_at(text: str, place: int) -> str:
    """The label of the item that a place in a section's text belongs to; empty outside of every item."""
    return next((item.label for item in items_of(text) if item.start <= place < item.start + len(item.text)), "")


def item_of(text: str, quote: str) -> str:
    """The label of the one item that a quote stands in, blanks and markup aside.

    Empty where it is longer than an item, stands outside of all, or where the label or the quote occurs twice.
    """
    wanted, items = _letters(quote), items_of(text)
    if not wanted or _letters(text).count(wanted) != 1:
        return ""
    labels = [_bare(item.label) for item in items]
    held = [item.label for item in items if wanted in _letters(item.text) and labels.count(_bare(item.label)) == 1]
    return held[0] if len(held) == 1 else ""


def split_place(name: str) -> tuple[str, str]:
    """A section's name and the label of an item in it, empty where none is named: `第八十四条（二）`."""
    match = _PLACE.fullmatch(name.strip())
    return (match[1], match[2]) if match else (name.strip(), "")


def same_label(one: str, other: str) -> bool:
    """Whether two labels name one item, whatever their brackets."""
    return _bare(one) == _bare(other)


def _bare(label: str) -> str:
    return _CIRCLED.get(label, re.sub(r"[\s()（）]", "", label))


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
