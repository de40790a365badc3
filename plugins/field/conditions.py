"""The comparisons of one sentence: which figure, over which span, on which side of which threshold.

    mark       names, spans, comparisons and the like become one character each
    assign     each comparison to the name before it (or "… of NAME" behind it), with the span and fold of its segment
    account    every other word must be known to neither restrict nor change the rule

A sentence with anything left over is not understood: nothing is guessed from half of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent.numerals import parse_number
from knowledge.tokens import fold
from knowledge.units import KNOWN_UNITS, factor_between, plain_unit
from plugins.field.sheet import Decision, Figure, Scope, Sheet
from plugins.field.values import Comparison, Effect, Fold, Op
from plugins.field.wordlist import names_rule, word

__all__ = ["Understood", "Vocabulary", "effect_of", "left_over"]

_NAME, _COMP, _SPAN, _DECISION, _SCOPE, _FOLD, _ALSO = (chr(0xE000 + i) for i in range(7))
_MARKS = re.compile("[\ue000-\ue006]")
_NUMBER = r"[-−+]?\d{1,9}(?:\.\d{1,6})?"
_OPPOSITE: dict[Op, Op] = {"gt": "le", "ge": "lt", "lt": "ge", "le": "gt", "in": "out", "out": "in"}
_FOLDS: tuple[Fold, ...] = ("sum", "max", "min", "mean")
_SECONDS = {"小": 3_600, "h": 3_600, "天": 86_400, "日": 86_400, "昼": 86_400, "d": 86_400, "分": 60, "m": 60}
_LETTER = re.compile(r"[^\W_]")
_BREAK = re.compile(r"[,;，；、]")
_BEHIND = re.compile(f"{_COMP}\\s*(?:的|of(?: the)?)\\s*{_NAME}")
_LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class _Token:
    mark: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Found:
    """A comparison without its figure."""

    op: Op
    low: float
    high: float
    unit: str
    demanded: bool
    """Worded as what must be: 不得高于."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a sentence says."""

    comparisons: tuple[Comparison, ...]
    effect: Effect | None
    """None: it does not say by itself."""
    every: bool


