"""The words that are drawn, from `words.toml`, and how a text is taken apart into them.

Longer names go before shorter ones. What stands in no list is one `unknown` token; nothing is guessed.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

__all__ = ["Lexicon", "Names", "Token", "is_chinese", "load_lexicon", "tokens", "units"]

Kind = Literal["animal", "feature", "color", "place", "lead", "after", "filler", "unknown"]
_HAN = "\u3400-\u9fff"
_UNIT = re.compile(rf"[{_HAN}]|[a-z]+")
_BREAK = re.compile(r"[\s,.;:!?~·・。,、;:!?…-]+")
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Names:
    """How one thing is called; the first name of each language is ours."""

    zh: tuple[str, ...]
    en: tuple[str, ...]
    zh_said: str = ""
    """In a caption, before the animal; {} is for a colour of its own."""
    en_said: str = ""
    before: bool = False
    """Whether English has it before the animal."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a wish."""

    kind: Kind
    name: str
    gap: bool
    """Whether something parts it from the piece before: in Chinese a space is enough, in English it takes a comma."""
    linked: bool = False
    """Whether it ends with 的, which ties it to the next piece."""


@dataclass(frozen=True)
class Lexicon:
    """All words."""

    animals: Mapping[str, Names]
    features: Mapping[str, Names]
    colors: Mapping[str, Names]
    places: Mapping[str, Names]
    leads: Mapping[str, frozenset[str]]
    """Verb or preposition → names of features that may follow; `places` stands for all places, `*` for all features."""
    phrases: Mapping[str, tuple[Kind, str]] = field(repr=False)
    """Text → what it is."""
    longest: Mapping[bool, int] = field(repr=False)
    """Whether Chinese → letters or words of the longest phrase."""


@cache
def load_lexicon() -> Lexicon:
    """The words of this distribution."""
    read = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
    groups = {kind: {name: _names(values) for name, values in read[kind].items()} for kind in
              ("animals", "features", "colors", "places")}  # fmt: skip
    phrases: dict[str, tuple[Kind, str]] = {}
    kinds: tuple[tuple[str, Kind], ...] = (
        ("animals", "animal"), ("features", "feature"), ("colors", "color"), ("places", "place"),
    )  # fmt: skip
    for group, kind in kinds:
        for name, names in groups[group].items():
            phrases.update(dict.fromkeys((*names.zh, *names.en), (kind, name)))
    for name, lead in read["leads"].items():
        phrases.update(dict.fromkeys((*lead["zh"], *lead["en"]), ("lead", name)))
    for group, kind in (("fillers", "filler"), ("after_places", "after")):
        phrases.update({said: (kind, said) for said in (*read[group]["zh"], *read[group]["en"])})
    phrases.update(dict.fromkeys(read["never"], ("unknown", "")))
    longest = {
        True: max(len(said) for said in phrases if is_chinese(said)),
        False: max(len(said.split()) for said in phrases),
    }
    leads = {name: frozenset(lead["before"]) for name, lead in read["leads"].items()}
    return Lexicon(**groups, leads=leads, phrases=phrases, longest=longest)


def normalised(text: str) -> str:
    """Full-width letters as plain ones, capitals as small ones."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def is_chinese(text: str) -> bool:
    """Whether it holds Chinese letters."""
    return re.search(f"[{_HAN}]", text) is not None


def units(text: str) -> int:
    """How long a wish is: Chinese letters and English words."""
    return len(_UNIT.findall(normalised(text)))


def tokens(text: str) -> list[Token]:
    """A text taken apart."""
    found: list[Token] = []
    gap, rest = True, normalised(text)
    while rest:
        if parted := _BREAK.match(rest):
            gap = gap or is_chinese(text) or bool(parted[0].strip())
            rest = rest[parted.end() :]
            continue
        length, kind, name = _next(rest)
        if kind == "filler":
            if name == "的" and found:
                last = found.pop()
                found.append(Token(last.kind, last.name, last.gap, linked=True))
        else:
            found.append(Token(kind, name, gap))
        gap, rest = False, rest[length:]
    return found


def _next(rest: str) -> tuple[int, Kind, str]:
    """How long the next piece is, and what."""
    lexicon = load_lexicon()
    for said in _candidates(rest, lexicon):
        if said in lexicon.phrases:
            kind, name = lexicon.phrases[said]
            return len(said), kind, name
    word = _WORD.match(rest)
    return (word.end() if word else 1), "unknown", ""


def _candidates(rest: str, lexicon: Lexicon) -> Iterator[str]:
    """What the text may begin with, the longest first; English words are taken whole."""
    if _WORD.match(rest):
        ends = [word.end() for word in re.finditer(r"[a-z]+(?: |$|(?=[^a-z ]))", rest[:80])][: lexicon.longest[False]]
        yield from (rest[:end].rstrip() for end in reversed(ends))
    else:
        yield from (rest[:length] for length in range(min(len(rest), lexicon.longest[True]), 0, -1))


def _names(values: Mapping[str, object]) -> Names:
    told = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return Names(**told)  # type: ignore[arg-type]
