"""What a question about a series says beyond what was understood of it.

Taken away are: spans of time and limits (before), every word that the rules know, the names of the series that are
meant with their units, machines that tell no series of this log from another, and words that say nothing. What is left
would restrict or change the figure in a way that is not known: then the figure is not told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from knowledge.tokens import fold
from plugins.logs.interface import Signal
from plugins.logs.lexicon import SPELT, THINGS, Word, alike, heading_words, words_in
from plugins.logs.series.asked import blank, known_words
from plugins.logs.series.signals import LABELS
from plugins.logs.spelling import respelled
from plugins.logs.wordlists import load_words

__all__ = ["around", "clauses", "words_left"]

_FILE = Path(__file__).parent / "silent.toml"
_WORD = re.compile(r"[a-z][a-z']+|\d[\d.]*|[\u3400-\u9fff]+")
_LETTERS = re.compile(r"[a-z]+")
_NOTHING = re.compile(r"[\s_\-#号的]*")
"""What may stand between a thing and its quantity."""
_ALSO = {"exhaust": "outlet"}
"""Words that are another of ours for some machines: what leaves a compressor is its 排气."""
_LEAST_SHORT = 3


def words_left(names_text: str, signals: Sequence[Signal], every: Sequence[Signal]) -> tuple[str, ...]:
    """Words that nothing accounts for, in the order in which they are said.

    :param names_text: the question without spans of time and limits, as `SeriesAsk.names_text` has it.
    :param signals: the series that are meant.
    """
    text = _without_names(names_text, signals, every)
    rules = (*known_words(), load_words(_FILE)["silent"]["words"])
    known = [(match.start(), match.group()) for rule in rules for match in rule.finditer(names_text)]
    left = [found.group() for found in _WORD.finditer(blank(text, known))]
    vocabulary = _vocabulary(signals)
    return tuple(word for word in left if respelled(word, vocabulary) == word)


def clauses(question: str) -> tuple[str, ...]:
    """Parts that say of which part of the data a figure is: "while …", "…期间"."""
    return tuple(match.group() for match in load_words(_FILE)["silent"]["clauses"].finditer(fold(question)))


def around(names_text: str, left: Sequence[str], signals: Sequence[Signal]) -> str:
    """What is left, and the words of a series' name that it stands beside: "hydraulic pressure" of "hydraulic"."""
    own = {name for signal in signals for name in heading_words(signal.tag)}
    named = [word for word in words_in(names_text) if any(alike(word.name, name) for name in own)]
    begin = names_text.find(left[0])
    end = names_text.find(left[-1], begin) + len(left[-1])
    for word in named:
        if word.end <= begin and _NOTHING.fullmatch(names_text[word.end : begin]):
            begin = word.start
        if word.start >= end and _NOTHING.fullmatch(names_text[end : word.start]):
            end = word.end
    return names_text[begin:end].strip()


def _vocabulary(signals: Sequence[Signal]) -> frozenset[str]:
    return frozenset(name for s in signals for name in heading_words(s.tag) if name.isascii() and len(name) > 2) | SPELT


def _without_names(text: str, signals: Sequence[Signal], every: Sequence[Signal]) -> str:
    """A text without the names of series, their units, and things beside a name that belong to no other series."""
    for phrase in sorted({fold(part) for s in signals for part in (s.tag, s.unit) if part}, key=len, reverse=True):
        named = words_in(phrase)
        if phrase in (fold(s.unit) for s in signals) or not named:
            text = _blanked(text, _whole(phrase))
    own = {name for signal in signals for name in heading_words(signal.tag)}
    own |= {"".join(heading_words(signal.tag)) for signal in signals} | LABELS
    others = {name for signal in every if signal not in signals for name in heading_words(signal.tag)}
    words = words_in(text)
    taken = {word for word in words if _is_named(word.name, own)}
    beside = [word for word in words if word.name in THINGS and word.name not in others]
    for word in (*beside, *reversed(beside)):
        if any(_touch(text, word, other) for other in taken):
            taken.add(word)
    return blank(text, [(word.start, _run_of(text, word)) for word in taken])


def _is_named(word: str, own: set[str]) -> bool:
    """Whether a word is one of a name's, another word for it, or a longer one that it shortens: hyd, hydraulic."""
    if any(alike(word, name) for name in own) or _ALSO.get(word) in own:
        return True
    if not word.isascii() or len(word) < _LEAST_SHORT:
        return False
    longer = [name for name in own if name.isascii() and len(name) >= _LEAST_SHORT]
    return any(word.startswith(name) or name.startswith(word) for name in longer)


def _touch(text: str, one: Word, other: Word) -> bool:
    first, second = sorted((one, other), key=lambda word: word.start)
    return _NOTHING.fullmatch(text[first.end : second.start]) is not None


def _run_of(text: str, word: Word) -> str:
    """All letters of a word: "drive end" is one that we call by two letters."""
    run = _LETTERS.match(text, word.start)
    return max(text[word.start : word.end], run.group() if run else "", key=len)


def _whole(phrase: str) -> re.Pattern[str]:
    begin = r"(?<![a-z])" if phrase[:1].isascii() and phrase[:1].isalnum() else ""
    end = r"(?![a-z])" if phrase[-1:].isascii() and phrase[-1:].isalnum() else ""
    return re.compile(f"{begin}{re.escape(phrase)}{end}")


def _blanked(text: str, rule: re.Pattern[str]) -> str:
    return rule.sub(lambda match: " " * len(match.group()), text)
