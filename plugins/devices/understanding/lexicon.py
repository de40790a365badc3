"""The words of `words/*.toml`, by concept: which senses a phrase has.

English nouns are also known in the plural. A phrase may have several senses; the grammar picks by what stands
around it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from plugins.devices.understanding.normalise import is_cjk, normalise

__all__ = ["Sense", "phrases_of", "plural", "rooms", "squeezed", "vocabulary"]

_FILES = ("verbs", "things", "values", "talk", "specials")
_COUNTED = ("noun", "attr", "media_class", "special")
_UNCOUNTED = ("music", "media", "weather", "lighting", "hvac", "ac")


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a phrase."""

    kind: str
    """verb, noun, attr, place, color … as in the files; name, area, floor, piece for what a home holds."""
    value: str
    """The concept; for a home's names their spelling there."""
    ids: tuple[str, ...] = ()
    """Of devices, areas or floors of the home."""
    many: bool = False
    """A plural, which means more than one."""
    domains: tuple[str, ...] = ()
    """Of the devices with that name."""
    text: str = ""
    """Of a piece of a name: the piece."""


@cache
def vocabulary() -> tuple[tuple[str, Sense], ...]:
    """Every phrase with a sense of it, normalised."""
    found: dict[tuple[str, Sense], None] = {}
    for name in _FILES:
        for kind, concepts in _load(name).items():
            for value, languages in concepts.items():
                for phrase in (*languages.get("en", ()), *languages.get("zh", ())):
                    low = normalise(phrase).low if phrase not in ("？", "，", "；", "。", "！") else phrase
                    found[low, Sense(kind, value)] = None
                    if kind in _COUNTED and not is_cjk(low[0]) and low not in _UNCOUNTED and not low.endswith("s"):
                        found[plural(low), Sense(kind, value, many=True)] = None
    return tuple(found)


@cache
def phrases_of(kind: str) -> dict[str, tuple[str, ...]]:
    """The phrases of each concept of a kind."""
    found: dict[str, list[str]] = {}
    for phrase, sense in vocabulary():
        if sense.kind == kind:
            found.setdefault(sense.value, []).append(phrase)
    return {value: tuple(phrases) for value, phrases in found.items()}


@cache
def rooms() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """What rooms are called: English names, Chinese names."""
    concepts = _load("rooms")["room"].values()
    return tuple((tuple(concept.get("en", ())), tuple(concept.get("zh", ()))) for concept in concepts)


def plural(low: str) -> str:
    """The regular plural of the last word."""
    if low.endswith(("s", "x", "ch", "sh")):
        return low + "es"
    if low.endswith("y") and low[-2:-1] not in "aeiou":
        return low[:-1] + "ies"
    return low + "s"


def squeezed(low: str) -> str:
    """Without what people leave out or put in: spaces, hyphens, apostrophes."""
    return "".join(char for char in low if char not in " -'_")


def _load(name: str) -> dict[str, dict[str, dict[str, list[str]]]]:
    text = files("plugins.devices.understanding").joinpath("words", f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
