"""Characters that a recogniser chose among those that sound the same, put right where the house has the word.

A person says sounds; 新风 and 心风 are the same sound, tones and all, and only one of them is in the house. So a
stretch that is pronounced as one name that can be said here becomes that name, from three syllables on whatever their
tones: nothing else of that length sounds so. Names that sound like each other are left alone. What merely resembles one
is not for here, nor are verbs: whoever reads the order knows where one stands.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from importlib.util import find_spec

__all__ = ["as_named"]

_HAN = re.compile(r"[\u3400-\u9fff]+")
_LEAST_CHARACTERS, _TONELESS_CHARACTERS = 2, 3


def as_named(text: str, names: Iterable[str]) -> str:
    """The text with the characters of the names that were said.

    :param names: of what is here, untrusted: they only choose among characters of one sound.
    """
    if find_spec("pypinyin") is None or not _HAN.search(text):
        return text
    known = {name for name in names if len(name) >= _LEAST_CHARACTERS and _HAN.fullmatch(name)}
    by_sound: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for name in known:
        by_sound[_key(_sounds(name))].add(name)
    return _HAN.sub(lambda run: _run_as_named(run[0], known, by_sound), text)


def _run_as_named(run: str, known: set[str], by_sound: dict[tuple[str, ...], set[str]]) -> str:
    """The longest names first, from the left; a name that stands there already stays."""
    sounds = _sounds(run)
    lengths = sorted({len(name) for name in known}, reverse=True)
    at, out = 0, ""
    while at < len(run):
        for length in lengths:
            piece = run[at : at + length]
            alike = by_sound.get(_key(sounds[at : at + length]), set()) if len(piece) == length else set()
            if piece in known or len(alike) == 1:
                out += piece if piece in known else next(iter(alike))
                at += length
                break
        else:
            out += run[at]
            at += 1
    return out


def _key(sounds: tuple[str, ...]) -> tuple[str, ...]:
    """What has to be the same."""
    return sounds if len(sounds) < _TONELESS_CHARACTERS else tuple(sound.rstrip("12345") for sound in sounds)


def _sounds(run: str) -> tuple[str, ...]:
    """The syllable of each character, with its tone."""
    from pypinyin import Style, lazy_pinyin

    return tuple(lazy_pinyin(list(run), style=Style.TONE3, neutral_tone_with_five=True))
