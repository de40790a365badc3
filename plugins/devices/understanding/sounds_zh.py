"""How alike Chinese characters sound: syllables as initial and final, and the pairs that speakers mix up.

Tones do not count: a recogniser that hears the wrong word has most often heard the right syllable. The readings of
characters come from pypinyin (MIT), which belongs to the extras `devices` and `voice`; without it nothing sounds like
anything, and names have to be written right.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec

__all__ = ["Syllable", "can_read", "cost_of", "readings_of"]

Syllable = tuple[str, str]
"""Initial (may be empty) and final; a letter or digit is an initial alone."""

_INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
_FEW_READINGS = 2
"""A character's rare readings are not what somebody said."""
_CONFUSED = 0.25
_OTHER = 0.6
_MIXED_INITIALS = frozenset(
    frozenset(pair)
    for pair in (
        ("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("f", "h"), ("r", "l"), ("b", "p"), ("d", "t"), ("g", "k"),
        ("j", "q"), ("zh", "j"), ("ch", "q"), ("sh", "x"), ("zh", "ch"), ("z", "c"),
    )
)  # fmt: skip
_MIXED_FINALS = frozenset(
    frozenset(pair)
    for pair in (
        ("in", "ing"), ("en", "eng"), ("an", "ang"), ("ian", "iang"), ("uan", "uang"), ("un", "ong"), ("eng", "ong"),
        ("o", "uo"), ("e", "o"), ("u", "v"), ("ian", "an"), ("uan", "an"), ("ie", "ia"), ("ei", "ui"), ("ou", "iu"),
    )
)  # fmt: skip


def can_read() -> bool:
    """Whether characters can be read on this box."""
    return find_spec("pypinyin") is not None


@lru_cache(maxsize=8_192)
def readings_of(character: str) -> tuple[Syllable, ...]:
    """How a character sounds, its usual reading first; a letter or digit sounds like itself."""
    if not "\u3400" <= character <= "\u9fff":
        return ((character.casefold(), ""),)
    from pypinyin import Style, pinyin

    read = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return tuple(_parted(syllable) for syllable in (read[0] if read else ())[:_FEW_READINGS])


@lru_cache(maxsize=65_536)
def cost_of(heard: tuple[Syllable, ...], meant: tuple[Syllable, ...]) -> float:
    """How far two characters are apart by their closest readings: 0 sounds the same, 1 nothing in common."""
    return min((_between(one, other) for one in heard for other in meant), default=1.0)


def _between(one: Syllable, other: Syllable) -> float:
    if one == other:
        return 0.0
    initials = _part(one[0], other[0], _MIXED_INITIALS)
    finals = _part(one[1], other[1], _MIXED_FINALS)
    return min(1.0, initials + finals)


def _part(one: str, other: str, mixed: frozenset[frozenset[str]]) -> float:
    if one == other:
        return 0.0
    return _CONFUSED if frozenset((one, other)) in mixed else _OTHER


def _parted(syllable: str) -> Syllable:
    """A syllable in letters: zhuang → zh, uang."""
    initial = next((initial for initial in _INITIALS if syllable.startswith(initial)), "")
    return initial, syllable[len(initial) :].replace("ü", "v")
