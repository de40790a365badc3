"""What a question asks about events: which figure, of which events, by what.

Names and values are looked for in what the log holds, so a question is understood against this plant. What is left of
it when everything known is taken away (`EventAsk.unknown`) would restrict the answer in a way that is not known: then
the question is not taken for one that can be computed, rather than answered without its restriction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from agent.numerals import parse_number
from agent.times import find_periods
from knowledge.tokens import fold, place_of
from plugins.logs.interface import COLUMNS, EventLog
from plugins.logs.lexicon import CALLED, COLUMN_WORDS, STATE_WORDS, heading_words, spaced
from plugins.logs.matching import as_named, find_terms
from plugins.logs.series.asked import blank
from plugins.logs.symptom import squeeze
from plugins.logs.wordlists import load_words

__all__ = ["EventAsk", "Kind", "understand"]

Kind = Literal[
    "flood", "chatter", "stale", "before", "between", "rate", "lasting", "longest", "bottom", "top", "distinct",
    "standing", "distribution", "share", "first", "last", "span", "count", "list",
]  # fmt: skip
_FILE = Path(__file__).parent / "words.toml"

_GROUPED = ("tag", "text", "priority", "state", "area")
_MOST_VALUES = 500
"""A column with more different values is none that a question chooses by; tags and texts are found apart."""
_TOGETHER: frozenset[Kind] = frozenset({"first", "last", "longest"})
_LEAST_PART = {True: 3, False: 2}
"""Letters of a Latin or a Chinese word that is looked for inside names."""
_NEAR = 8
"""Letters between a column's name and a value that is only a number."""


@dataclass(frozen=True, slots=True)
class EventAsk:
    """What is asked."""

    kinds: tuple[Kind, ...]
    columns: tuple[str, ...] = ()
    """Columns that are named, as the log calls them."""
    bucket: str = ""
    """Of time; of a rate its unit, as it was said."""
    equal: dict[str, str] = field(default_factory=dict)
    """Column → value."""
    also: tuple[tuple[str, str], ...] = ()
    """Further values that were said of those columns: each is a question of its own."""
    names: tuple[str, ...] = ()
    """Texts and tags that are named."""
    parts: tuple[str, ...] = ()
    """Where none is named: words that stand in some of them."""
    first_n: int = 0
    """How many were asked for; 0 where it was not said."""
    minutes: float | None = None
    says_alarm: bool = False
    unknown: str = ""


class _Text:
    """A question whose understood words are blanked one by one."""

    def __init__(self, text: str) -> None:
        self.whole = text
        self.left = text

    def take(self, rule: re.Pattern[str]) -> re.Match[str] | None:
        """The first match; all of them are blanked."""
        found = rule.search(self.left)
        self.left = rule.sub(lambda m: " " * len(m.group()), self.left)
        return found

    def take_name(self, name: str) -> int:
        """Where a name stands as a whole; it is blanked. -1 where it does not."""
        at = place_of(name, self.left)
        if at >= 0:
            letters = re.compile(r"\s*".join(re.escape(c) for c in "".join(fold(name).split())))
            found = letters.search(self.left, at)
            if found:
                self.left = f"{self.left[: found.start()]}{' ' * len(found.group())}{self.left[found.end() :]}"
        return at


def understand(question: str, log: EventLog) -> EventAsk | None:
    """What a question asks about events; None where it asks nothing that can be computed.

    :raises DatabaseError: the log cannot be read.
    """
    words = load_words(_FILE)
    kinds, more = words["kinds"], words["more"]
    folded = spaced(fold(question))
    if more["refused"].search(folded):
        return None
    columns = [*(name for name in _GROUPED if log.names(name)), *log.more_columns()]
    text = _Text(as_named(blank(folded, find_periods(folded)), (n for c in columns for n in _few(log.names(c)))))
    before = kinds["before"].search(text.left) is not None
    minutes = text.take(more["minutes"]) if before else None
    stale = kinds["stale"].search(text.left) is not None
    stands = text.take(kinds["standing"]) is not None
    names = _take_names(text, log)
    equal, also = _take_values(text, columns, log)
    ranked = kinds["top"].search(text.left) is not None
    first_n = text.take(more["first_n"])
    rate = text.take(kinds["rate"])
    bucket = next((name for name, rule in words["buckets"].items() if text.take(rule)), "")
    known = {"before": before, "stale": stale, "standing": stands, "rate": rate is not None, "top": ranked}
    found = [cast(Kind, kind) for kind, rule in kinds.items() if text.take(rule) or known.get(kind)]
    named = _take_columns(text, columns)
    reported = more["reported"].search(text.left) is not None
    reported |= "between" in found and more["noun"].search(folded) is not None  # its rule has taken the noun
    counted, different = text.take(more["count"]), text.take(more["different"])
    says_alarm = text.take(more["noun"]) is not None or reported
    distinct = bool(named) and (different is not None or (counted is not None and _counts_column(folded, named[0])))
    asked = _kinds(
        found, bool(named or bucket or first_n or also or len(names) > 1), counted is not None, distinct=distinct
    )
    asked = asked or (("list",) if equal and says_alarm else ())
    if not asked:
        return None
    text.take(more["stop"])
    parts, unknown = _parts_of_names(text.left.split(), log) if not names else ((), text.left.split())
    unit = more["rate_unit"].search(rate.group()) if rate else None
    number = _said(first_n)
    return EventAsk(
        asked,
        tuple(c for c in named if c not in equal),
        unit.group() if unit else bucket,
        equal,
        also,
        names,
        parts,
        int(parse_number(number) or 0) if number else 0,
        float(_said(minutes)) if minutes else None,
        says_alarm,
        " ".join(unknown),
    )


