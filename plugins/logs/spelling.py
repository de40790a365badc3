"""Words that were misspelt by one letter: put right where just one known word is so near, and only where it is needed.

Near is one letter more, less or other, or two neighbours in each other's place; words of fewer than five letters, and
words that hold a digit, stand as they are: a tag that differs by one letter is another tag.
"""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["respelled"]

_WORD = re.compile(r"(?<![a-z0-9_])[a-z]{5,}(?![a-z0-9_])")


def respelled(text: str, known: Collection[str]) -> str:
    """A folded text with its misspelt words put right."""
    return _WORD.sub(lambda match: _nearest(match.group(), known), text)


def _nearest(word: str, known: Collection[str]) -> str:
    if word in known:
        return word
    near = [other for other in known if len(other) >= 5 and _is_near(word, other)]
    return near[0] if len(near) == 1 else word


def _is_near(one: str, other: str) -> bool:
    """One edit apart."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
