"""Devices that a number tells apart: "pumps one and two", "number three", 一号和二号泵, 二号泵 where one alone fits.

A row of numbers beside what such devices are called becomes a row of names. A number that no such device has is
unknown, so that nothing is done: it is never passed over, and never one for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from plugins.devices.understanding.lexicon import Sense, plural, squeezed
from plugins.devices.understanding.normalise import is_cjk, normalise
from plugins.devices.understanding.numbers import amount_at
from plugins.devices.understanding.ranges import NTH
from plugins.devices.understanding.tokens import Token, words_trie
from plugins.devices.values import Device

__all__ = ["Numbered", "names_for", "numbered"]

_WORDED = "一二两三四五六七八九十"
_BEFORE = re.compile(rf"^(\d{{1,3}}|[{_WORDED}]{{1,3}})\s*[号#]\s*(.+)$")
_BEHIND = re.compile(rf"^(.*[^\d\s#{_WORDED}])\s*(?:no\.?|#)?\s*(\d{{1,3}}|(?<=\s)[a-z]+|[{_WORDED}]{{1,3}})[号#]?$")
_MARKS = ("号", "#")
_LEADS = ("number", "numbers")
_ANDS = ("and", "&", "和", "跟", "与", "及", "、", "plus")
_MOST_WORDS = 5
"""That what such devices are called is made of."""


@dataclass(frozen=True, slots=True)
class _Member:
    """One device, by one of its names."""

    stem: str
    name: str
    device: str
    domain: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """What numbered devices are called, without their number."""

    by_stem: Mapping[str, Mapping[int, tuple[_Member, ...]]] = field(default_factory=dict)
    """Squeezed, whole or only its last word → number → devices."""
    stems: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Name → its stem and number."""


def numbered(devices: Iterable[Device]) -> Numbered:
    """The numbered devices of a home."""
    found: dict[str, dict[int, list[_Member]]] = {}
    stems: dict[str, tuple[str, int]] = {}
    for device in devices:
        for name in device.names:
            parted = _parted(normalise(name).low)
            if parted is None:
                continue
            stem, number = parted
            member = _Member(squeezed(stem), name, device.id, device.domain)
            stems[name] = (squeezed(stem), number)
            for form in {form for called in (stem, *_heads(stem)) for form in (called, plural(called))}:
                found.setdefault(squeezed(form), {}).setdefault(number, []).append(member)
    kept = {stem: {n: tuple(dict.fromkeys(ms)) for n, ms in by.items()} for stem, by in found.items()}
    return Numbered(kept, stems)


def _parted(low: str) -> tuple[str, int] | None:
    """Stem and number of a name; None: no number tells it apart."""
    if match := _BEFORE.match(low):
        number, stem = match[1], match[2]
    elif match := _BEHIND.match(low):
        stem, number = match[1], match[2]
    else:
        return None
    found = amount_at(number, 0)
    if found is None or found[1] != len(number) or found[0].value != int(found[0].value):
        return None
    return stem.strip(), int(found[0].value)


def _heads(stem: str) -> list[str]:
    """What such a thing is called for short: its last word, where that is known."""
    if not is_cjk(stem[-1]):
        return stem.split()[-1:] if " " in stem else []
    return [
        stem[at:] for at in range(1, len(stem)) if any(end == len(stem) for end, _ in words_trie().matches(stem, at))
    ]


def names_for(tokens: Sequence[Token], low: str, known: Numbered) -> tuple[Token, ...]:
    """The tokens, with names where numbers told devices apart."""
    if not known.by_stem or not any(_number(token) is not None for token in tokens):
        return tuple(tokens)
    return _Pass(tuple(tokens), low, known).run()