def _said(match: re.Match[str] | None) -> str:
    """What a pattern with alternatives caught."""
    return next((part for part in match.groups() if part), "") if match else ""


def _parts_of_names(left: list[str], log: EventLog) -> tuple[tuple[str, ...], list[str]]:
    """Words that stand in texts or tags of the log, and those that do not."""
    if not left:
        return (), []
    known = [squeeze(name) for column in ("text", "tag") for name in log.names(column)]
    parts = [
        word for word in left if len(word) >= _LEAST_PART[word.isascii()] and any(squeeze(word) in n for n in known)
    ]
    return tuple(parts), [word for word in left if word not in parts]


def _kinds(found: list[Kind], grouped: bool, counted: bool, *, distinct: bool) -> tuple[Kind, ...]:
    """The first that is preferred; first, last and longest go together."""
    if distinct and not {"top", "bottom"} & set(found):
        return ("distinct",)
    if not grouped:
        found = [kind for kind in found if kind != "distribution"]
    if not found:
        return ("count",) if counted else ()
    best = found[0]
    return tuple(kind for kind in found if kind in _TOGETHER) if best in _TOGETHER else (best,)


def _take_names(text: _Text, log: EventLog) -> tuple[str, ...]:
    terms = [term.value for term in find_terms(text.left, log) if term.kind in ("alarm", "tag")]
    for value in terms:
        text.take_name(value)
    return tuple(dict.fromkeys(terms))


def _take_values(
    text: _Text, columns: Iterable[str], log: EventLog
) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Values of the columns that stand in the question, the longest first: one for each column, and further ones."""
    asked = squeeze(text.left)
    known = [
        (spelled, name, value)
        for name in columns
        if name not in ("tag", "text")
        for value in _few(log.names(name))
        for spelled in (value, *STATE_WORDS.get(fold(value), ()))
        if squeeze(spelled) in asked
    ]
    found: dict[str, str] = {}
    also: dict[tuple[str, str], None] = {}
    for spelled, name, value in sorted(known, key=lambda k: -len(k[0])):
        if (
            found.get(name) == value
            or (name, value) in also
            or ((len(spelled) < 2 or spelled.isdigit()) and not _beside(text.left, name, spelled))
        ):
            continue
        if text.take_name(spelled) >= 0:
            if name in found:
                also[name, value] = None
            else:
                found[name] = value
    return found, tuple(also)


def _few(values: list[str]) -> list[str]:
    return values if len(values) <= _MOST_VALUES else []


def _beside(text: str, column: str, value: str) -> bool:
    """Whether a value that says nothing alone stands next to its column's name."""
    at = place_of(value, text)
    if at < 0:
        return False
    around = text[max(0, at - 2 * _NEAR - 8) : at] + " " + text[at + len(value) : at + len(value) + _NEAR]
    return any(word in around for word in _called(column))


def _take_columns(text: _Text, columns: Iterable[str]) -> list[str]:
    """The columns that are named; a heading as it is written before other words for it."""
    listed = list(columns)
    found: list[str] = []
    for column in listed:
        if column not in COLUMNS and text.take_name(column) >= 0:
            found.append(column)
    words = sorted(
        ((word, column) for column in listed for word in _called(column)), key=lambda w: (-len(w[0]), w[1] in COLUMNS)
    )
    for word, column in words:
        if column in found:
            continue
        edge = r"\b" if word.isascii() else ""
        if text.take(re.compile(rf"{edge}{re.escape(word)}{edge}")):
            found.append(column)
    for column in found:
        for word in _called(column):  # 场站（Field） says one column twice
            edge = r"\b" if word.isascii() else ""
            text.take(re.compile(rf"{edge}{re.escape(word)}{edge}"))
    return sorted(
        found, key=lambda c: min((at for w in (c, *_called(c)) if (at := text.whole.find(fold(w))) >= 0), default=0)
    )


def _called(column: str) -> tuple[str, ...]:
    """What people call a column."""
    words = heading_words(column)
    key = words[-1] if words else fold(column)
    plural = (f"{fold(column)}s",) if column.isascii() else ()
    return tuple(dict.fromkeys((*_others(fold(column)), *_others(key), fold(column), *plural)))


def _others(word: str) -> tuple[str, ...]:
    """Other words for what a heading says, whichever of them it says."""
    return COLUMN_WORDS.get(word) or CALLED.get(word, ())


def _counts_column(text: str, column: str) -> bool:
    """Whether "how many" stands right before a column: then its different values are counted."""
    words = "|".join(re.escape(word) for word in sorted((*_called(column), column.casefold()), key=len, reverse=True))
    return (
        re.search(rf"(?:多少|几)个?(?:{words})|\bhow many (?:\w+ )?(?:{words})\b|\bnumber of (?:{words})\b", text)
        is not None
    )
