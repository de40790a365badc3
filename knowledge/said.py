"""How much of what a question asks one text says: a near miss shares the machine and lacks what is asked about it.

`knowledge.coverage` asks whether a passage is worth reading; this asks of a single sentence, row or list whether it
speaks of all that the question names. A word counts as said when it stands there, when the same language has as good
as the same word there, or, across languages, where a dictionary gives it or as far as some word there means it. What a
text may leave out without being about something else (when, how many, possible) is not counted against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.coverage import meant_shares
from knowledge.meaning import Meaning
from knowledge.question import clauses_of
from knowledge.renderings import renderings_of, translatable
from knowledge.tokens import fold, is_chinese, pairs, stem, tokens

__all__ = ["said_share"]

_MAX_RUNS = 40
_LATIN_WEIGHT = 2
"""A word says as much as two characters."""
_SAME_ZH, _SAME_EN = 0.9, 0.8
"""Cosine from which two words of one language are as good as the same; short stretches of Chinese are close easily."""
_FOREIGN = (0.5, 0.75)
"""Cosine up to which a word of the other language says nothing, and from which it says the same."""
_FOREIGN_BESIDE_DICTIONARY = (0.6, 0.85)
"""The same where a dictionary gave nothing that the text says."""
_LATIN = re.compile(r"[a-z]+")
_LIGHT_ZH = re.compile(
    "(?:这?部?(?:法律|法规|规程|标准|手册|说明书|文件|教程|书)|先?检查|先|处理|措施|采取|进行|做法|报警|告警|警报|故障|异常"
    "|情况|内容|包括|包含|可能|原因|步骤|方法|一次|[一两]天|几[次个套台天种]?"
    "|星期|周几|多[远少久高大长]|最[多少大小高低]|以[上下后前内]|之[后前]|保持|没有?|[时后前内外中间]|应采取|[要能得到须]|不[能得]|做|办|加)+"
)
_LIGHT_EN = frozenset(
    re.findall(
        r"\w+",
        """possible likely first after before limit value amount due present current check do fault alarm lamp light
        signal happen make made keep kept allow allowed permitted want procedure way right next change new old same one
        two maximum minimum book manual document guide during while until within only still again problem exactly high
        low hot cold long""",
    )
)
_LIGHT_STEMS = frozenset(stem(word) for word in _LIGHT_EN)


@dataclass(frozen=True, slots=True)
class _Word:
    weight: int
    said: float


def said_share(question: str, text: str, meaning: Meaning | None, *, same: bool) -> float:
    """The share of what a question names that a text says, 0 to 1; 1 where it names nothing.

    :param text: with the headings that it stands under, for they say what it is about.
    :param meaning: without one only words count, and across languages all counts as said.
    :param same: whether the text is in the question's language.
    """
    if meaning is None and not same:
        return 1.0
    words = set(tokens(text))
    others = meaning.words(text) if meaning else []
    written = {stem(word): word for word in _LATIN.findall(fold(question))}
    held: dict[str, list[_Word]] = {}
    for clause in clauses_of(question, _MAX_RUNS):
        rendered = _rendered(clause, words, meaning) if meaning and not same else set()
        for number, run in enumerate(clause):
            places = {place for at, place in rendered if at == number}
            if is_chinese(run):
                known = [said or i in places for i, said in enumerate(_stands_there(run, words, fold(text)))]
                found = _chinese(run, known, others, meaning, same=same)
            else:
                found = _latin(written.get(run, run), run in words or bool(places), others, meaning, same=same)
            held.setdefault(run, list(found))
    all_words = [word for found in held.values() for word in found]
    total = sum(word.weight for word in all_words)
    return sum(word.weight * word.said for word in all_words) / total if total else 1.0


def _rendered(clause: Sequence[str], words: set[str], meaning: Meaning) -> set[tuple[int, int]]:
    """Runs and places of a clause of which a text has what the dictionary gives for them."""
    if meaning.dictionary is None:
        return set()
    found = renderings_of(clause, meaning.dictionary.translations(translatable(clause)))
    said = (one for one in found if any(way <= words for way in one.words))
    return {(run, place) for one in said for run in one.runs for place in one.places}


def _latin(word: str, known: bool, others: Sequence[str], meaning: Meaning | None, *, same: bool) -> Iterator[_Word]:
    if known:
        yield _Word(_LATIN_WEIGHT, 1.0)
    elif word not in _LIGHT_EN and stem(word) not in _LIGHT_STEMS:
        yield _Word(_LATIN_WEIGHT, _meant(word, others, meaning, _SAME_EN, same=same))


def _stands_there(run: str, words: set[str], text: str) -> list[bool]:
    """Of each character of a run whether a pair that it is in stands in the text; of a lone one, whether it does."""
    if len(run) == 1:
        return [run in text]
    around = pairs(run)
    return [bool(words & {around[max(0, i - 1)], around[min(i, len(around) - 1)]}) for i in range(len(run))]


def _chinese(
    run: str, known: Sequence[bool], others: Sequence[str], meaning: Meaning | None, *, same: bool
) -> Iterator[_Word]:
    """Stretches of a run that are said, and those that are not.

    A lone character inside a run says little; at its head it tells one thing from another (补水泵, 排水泵).
    """
    yield _Word(sum(known), 1.0)
    for first, last in _stretches(known):
        stretch = run[first:last]
        if _LIGHT_ZH.fullmatch(stretch) or (len(stretch) == 1 and first > 0):
            continue
        yield _Word(len(stretch), _meant(stretch, others, meaning, _SAME_ZH, same=same))


def _stretches(known: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Where neighbouring characters are not said, first and last + 1."""
    first = None
    for i, is_known in enumerate([*known, True]):
        if not is_known and first is None:
            first = i
        elif is_known and first is not None:
            yield first, i
            first = None


def _meant(word: str, others: Sequence[str], meaning: Meaning | None, enough: float, *, same: bool) -> float:
    """How far a text means a word, or a stretch of Chinese, that it does not say."""
    if meaning is None or any(c.isdigit() for c in word):
        return 0.0
    foreign = _FOREIGN if meaning.dictionary is None else _FOREIGN_BESIDE_DICTIONARY
    low, high = (enough - 0.05, enough) if same else foreign
    shares = meant_shares(word, range(len(word)), others, meaning, low, high)
    return sum(shares.values()) / (len(word) if is_chinese(word) else 1)