class _Pass:
    """From left to right, once."""

    def __init__(self, tokens: tuple[Token, ...], low: str, known: Numbered) -> None:
        self._tokens, self._low, self._known = tokens, low, known
        self._last = ""
        """Stem of what was spoken of last."""

    def run(self) -> tuple[Token, ...]:
        done: list[Token] = []
        at = 0
        while at < len(self._tokens):
            made, at = self._one(at)
            done += made
        return tuple(done)

    def _one(self, at: int) -> tuple[list[Token], int]:
        token = self._tokens[at]
        if stem := self._stem(token):
            self._last = stem
            more, end = self._row(at + 1, marked=False)
            return [token, *self._named(more, stem, joined=True)], end
        behind = self._behind(at)
        if behind is not None:
            return behind
        before = self._before(at)
        return before if before is not None else ([token], at + 1)

    def _stem(self, token: Token) -> str:
        sense = token.sense("name")
        return self._known.stems.get(sense.value, ("", 0))[0] if sense else ""

    def _behind(self, at: int) -> tuple[list[Token], int] | None:
        """ "transfer pumps one and two": what they are called, then numbers."""
        for end in range(min(len(self._tokens), at + _MOST_WORDS), at, -1):
            stem = squeezed(self._low[self._tokens[at].start : self._tokens[end - 1].end])
            if stem not in self._known.by_stem or any(token.amount for token in self._tokens[at:end]):
                continue
            row, after = self._row(end, marked=False, first=True)
            if not row:
                self._last = stem
                return None
            if row[0][0] not in self._known.by_stem[stem] and len(row) == 1 and not _worded(row):
                return None
            self._last = stem
            return self._named(row, stem), after
        return None

    def _before(self, at: int) -> tuple[list[Token], int] | None:
        """ "number one and two pump", 一号和二号泵: numbers, then what they are called, or what was spoken of."""
        row, after = self._row(at, marked=True, first=True)
        if not row:
            return None
        for end in range(min(len(self._tokens), after + _MOST_WORDS), after, -1):
            stem = squeezed(self._low[self._tokens[after].start : self._tokens[end - 1].end])
            if stem in self._known.by_stem and not self._counts_otherwise(row, stem):
                self._last = stem
                return self._named(row, stem), end
        if any(token.has(NTH) for _, token in row):
            return None
        joined = self._tokens[after] if after < len(self._tokens) else None
        if joined is not None and joined.text in _ANDS and after + 1 < len(self._tokens):
            stem = self._stem(self._tokens[after + 1])
            if stem:
                self._last = stem
                return [*self._named(row, stem), joined], after + 1
        return (self._named(row, self._last), after) if self._last else None

    def _counts_otherwise(self, row: Sequence[tuple[int, Token]], stem: str) -> bool:
        """ "the second pump" is number two only where such numbers begin at one and leave none out."""
        numbers = set(self._known.by_stem[stem])
        whole = numbers == set(range(1, len(numbers) + 1))
        return any(token.has(NTH) and not (whole and number in numbers) for number, token in row)

    def _row(self, at: int, *, marked: bool, first: bool = False) -> tuple[list[tuple[int, Token]], int]:
        """Numbers with "and" between; whether they must be marked as such: "number", 号."""
        found: list[tuple[int, Token]] = []
        end, is_marked = at, False
        while True:
            begin = end
            if (found or not first) and not (
                begin < len(self._tokens) and self._tokens[begin].text in (*_ANDS, ",", "，")
            ):
                break
            begin += bool(found or not first)
            lead = begin < len(self._tokens) and self._tokens[begin].text in _LEADS
            begin += lead
            token = self._tokens[begin] if begin < len(self._tokens) else None
            number = _number(token) if token else None
            if token is None or number is None:
                break
            counted = token.has(NTH)
            mark = begin + 1 < len(self._tokens) and self._tokens[begin + 1].text in _MARKS
            after = begin + 1 + mark
            if not (mark or lead or counted or (is_marked and token.text.isascii())) and self._means_other(
                after, found, first
            ):
                break
            is_marked = is_marked or lead or mark or counted
            found.append((number, replace(token, end=self._tokens[after - 1].end)))
            end = after
        return (found, end) if is_marked or not marked else ([], at)

    def _means_other(self, after: int, found: Sequence[object], first: bool) -> bool:
        """ "pump 1 and 2 fans": the number counts something else."""
        following = self._tokens[after] if after < len(self._tokens) else None
        return bool((found or not first) and following and following.has("noun", "name", "word", "piece"))

    def _named(self, row: Sequence[tuple[int, Token]], stem: str, *, joined: bool = False) -> list[Token]:
        """Names with "and" between them, and before them where they are joined to one."""
        done: list[Token] = []
        for number, token in row:
            if done or joined:
                done.append(Token(token.start, token.start, "and", (Sense("and", "and"),)))
            done.append(_as_name(token, self._known.by_stem.get(stem, {}).get(number, ()), stem))
        return done


def _number(token: Token | None) -> int | None:
    amount = token.amount if token else None
    if amount is None or amount.unit or amount.value != int(amount.value) or amount.value < 0:
        return None
    return int(amount.value)


def _worded(row: Sequence[tuple[int, Token]]) -> bool:
    return any(token.has("one") for _, token in row)


def _as_name(token: Token, members: Sequence[_Member], stem: str) -> Token:
    """The device with that number; what has none is unknown."""
    whole = [member for member in members if member.stem == stem or plural(member.stem) == stem] or list(members)
    ids = tuple(dict.fromkeys(member.device for member in whole))
    if not ids:
        return Token(token.start, token.end, token.text)
    domains = tuple(dict.fromkeys(member.domain for member in whole))
    short = whole[0].stem not in (stem, stem.removesuffix("s"))
    kind = "piece" if short and len(ids) == 1 else "name"
    sense = Sense(kind, whole[0].name, ids, domains=domains, text=stem.rstrip("s") if stem.isascii() else stem)
    return Token(token.start, token.end, token.text, (sense,))
