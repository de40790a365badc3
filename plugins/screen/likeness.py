"""Whether a text on a screen is the name that is meant: equal, or equal but for what a reader of print mistakes.

A name that differs in a digit, in a word, or in a character that means something else (上限 and 下限) is another name,
however alike the two look: it is never taken for the one that is meant.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from plugins.screen.words import in_other_language

__all__ = ["likeness", "names_of", "plain"]

_SPLIT = re.compile(r"\s*\|\s*")
_NOT_LETTERS = re.compile(r"[\W_]+")
_LATIN = re.compile(r"[a-z0-9]+")
_LATIN_WORD = re.compile(r"[a-z]+")
_ALIKE = tuple(
    frozenset(group)
    for group in ("0oq", "1il", "2z", "5s", "8b", "己已巳", "未末", "土士", "日曰", "人入八", "千干于", "设没", "间问")
)
_SIGNS = str.maketrans({"℃": "°C", "％": "%", "#": "号", "№": "号", "+": "加", "−": "-", "＋": "加"})
_LONG = 8
"""Letters from which a Latin name may have lost or gained one in the middle."""
_MISREAD = 0.9
_BESIDE = 0.85


def names_of(text: str) -> tuple[str, ...]:
    """The names that are meant: alternatives stand between bars, and words that every screen has are known in both
    languages.
    """
    given = [name for name in _SPLIT.split(text.strip()) if name]
    return tuple(dict.fromkeys([*given, *(other for name in given for other in in_other_language(name))]))


def plain(text: str) -> str:
    """Without case, width, spaces and punctuation; signs that name something are kept as letters."""
    folded = unicodedata.normalize("NFKC", text.translate(_SIGNS)).casefold()
    return _NOT_LETTERS.sub("", folded)


def likeness(wanted: Iterable[str], printed: str) -> float:
    """How surely a printed text is one of the wanted names: 1 equal, 0 another one."""
    shown = plain(printed)
    return max((_like(plain(name), shown) for name in wanted), default=0.0) if shown else 0.0


def _like(name: str, shown: str) -> float:
    if not name:
        return 0.0
    if name == shown:
        return 1.0
    if _misread(name, shown):
        return _MISREAD
    return _BESIDE if _is_beside(name, shown) else 0.0


def _misread(name: str, shown: str) -> bool:
    """Whether they differ only in characters that look alike, or a long Latin word in one letter within."""
    if len(name) == len(shown) and len(name) > 1:
        pairs = [(a, b) for a, b in zip(name, shown, strict=True) if a != b]
        digits = any(a.isdigit() and b.isdigit() for a, b in pairs)
        return not digits and len(pairs) <= max(1, len(name) // 4) and all(_alike(a, b) for a, b in pairs)
    short, long = sorted((name, shown), key=len)
    if len(long) - len(short) != 1 or len(short) < _LONG or not _LATIN_WORD.fullmatch(long):
        return False
    return any(short == long[:at] + long[at + 1 :] for at in range(2, len(long)))


def _alike(one: str, other: str) -> bool:
    return any(one in group and other in group for group in _ALIKE)


def _is_beside(name: str, shown: str) -> bool:
    """Whether the text is the name and the same in the other script: 保存 Save."""
    if name not in shown or len(name) < 2:
        return False
    rest = shown.replace(name, "", 1)
    latin_name, latin_rest = bool(_LATIN.fullmatch(name)), bool(_LATIN.fullmatch(rest))
    return latin_name is not latin_rest and not any(char.isdigit() for char in rest)