class Vocabulary:
    """The names of a sheet, as they are found in rules and questions."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self._known: dict[str, tuple[str, Figure | Decision | Scope | None]] = {
            " ".join(fold(name).split()): (_ALSO, None) for decision in sheet.decisions for name in decision.also
        }
        for mark, items in ((_NAME, sheet.figures), (_DECISION, sheet.decisions), (_SCOPE, sheet.scopes)):
            for item in items:
                self._known |= {" ".join(fold(name).split()): (mark, item) for name in item.names}
        self._names = names_rule(self._known)

    def decisions_in(self, text: str) -> list[Decision]:
        """Those that are named."""
        return [item for _, item in self._named(text) if isinstance(item, Decision)]

    def scopes_in(self, text: str) -> list[Scope]:
        """Those that are named, each once."""
        return _once([item for _, item in self._named(text) if isinstance(item, Scope)])

    def figures_in(self, text: str) -> list[Figure]:
        """Those that are named, each once."""
        return _once([item for _, item in self._named(text) if isinstance(item, Figure)])

    def blanked(self, text: str, decision: Decision | None = None) -> str:
        """A text in which every name is blank; of what may be said beside decisions, only what belongs to this one."""
        own = {" ".join(fold(name).split()) for name in decision.also} if decision else set()

        def blank(match: re.Match[str]) -> str:
            mark, _ = self._key_of(match.group())
            return match.group() if mark == _ALSO and " ".join(match.group().split()) not in own else " "

        return self._names.sub(blank, fold(text))

    def excepts(self, sentence: str) -> bool:
        """Whether a sentence speaks of an exception or a condition that no comparison holds."""
        return word("effect", "beyond").search(self._names.sub(" ", fold(sentence))) is not None

    def understand(self, sentence: str) -> Understood | None:
        """What a sentence compares, and what follows; None where it is not fully understood."""
        text = fold(sentence)
        if self.excepts(text) or word("span", "future").search(text):
            return None
        marked, tokens = self._mark(text)
        comparisons, demanded = _assigned(marked, tokens)
        if not comparisons or left_over(_essential(marked)):
            return None
        effect = effect_of(marked)
        forbidding = len(word("effect", "forbid").findall(marked))
        if forbidding > 1 or (forbidding and demanded):
            return None
        effect = "demand" if demanded else effect
        every = _joined(marked, effect or "forbid") if len(comparisons) > 1 else True
        return None if every is None else Understood(tuple(comparisons), effect, every)

    def lead_effect(self, sentence: str) -> Effect | None:
        """What the sentence that leads a list in says of each of its items; None where that is not clear."""
        text = fold(sentence)
        if word("effect", "beyond").search(text) or word("effect", "joint_lead").search(text):
            return None
        marked, tokens = self._mark(text)
        if any(token.mark in (_COMP, _NAME, _SPAN) for token in tokens) or left_over(marked):
            return None
        return effect_of(marked)

    def _named(self, text: str) -> Iterator[tuple[str, Figure | Decision | Scope | None]]:
        for match in self._names.finditer(fold(text)):
            yield self._key_of(match.group())

    def _key_of(self, said: str) -> tuple[str, Figure | Decision | Scope | None]:
        key = " ".join(said.split())
        return self._known[key] if key in self._known else self._known[key.removesuffix("s")]

    @cached_property
    def _compare(self) -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], _Found]], ...]:
        own = {fold(figure.unit).strip() for figure in self.sheet.figures if figure.unit}
        units = "|".join(re.escape(unit) for unit in sorted(KNOWN_UNITS | own, key=len, reverse=True))
        unit = rf"(?:{units})(?![a-z0-9/])"
        denied = rf"(?:(?P<must>{_words('demanded_not')})|(?P<not>{_words('plain_not')}))?"
        wide = r"(?:至|到|~|〜|–|—|-|to)"
        pair = rf"(?P<a>{_NUMBER})\s*(?:{unit})?\s*{wide}\s*(?P<b>{_NUMBER})\s*(?P<u>{unit})"
        apart = rf"\s*(?:{unit})?\s*(?:和|与|and)\s*"
        joined = rf"(?:在|介于|处于|between|from)\s*(?P<a>{_NUMBER}){apart}(?P<b>{_NUMBER})\s*(?P<u>{unit})"
        tail = rf"\s*(?:(?P<out>{_words('outside')})|之间|的?范围之?内?|以内)?"
        head = rf"{denied}\s*(?P<out_en>outside)?\s*{_words('between')}\s*"
        before = "|".join(f"(?P<{op}>{_words(op)})" for op in ("ge", "le", "gt", "lt"))
        after = rf"(?:(?P<ge>{_words('ge_after')})|(?P<le>{_words('le_after')}))"
        single = rf"(?P<a>{_NUMBER})\s*(?P<u>{unit})?"
        return (
            (re.compile(head + pair + tail), _a_range),
            (re.compile(denied + r"\s*(?P<out_en>outside)?\s*" + joined + tail), _a_range),
            (re.compile(rf"{denied}\s*(?:{before})\s*(?:了)?\s*{single}"), _a_limit),
            (re.compile(rf"(?P<must>\ue010)?(?P<not>\ue010)?{single}\s*{after}"), _a_limit),
        )

    def _mark(self, text: str) -> tuple[str, list[_Token]]:
        """The text with one character for each thing in it, and these things in order."""
        held: list[tuple[int, int, _Token]] = []
        held += [(m.start(), m.end(), _Token(*self._key_of(m.group()))) for m in self._names.finditer(text)]
        for rule, make in self._compare:
            _take(held, rule, text, lambda match, make=make: _Token(_COMP, make(match)))  # type: ignore[misc]
        for name in ("past_en", "past"):
            _take(held, word("span", name), text, lambda match: _Token(_SPAN, _seconds(match)))
        for kind in _FOLDS:
            _take(held, word("fold", kind), text, lambda match, kind=kind: _Token(_FOLD, kind))  # type: ignore[misc]
        held.sort(key=lambda one: one[0])
        out, at = [], 0
        for start, end, token in held:
            out += [text[at:start], token.mark]
            at = end
        return "".join([*out, text[at:]]), [token for _, _, token in held]


def effect_of(marked: str) -> Effect | None:
    """Whether the words around comparisons forbid, demand or allow; what is demanded not to be is in the comparison.

    Two words that forbid may mean the opposite ("do not stop"): then nothing is known.
    """
    forbidding = word("effect", "forbid").findall(marked)
    if forbidding:
        return "forbid" if len(forbidding) == 1 else None
    if word("effect", "demand").search(marked):
        return "demand"
    return "allow" if word("effect", "allow").search(marked) else None


def left_over(text: str) -> str:
    """The words of a marked text that nothing accounts for."""
    for section, name in (
        ("effect", "forbid"), ("effect", "demand"), ("effect", "allow"), ("effect", "any_of"), ("effect", "all_of"),
        ("silent", "rule_en"), ("silent", "rule"),
    ):  # fmt: skip
        text = word(section, name).sub(" ", text)
    return "".join(c for c in text if _LETTER.match(c) and not _MARKS.match(c))


def _words(name: str) -> str:
    return f"(?:{word('compare', name).pattern})"


def _once(items: Sequence[Any]) -> list[Any]:
    return list({item.names[0]: item for item in items}.values())


def _take(
    held: list[tuple[int, int, _Token]], rule: re.Pattern[str], text: str, make: Callable[[re.Match[str]], _Token]
) -> None:
    """Add what a rule finds where nothing is held yet."""
    for match in rule.finditer(text):
        if match.end() > match.start() and all(match.end() <= a or b <= match.start() for a, b, _ in held):
            held.append((match.start(), match.end(), make(match)))


def _a_range(match: re.Match[str]) -> _Found:
    low, high = sorted((_number(match["a"]), _number(match["b"])))
    op: Op = "out" if match["out"] or match["out_en"] else "in"
    if match["must"] or match["not"]:
        op = _OPPOSITE[op]
    return _Found(op, low, high, match["u"], match["must"] is not None)


def _a_limit(match: re.Match[str]) -> _Found:
    groups = match.groupdict()
    op: Op = next(op for op in ("ge", "le", "gt", "lt") if groups.get(op))
    if match["must"] or match["not"]:
        op = _OPPOSITE[op]
    value = _number(match["a"])
    return _Found(op, value, value, match["u"] or "", match["must"] is not None)


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def _seconds(match: re.Match[str]) -> float:
    count = parse_number(match["n"])
    return 0.0 if count is None else count * _SECONDS[match["u"][0]]


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of a sentence between two marks of punctuation or connectives."""

    names: tuple[Figure, ...]
    found: tuple[_Found, ...]
    spans: tuple[float, ...]
    folds: tuple[Fold, ...]
    behind: bool
    """Whether the name stands behind the comparison."""


