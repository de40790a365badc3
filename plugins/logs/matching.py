"""Which stored texts and tags a person means by the name of an alarm, and which names stand in a question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from agent.api import Term
from knowledge.limits import name_variants
from knowledge.tokens import HAN, place_of
from plugins.logs.interface import EventLog
from plugins.logs.symptom import squeeze, symptoms

__all__ = ["Meant", "Names", "as_named", "find_terms", "meant_by"]

_HAN = re.compile(f"[{HAN}]")
_TOKEN = re.compile(rf"[{HAN}]+|[^\s{HAN},，。?？!！;；]+")
_EDGES = " \"'“”?？.。!！,，:："
_MANY_NAMES = 1_000
"""A log with so many may have more than `[logs] max_names` lists: then a name is also looked up as it is written."""
_NUMERALS = "一二三四五六七八九"
_NUMBERED = re.compile(rf"(?<![{_NUMERALS}十\d])(?P<n>[{_NUMERALS}]|\d{{1,2}})[号#](?P<of>[{HAN}])")
_CACHED = 20_000
_MOST_WORDS = 40
_MIN_PART = 2
"""A shorter part of a text would match everything."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What a name stands for in this log."""

    texts: tuple[str, ...]
    tags: tuple[str, ...]
    part: bool = False
    """No text or tag is this name; these contain it."""


def _phrases(question: str) -> list[str]:
    """Stretches of a few words, as they are written: what may be a name in a log with very many."""
    words = list(_TOKEN.finditer(question))[:_MOST_WORDS]
    spans = ((words[i].start(), words[k].end()) for i in range(len(words)) for k in range(i, min(i + 5, len(words))))
    return list(dict.fromkeys(question[a:b].strip(_EDGES) for a, b in spans))


def as_named(question: str, names: Iterable[str]) -> str:
    """A question in which 一号主变 is 1#主变 where the log writes it so; every letter keeps its place."""
    found = list(_NUMBERED.finditer(question))
    known = [squeeze(name) for name in names] if found else []
    for match in found:
        number, machine = match["n"], match["of"]
        digit = str(_NUMERALS.find(number) + 1) if number in _NUMERALS else number
        written = {f"{one}{mark}" for one in (number, digit) for mark in "号#"}
        own = match.group().removesuffix(machine)
        if any(f"{own}{machine}" in name for name in known):
            continue
        near = [one for one in sorted(written - {own}) if any(f"{one}{machine}" in name for name in known)]
        if len(near) == 1:
            question = f"{question[: match.start()]}{near[0]}{question[match.start() + len(own) :]}"
    return question


def meant_by(name: str, log: EventLog) -> Meant:
    """The texts and tags that are alike: same tag, same text, same symptom.

    A tag that has one text in Chinese and one in English has one alarm with two names: asking for either finds both.
    Only where nothing is alike, texts that contain the name are taken, and `part` says so.

    :raises DatabaseError: the log cannot be read.
    """
    key, wanted = squeeze(name), symptoms(name)
    listed, known = log.names("tag"), log.names("text")
    tags = tuple(tag for tag in listed if squeeze(tag) == key)
    texts = [text for text in known if wanted & symptoms(text)]
    if len(listed) >= _MANY_NAMES and not tags:
        tags = tuple(log.known_names("tag", [name]))
    if len(known) >= _MANY_NAMES and not texts:
        texts = log.known_names("text", [name])
    if texts or tags:
        return Meant(_with_translations(texts, known, log), tags)
    if len(key) < _MIN_PART:
        return Meant((), ())
    return Meant(tuple(text for text in known if key in squeeze(text)), (), part=True)


def _with_translations(texts: list[str], known: Iterable[str], log: EventLog) -> tuple[str, ...]:
    if len({_is_chinese(text) for text in known}) < 2:
        return tuple(texts)
    found = dict.fromkeys(texts)
    for on_tag in log.texts_by_tag(texts).values():
        one_each = {_is_chinese(text): symptoms(text) for text in on_tag}
        if len(one_each) == 2 and all(symptoms(text) == one_each[_is_chinese(text)] for text in on_tag):
            found.update(dict.fromkeys(sorted(on_tag)))
    return tuple(found)


def _is_chinese(text: str) -> bool:
    return _HAN.search(text) is not None


@lru_cache(maxsize=_CACHED)
def _parts(name: str) -> tuple[tuple[str, str], ...]:
    """The variants of a name, each as written and squeezed."""
    return tuple((part, squeeze(part)) for part in name_variants(name))


class Names(Protocol):
    """What of a log is needed to find its names in a question; see `EventLog`."""

    def names(self, column: str) -> list[str]: ...

    def known_names(self, column: str, wanted: Sequence[str]) -> list[str]: ...


def find_terms(question: str, log: Names) -> list[Term]:
    """Alarm texts, tags and areas of the log that stand in a question; of overlapping ones the longest.

    :raises DatabaseError: the log cannot be read.
    """
    found: list[tuple[int, int, Term]] = []
    asked, phrases = squeeze(question), _phrases(question)
    for kind, column in (("alarm", "text"), ("tag", "tag"), ("area", "area")):
        listed = log.names(column)
        for name in listed if len(listed) < _MANY_NAMES else [*listed, *log.known_names(column, phrases)]:
            for part, squeezed in _parts(name) if kind == "alarm" else ((name, squeeze(name)),):
                if squeezed in asked and len(squeezed) >= _MIN_PART and (start := place_of(part, question)) >= 0:
                    found.append((len(squeezed), start, Term(kind, name, "question", start)))
                    break
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    kept: list[tuple[int, int, Term]] = []
    for length, start, term in found:
        inside = [k for k in kept if k[1] < start + length and start < k[1] + k[0]]
        if all((k[0], k[1]) == (length, start) for k in inside):
            kept.append((length, start, term))
    return [term for _, _, term in sorted(kept, key=lambda entry: entry[1])]
