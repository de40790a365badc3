"""Which series a question means: by its name, by the words of its name in either language, or as the only one there is.

Every word of the question that fits a series is given to the series whose name it fits best. Where two fit equally
("加速度计" with two of them) both are meant, and an answer names both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.tokens import fold, place_of
from plugins.logs.interface import Signal
from plugins.logs.lexicon import KNOWN, SPELT, Word, alike, heading_words, words_in
from plugins.logs.spelling import respelled

__all__ = ["LABELS", "Meant", "is_label", "meant_pair", "meant_signals"]

LABELS = frozenset({"anomaly", "label", "changepoint", "outlier", "fault", "attack", "abnormal", "class", "flag"})
"""Words of a column that marks spans of time with 1."""
_GENERAL = frozenset(
    [
        "value",
        "values",
        "data",
        "reading",
        "readings",
        "sensor",
        "signal",
        "series",
        "system",
        "failure",
        "rms",
        "file",
        "csv",
        "the",
        "of",
        "a",
        "in",
        "s",
        "no",
        "id",
        "log",
        "test",
    ]
)
"""Words that tell no series from another."""
_NOT_AMPERES = re.compile(
    r"\bcurrent(?=\s+(?:value|reading|state|status|alarm|time|situation|shift|week|month|year|day|level|speed|"
    r"temperature|pressure|flow|voltage|humidity|vibration|power|frequency))"
)
_EVENT = re.compile(r"报警|告警|故障|跳闸|\b(?:alarms?|fail(?:s|ed|ures?)?|trip(?:s|ped)?|faults?|errors?|events?)\b")
_JOINT = re.compile(
    r"和|与|跟|同|比|或者?|还是|、|,|vs\.?|高于|低于|大于|小于|超过|\b(?:and|or|than|versus|against|minus|above|below|over|under|exceed\w*|with|to|from)\b"
)
"""What may stand between the names of two series."""
_MOST = 6
"""Series that one question may mean."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The series of a question."""

    signals: tuple[Signal, ...]
    named: bool
    """Whether the question names them; otherwise it is the only series there is."""


def is_label(signal: Signal) -> bool:
    """Whether a series marks spans of time, from its name."""
    return bool(LABELS & set(heading_words(signal.tag)))


def meant_signals(question: str, signals: Sequence[Signal]) -> Meant:
    """The series that a question is about; none where it names none and there are several.

    :param question: without spans of time and limits, whose numbers are no names.
    """
    said = _NOT_AMPERES.sub(lambda m: " " * len(m.group()), fold(question))
    words = words_in(said)
    scored = []
    for signal in signals:
        places, share = _match(signal, words)
        exact = place_of(signal.tag, said) if len(signal.tag) > 1 else -1
        if exact >= 0:
            places = places | set(range(exact, exact + len(signal.tag)))
            share += 10 + len(signal.tag)
        if places:
            scored.append((len(places & {w.start for w in words}) + share, places, signal))
    best = _take(scored)
    plain = [signal for signal in best if not is_label(signal)]
    if best:
        return Meant(tuple(plain or best)[:_MOST], named=True)
    own = (
        {name for signal in signals for name in heading_words(signal.tag) if len(name) > 1} | SPELT | _GENERAL
    )  # value is no valve
    if (right := respelled(said, own)) != said:
        return meant_signals(right, signals)
    real = [signal for signal in signals if not is_label(signal)]
    if _EVENT.search(said) or any(word.name in KNOWN and word.name not in LABELS for word in words):
        return Meant((), named=False)  # it is about something else
    return Meant(tuple(real) if len(real) == 1 else (), named=False)


def meant_pair(question: str, signals: Sequence[Signal]) -> tuple[Signal, ...]:
    """Two series that stand on both sides of a word that joins or compares, in the order in which they are said.

    "return and supply temperature": what stands before may leave out the word that the second ends with.
    """
    for joint in _JOINT.finditer(question):
        before, after = question[: joint.start()], question[joint.end() :]
        second = _single(after, signals)
        if second is None:
            continue
        first = _single(before, signals) or _single(f"{before} {_tail_of(second, after)}", signals)
        if first is not None and first.tag != second.tag:
            return first, second
    return ()


def _single(part: str, signals: Sequence[Signal]) -> Signal | None:
    meant = meant_signals(part, signals)
    return meant.signals[0] if meant.named and len(meant.signals) == 1 else None


def _tail_of(signal: Signal, text: str) -> str:
    """The last word of a text that is one of a series' name."""
    own = [word for word in words_in(fold(text)) if any(alike(word.name, name) for name in heading_words(signal.tag))]
    return fold(text)[own[-1].start : own[-1].end] if own else ""


def _take(scored: list[tuple[float, set[int], Signal]]) -> list[Signal]:
    """Best first; one is meant where it explains words that none better has explained, or explains the same as well."""
    taken: list[Signal] = []
    explained: dict[int, float] = {}
    for score, places, signal in sorted(scored, key=lambda s: (-s[0], s[2].tag)):
        new = [place for place in places if place not in explained or explained[place] == score]
        if not new:
            continue
        if any(place in explained and explained[place] != score for place in places):
            continue  # part of a better name stands in this one
        taken.append(signal)
        explained.update(dict.fromkeys(places, score))
    return taken


def _match(signal: Signal, words: Sequence[Word]) -> tuple[set[int], float]:
    """Places of the question's words that this name holds, and which share of the name they are."""
    own = heading_words(signal.tag)
    places: set[int] = set()
    held = 0
    for name in own:
        at = {word.start for word in words if alike(word.name, name)}
        if at and name not in _GENERAL:
            places |= at
            held += 1
    joined = {"".join(own[i:k]) for i in range(len(own)) for k in range(i + 2, len(own) + 1)}
    whole = {word.start for word in words if word.name in joined}  # hydPressure as a person types it: hydpressure
    places, held = places | whole, held + 2 * bool(whole)
    if not any(not word.name.isdigit() and word.start in places for word in words):
        return set(), 0.0
    return places, held / len(own) * 0.9