def _segments(marked: str, tokens: Sequence[_Token]) -> list[_Segment]:
    cut = re.compile(f"{_BREAK.pattern}|{word('effect', 'any_of').pattern}|{word('effect', 'all_of').pattern}")
    out, at = [], 0
    for piece in cut.split(marked):
        own = tokens[at : at + len(_MARKS.findall(piece))]
        at += len(own)

        def of(mark: str, own: Sequence[_Token] = own) -> tuple[Any, ...]:
            return tuple(token.value for token in own if token.mark == mark)

        out.append(_Segment(of(_NAME), of(_COMP), of(_SPAN), of(_FOLD), _BEHIND.search(piece) is not None))
    return [one for one in out if one.names or one.found or one.spans or one.folds]


def _assigned(marked: str, tokens: Sequence[_Token]) -> tuple[list[Comparison], bool]:
    """Each comparison with its figure; none where one of them, a name or a span stays without its like."""
    made: list[Comparison] = []
    demanded = False
    span, folding = 0.0, ""
    last: Comparison | None = None
    for segment in _segments(marked, tokens):
        if len(segment.names) > 1 or len(segment.found) > 1 or len(segment.spans) > 1 or len(segment.folds) > 1:
            return [], False
        if not segment.found:
            if segment.names or segment.folds or span:
                return [], False  # a name without a threshold, or a span before another one
            span = segment.spans[0]
            continue
        found = segment.found[0]
        if segment.names:
            figure, folding = segment.names[0], segment.folds[0] if segment.folds else ""
            span = segment.spans[0] if segment.spans else span
        elif last is not None and not (segment.spans or segment.folds):
            figure, span, folding = last.figure, last.span_seconds, last.fold
        else:
            return [], False
        comparison = _comparison(figure, found, span, folding)
        if comparison is None:
            return [], False
        made.append(comparison)
        last, span, demanded = comparison, 0.0, demanded or found.demanded
    return ([], False) if span else (made, demanded)


def _comparison(figure: Figure, found: _Found, span: float, folding: str) -> Comparison | None:
    """None where its unit is not the figure's, or what is compared cannot be known."""
    unit = found.unit or figure.unit
    if (figure.unit and not found.unit) or factor_between(figure.unit or unit, unit) is None:
        return None
    if span > _LONGEST_DAYS * 86_400 or (folding and not span and folding != "sum"):
        return None  # the highest of no span
    if figure.adds_up and (not span or folding not in ("", "sum")):
        return None  # an amount of no time
    if folding == "sum" and not figure.adds_up:
        return None
    unit = figure.unit if plain_unit(figure.unit) == plain_unit(unit) else unit  # as people write it
    return Comparison(
        figure, found.op, found.low, found.high, unit, "sum" if figure.adds_up else folding, span  # type: ignore[arg-type]
    )  # fmt: skip


def _joined(marked: str, effect: Effect) -> bool | None:
    """Whether all comparisons have to hold; None where the sentence does not say."""
    pieces = marked.split(_COMP)[1:-1]
    text = " ".join(pieces)
    either = word("effect", "any_of").search(text) is not None
    both = word("effect", "all_of").search(text.replace("、", " ")) is not None
    if either != both:
        return both
    return True if effect != "forbid" and not either else None


def _essential(marked: str) -> str:
    """A sentence without the clauses behind its first comparison that hold nothing but a reason."""
    clauses = _BREAK.split(marked)
    first = next((i for i, clause in enumerate(clauses) if _COMP in clause), 0)
    kept = [
        clause
        for i, clause in enumerate(clauses)
        if i <= first or _MARKS.search(clause) or any(c.isdigit() for c in clause) or effect_of(clause)
    ]
    return " , ".join(kept)
