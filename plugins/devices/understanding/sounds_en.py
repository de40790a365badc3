"""How alike English words sound: letters as classes of sounds, and how far two rows of them are apart.

The rules follow what spelling does to sound in general (silent letters, ph, soft c and g); they are no dictionary. All
vowels are one sound, because that is where recognisers and accents differ most.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["distance", "sound_of"]

_SPELT = (
    (r"^kn|^gn|^pn", "n"), (r"^wr", "r"), (r"^ps", "s"), (r"^wh", "w"), (r"^x", "s"), (r"mb$", "m"), (r"mn$", "m"),
    (r"tch", "C"), (r"sch", "sk"), (r"ch", "C"), (r"sh", "S"), (r"(?<=.)ti(?=on|ous|an)", "S"), (r"th", "T"),
    (r"ph", "f"), (r"(?<=[aeiou])ghts?\b", "t"), (r"gh", ""), (r"ck", "k"), (r"dg(?=[eiy])", "J"), (r"qu", "kw"),
    (r"q", "k"), (r"c(?=[eiy])", "s"), (r"c", "k"), (r"g(?=[eiy])", "J"), (r"j", "J"), (r"x", "ks"), (r"z", "z"),
    (r"(?<=[aeiou])h(?![aeiou])", ""), (r"(?<=[aeiou])w(?![aeiou])", ""), (r"(?<=[aeiou])y(?![aeiou])", ""),
    (r"(?<=[^aeiou])e(?=s?$)", ""), (r"[aeiouy]+", "a"), (r"(.)\1+", r"\1"),
)  # fmt: skip
"""In this order."""
_RULES = tuple((re.compile(pattern), sound) for pattern, sound in _SPELT)
_VOWEL = "a"
_VOWEL_COST = 0.35
_ALIKE_COST = 0.4
_ALIKE = frozenset(
    frozenset(pair)
    for pair in ("bp", "dt", "gk", "vf", "zs", "mn", "CJ", "CS", "sS", "Tf", "Tt", "Td", "Ts", "lr", "wv", "JS", "zS")
)


@lru_cache(maxsize=8_192)
def sound_of(word: str) -> str:
    """A word as a row of sounds: kitchen → kaCan, lamb → lam."""
    sounds = re.sub(r"[^a-z0-9]", "", word.casefold())
    for pattern, sound in _RULES:
        sounds = pattern.sub(sound, sounds)
    return sounds


def distance(one: str, other: str) -> float:
    """Of two rows of sounds, 0 to 1: the cheapest way from one to the other by the length of the longer one."""
    if one == other:
        return 0.0
    longest = max(len(one), len(other))
    row = [0.0]
    for sound in other:
        row.append(row[-1] + _alone(sound))
    for mine in one:
        before, row = row, [row[0] + _alone(mine)]
        for at, theirs in enumerate(other):
            row.append(
                min(before[at] + _between(mine, theirs), before[at + 1] + _alone(mine), row[at] + _alone(theirs))
            )
    return row[-1] / longest if longest else 0.0


def _alone(sound: str) -> float:
    return _VOWEL_COST if sound == _VOWEL else 1.0


def _between(one: str, other: str) -> float:
    if one == other:
        return 0.0
    return _ALIKE_COST if frozenset((one, other)) in _ALIKE else 1.0
