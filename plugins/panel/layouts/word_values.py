"""Words and times that are values by where they stand: `Off` in a list, `16m` behind `Elapsed`; and labels made whole.

Order: labels that were read in pieces → states → durations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.api import Box
from plugins.panel.geometry import centre, height, joined, overlap_x, overlap_y, same_line
from plugins.panel.grammar import Token, is_state, plain, times_a_span, unit_key
from plugins.panel.layouts.candidates import find_pairs
from plugins.panel.words import COMMANDS

__all__ = ["with_letters", "with_spans", "with_states", "with_whole_labels", "with_wrapped_labels"]

_LETTER_GAP = 6.0
"""How far behind its letter a number may stand, in text heights."""
_LINE_GAP = 0.4
"""Between two lines of one label, in text heights."""
_WORD_GAP = 0.45
"""Pieces of one label stand at most this far apart, in text heights."""


def with_whole_labels(tokens: Sequence[Token], areas: Sequence[Box]) -> list[Token]:
    """Pieces of a label that a reader split between two words are one label again."""
    result: list[Token] = []
    for token in tokens:
        last = result[-1] if result else None
        if last is not None and _goes_on(last, token) and not _parted(last.box, token.box, areas):
            space = " " if last.text[-1:].isascii() or token.text[:1].isascii() else ""
            whole = joined((last.box, token.box))
            result[-1] = replace(
                last, text=last.text + space + token.text, box=whole, unit=token.unit, colon=token.colon
            )
        else:
            result.append(token)
    return result


def with_wrapped_labels(tokens: Sequence[Token]) -> list[Token]:
    """A label of two lines over its value is one label."""
    labels = [t for t in tokens if t.kind == "label" and not t.unit and not t.colon]
    lines: dict[int, Token] = {}
    upper = set()
    for first in labels:
        beneath = [t for t in tokens if t.kind == "label" and t is not first and _wraps(first, t)]
        if len(beneath) == 1 and _is_block(first, beneath[0], tokens):
            lines[id(beneath[0])] = first
            upper.add(id(first))
    result = []
    for token in tokens:
        above = lines.get(id(token))
        if above is not None and id(token) not in upper:
            space = " " if above.text[-1:].isascii() and token.text[:1].isascii() else ""
            token = replace(token, text=above.text + space + token.text, box=joined((above.box, token.box)))
        result.append(replace(token, kind="other") if id(token) in upper and token is not above else token)
    return result


def _wraps(first: Token, second: Token) -> bool:
    """The second line stands close under the first, in the same size, with the same start or middle."""
    tall = max(height(first.box), height(second.box))
    off = min(abs(first.box[0] - second.box[0]), abs(centre(first.box)[0] - centre(second.box)[0]))
    gap = second.box[1] - first.box[3]
    alike = min(height(first.box), height(second.box)) >= 0.85 * tall
    return alike and off <= 0.35 * tall and -0.3 * tall <= gap <= _LINE_GAP * tall


def _is_block(first: Token, second: Token, tokens: Sequence[Token]) -> bool:
    """Two lines and no more, a value right under them, and none above or beside them."""
    under = False
    for other in tokens:
        if other is first or other is second:
            continue
        tall = height(second.box)
        over = overlap_x(other.box, second.box) > 0
        if other.kind == "label" and (_wraps(second, other) or _wraps(other, first)):
            return False
        if other.kind not in ("value", "none") or other.label:
            continue
        if over and 0 <= first.box[1] - other.box[3] <= 1.5 * tall:
            return False
        beside = any(same_line(line.box, other.box) for line in (first, second))
        if beside and 0 <= other.box[0] - max(first.box[2], second.box[2]) <= 12 * tall:
            return False
        under = under or (over and -0.3 * tall <= other.box[1] - second.box[3] <= 1.5 * tall)
    return under


def _goes_on(last: Token, token: Token) -> bool:
    if last.kind != "label" or token.kind != "label" or last.colon or last.unit or last.source == token.source:
        return False
    tall = max(height(last.box), height(token.box))
    level = abs(centre(last.box)[1] - centre(token.box)[1]) <= 0.25 * tall
    alike = min(height(last.box), height(token.box)) >= 0.7 * tall
    return level and alike and -_WORD_GAP * tall <= token.box[0] - last.box[2] <= _WORD_GAP * tall


def _parted(a: Box, b: Box, areas: Sequence[Box]) -> bool:
    """A box holds one of the two and not the other, as buttons side by side."""
    return any(_within(a, area) != _within(b, area) for area in areas)


def _within(box: Box, area: Box) -> bool:
    x, y = centre(box)
    return area[0] <= x < area[2] and area[1] <= y < area[3]


def with_letters(tokens: Sequence[Token]) -> list[Token]:
    """Single capitals in a column, each with a number behind it, are labels: the axes of a machine, phases."""
    letters = [t for t in tokens if t.kind in ("other", "unit", "label") and len(t.text) == 1 and "A" <= t.text <= "Z"]
    named = [t for t in letters if any(_leads(t, value) for value in tokens)]
    known = set()
    for token in named:
        column = [t for t in named if abs(t.box[0] - token.box[0]) <= height(token.box)]
        if len({t.text for t in column}) >= 2 and any(t.kind != "unit" for t in column):
            known.add(id(token))
    return [replace(token, kind="label") if id(token) in known else token for token in tokens]


def _leads(letter: Token, value: Token) -> bool:
    gap = value.box[0] - letter.box[2]
    close = value.kind == "value" and value.sure and 0 <= gap <= _LETTER_GAP * height(value.box)
    return close and same_line(letter.box, value.box)


def with_states(tokens: Sequence[Token], areas: Sequence[Box]) -> list[Token]:
    """A word such as `Off` is a value where it stands in the value column of a list, or after a label with a colon."""
    states = {i for i, t in enumerate(tokens) if t.kind == "label" and not t.unit and is_state(t.text)}
    labels = [t for i, t in enumerate(tokens) if t.kind == "label" and i not in states]
    words = [i for i in sorted(states) if any(_follows(tokens[i], label) for label in labels)]
    if not words:
        return list(tokens)
    numbers = [
        t
        for t in tokens
        if t.kind in ("value", "none") and not t.label and any(overlap_x(t.box, tokens[i].box) > 0 for i in words)
    ]
    candidates = [replace(tokens[i], kind="value") for i in words] + numbers
    result = list(tokens)
    pairs = [pair for pair in find_pairs(candidates, labels, tokens, areas) if pair.side == "left"]
    for pair in pairs:
        if pair.value >= len(words):
            continue
        word, label = candidates[pair.value], labels[pair.label]
        column = [
            candidates[p.value].text for p in pairs if p.listed and overlap_x(candidates[p.value].box, word.box) > 0
        ]
        if (label.colon and pair.gap <= 8) or (pair.listed and _is_value_column(column)):
            result[words[pair.value]] = replace(word, text=plain(word.text).strip())
    return result


def _follows(word: Token, label: Token) -> bool:
    return label.box[2] <= word.box[0] + height(word.box) and same_line(label.box, word.box)


def _is_value_column(column: Sequence[str]) -> bool:
    """Not a column of buttons: it also holds numbers, or words that are no commands."""
    return any(text.lower() not in COMMANDS for text in column) or len({text.lower() for text in column}) > 1


def with_spans(tokens: Sequence[Token]) -> list[Token]:
    """`16m` and `01:23:45` as durations where their label, or another one in their column, says so."""
    labels = [t for t in tokens if t.kind == "label" and times_a_span(t.text)]
    result = []
    for token in tokens:
        glued = token.kind == "value" and unit_key(token.unit) in ("d", "h", "m", "s") and token.text.isdigit()
        if (glued or token.kind == "clock") and not token.label:
            named = [label for label in labels if _names_span(label, token, tokens)]
            if named:
                token = replace(token, kind="value", text=token.text + token.unit, unit="")
        result.append(replace(token, kind="other") if token.kind == "clock" else token)
    return result


def _names_span(label: Token, token: Token, tokens: Sequence[Token]) -> bool:
    """A label of durations left of or close above a value, or of one like it in the same column."""
    tall = height(token.box)
    if same_line(label.box, token.box) and 0 <= token.box[0] - label.box[2] <= 12 * tall:
        return True
    if overlap_x(label.box, token.box) > 0 and 0 <= -overlap_y(label.box, token.box) <= 2 * tall:
        return True
    mates = [
        t
        for t in tokens
        if t.unit
        and t.unit == token.unit
        and t is not token
        and overlap_x(t.box, token.box) > 0
        and same_line(t.box, label.box)
    ]
    return any(0 <= mate.box[0] - label.box[2] <= 12 * tall for mate in mates)
