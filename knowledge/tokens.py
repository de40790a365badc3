"""What counts as a word, for indexing and for asking: the same rules on both sides.

- Text is folded first: NFKC and casefold, so `Ｆ００２１`, `f0021` and `F0021` are one word, and `℃` is `°c`.
- A run of Chinese characters is kept as its overlapping pairs (循环, 环变, 变频 …); a lone character stays as it is. A
  two-character word is then found exactly, a longer one as pairs that follow each other.
- Letters and digits that hang together by `-`, `.`, `/` or `_` are one word: fault codes (E-17, NO.1), tags, units.
  Plain words joined like that (low/high, lock-out) are taken apart.
- Plain English words lose their endings (`rotates`, `rotation` → `rotat`); what holds a digit or a mark is left alone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = [
    "HAN",
    "TOKEN_MARKS",
    "fold",
    "is_chinese",
    "language_of",
    "pairs",
    "place_of",
    "runs",
    "stem",
    "strip_controls",
    "tokens",
]

HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters, as the inside of a character class."""
TOKEN_MARKS = "-._/%°"
"""Marks that may stand inside a word; the index must not split at them."""

_RUN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:[-._/][^\W_{HAN}]+)*|°[a-z]|%")
_HAN_RUN = re.compile(rf"[{HAN}]+")
_WORD = re.compile(r"[a-z]+")
_PLAIN_COMPOUND = re.compile(r"[a-z]{3,}(?:[-._/][a-z]{3,})+")
_MARK = re.compile(r"[-._/]")
_LATIN = re.compile(r"[A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CHINESE_SHARE = 0.15
"""A text is Chinese from this share of its letters: English pages that quote lamp texts stay English."""


def fold(text: str) -> str:
    """NFKC and casefold."""
    return unicodedata.normalize("NFKC", text).casefold()


def strip_controls(text: str) -> str:
    """Without NUL and other control characters, with `\\n` as the only line end."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def is_chinese(run: str) -> bool:
    """Whether a run of `runs` is Chinese characters."""
    return bool(_HAN_RUN.match(run))


def runs(text: str) -> list[str]:
    """Folded runs in order: Chinese ones whole, others stemmed words and codes."""
    out: list[str] = []
    for run in _RUN.findall(fold(text)):
        if is_chinese(run):
            out.append(run)
        elif _PLAIN_COMPOUND.fullmatch(run):
            out.extend(stem(part) for part in _MARK.split(run))
        else:
            out.append(stem(run))
    return out


def pairs(run: str) -> list[str]:
    """Overlapping pairs of a Chinese run; a lone character is itself."""
    return [run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]


def tokens(text: str) -> list[str]:
    """The words of a text, in order, as the index holds them."""
    out: list[str] = []
    for run in runs(text):
        out.extend(pairs(run) if is_chinese(run) else [run])
    return out


def place_of(name: str, text: str) -> int:
    """Where a name stands in a text, blanks and case aside; -1 where it does not.

    A name that begins or ends with a Latin letter or digit is found as a whole word only: E-17 is not in E-170.
    """
    squeezed = "".join(fold(name).split())
    if not squeezed:
        return -1
    pattern = r"\s*".join(re.escape(c) for c in squeezed)
    before = r"(?<![a-z0-9])" if squeezed[0].isascii() and squeezed[0].isalnum() else ""
    after = r"(?![a-z0-9])" if squeezed[-1].isascii() and squeezed[-1].isalnum() else ""
    match = re.search(before + pattern + after, fold(text))
    return match.start() if match else -1


def language_of(text: str) -> str:
    """`zh` or `en`, by the share of Chinese characters among all letters; a word counts as one letter per two."""
    han = sum(len(run) for run in _HAN_RUN.findall(text))
    letters = sum(map(len, _LATIN.findall(text)))
    return "zh" if han and han >= _CHINESE_SHARE * (han + letters) else "en"


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """An English word without its ending; a code, a unit or a short word as it is."""
    if len(word) < 4 or not _WORD.fullmatch(word):
        return word
    word = _drop_plural(word)
    for ending in ("ing", "ed", "ion"):
        root = word.removesuffix(ending)
        if root == word or len(root) < 3 or not any(c in "aeiouy" for c in root):
            continue
        if ending == "ion" and root[-1] not in "st":
            continue
        word = root[:-1] if root[-1] == root[-2] and root[-1] not in "lsz" else root
        break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def _drop_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
