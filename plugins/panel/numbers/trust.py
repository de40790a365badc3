"""Can a number be trusted? Looks that agree, ink that supports it, a format and a range that fit.

A reader drops a decimal point or a sign with full confidence. Order: the ink of every number is looked at; one whose
ink shows exactly what was read, in digits large enough, is taken; every other one is read again at another scale, by
another model where there is one; where those differ or the ink shows more than was read, a third look decides which
text is shown. What is still in doubt is never silently corrected: the reading carries a flag, and its score says how
often such a reading was right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Reading, Text
from agent.settings import PanelSettings
from plugins.panel.grammar import Token, is_state, numbers_in, plain, tokens_of
from plugins.panel.layouts.layout import Layout
from plugins.panel.numbers.calibration import Features, confidence
from plugins.panel.numbers.formats import format_doubts
from plugins.panel.numbers.ink import Ink, look_at
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["Checked", "check_numbers", "features_of", "marked"]

Pixels = NDArray[np.uint8]
_AMONG_DIGITS = str.maketrans("OoQDlI|iSsBZz", "0000111155822")
"""Letters that a digit is taken for."""
_ALMOST = re.compile(r"[+\-]?[\dOoQDlI|iSsBZz]*\d[\dOoQDlI|iSsBZz]*(?:[.,][\dOoQDlI|iSsBZz]+)?")
_DIGIT_BEFORE = re.compile(r"^\s*[+\-]?\d+\s+$|\d\s?[:;]\s?$")
_LETTER_BEHIND = re.compile(r"[A-Za-z|]{1,2}(?![A-Za-z0-9/])")
_NO_SIGN = ("=", "$", "~", "_", "[", "]", "|")
_LEAD, _SURE_LEAD = 0.2, 0.35
"""Flat ink left of a number that is this wide, in heights of a digit, may be a minus, or surely is one."""
_STRETCHED = 0.35
"""Digits that stand this much further apart at one place may have a point between them."""
_OVERRULED = 0.5
"""The score of a number whose first look was overruled is at most this."""
_SURE_LOOK = 0.8
"""A look that is less sure of itself does not replace another."""
_MORE_POINTS = 2
"""More marks than this beyond the points that were read are noise, not points."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Texts after all looks."""

    texts: tuple[Text, ...]
    doubts: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Index of a text → flags of the numbers in it."""
    scores: Mapping[int, float] = field(default_factory=dict)
    """Index of a text → how likely its numbers are right, from 0 to 1."""
    features: Mapping[int, Features] = field(default_factory=dict)
    """What those scores were made of."""


def check_numbers(
    pixels: Pixels, engine: OcrEngine, texts: Sequence[Text], layout: Layout, settings: PanelSettings
) -> Checked:
    """Check the numbers of all readings.

    :param pixels: height × width × 3, RGB, 8 bits: what the engine read last.
    :param texts: as read.
    :param layout: what was made of them; only numbers of its readings are looked at.
    """
    boxes = [text.box for text in texts]
    numbered = [i for i in sorted({*layout.sources, *_misread(texts)}) if _values(texts[i]) or _repaired(texts[i])]
    inks = {i: _inks(pixels, texts[i], boxes) for i in numbered}
    open_ = [i for i in numbered if not _is_plain(texts[i], inks[i], settings)]
    second = dict(zip(open_, _read(pixels, engine, texts, open_, settings.check_margin, other=True), strict=True))
    unsure = [i for i in open_ if not _confirms(second[i], texts[i]) or _contradicts(inks[i], texts[i])]
    third = dict(zip(unsure, _read(pixels, engine, texts, unsure, settings.check_margin / 3), strict=True))
    checked, doubts, features = list(texts), {}, {}
    for i in numbered:
        looks = [look for look in (second.get(i), third.get(i)) if look is not None]
        checked[i] = _chosen(texts[i], looks, inks[i])
        features[i] = features_of(checked[i], looks, inks[i])
        flags = _flags(texts[i], checked[i], features[i], settings)
        if flags:
            doubts[i] = flags
    scores = {i: min(confidence(known), _OVERRULED if checked[i] != texts[i] else 1.0) for i, known in features.items()}
    return Checked(tuple(checked), doubts, scores, features)


def marked(
    layout: Layout,
    checked: Checked,
    *,
    last: Mapping[str, float] | None = None,
    limits: Mapping[str, tuple[float, float]] | None = None,
) -> tuple[Reading, ...]:
    """The readings with the flags and scores of their numbers, and those of their format and range.

    :param last: label → the last known value of that tag.
    :param limits: label → the range of that tag.
    """
    formats = format_doubts(layout.readings, last=last or {}, limits=limits or {})
    readings = []
    for reading, source, format_flags in zip(layout.readings, layout.sources, formats, strict=True):
        flags = tuple(dict.fromkeys((*reading.flags, *checked.doubts.get(source, ()), *format_flags)))
        score = checked.scores.get(source, reading.score)
        if format_flags:
            score = min(score, 0.5)
        changed = reading.value is not None and not is_state(reading.value)
        readings.append(replace(reading, flags=flags, score=score) if changed else reading)
    return tuple(readings)


def features_of(text: Text, looks: Sequence[Text], inks: Sequence[Ink]) -> Features:
    """What the calibration knows of a number.

    :param looks: the second look and the third, as far as they were taken.
    """
    values = _values(text)
    second, third = (*looks, None, None)[:2]
    clear = bool(inks) and all(ink.clear for ink in inks)
    return Features(
        score=text.score,
        second=None if second is None else _confirms(second, text),
        second_score=0.0 if second is None else second.score,
        third=None if third is None else _confirms(third, text),
        supported=clear and _supports(inks, text),
        contradicted=_contradicts(inks, text),
        lead=max((ink.leads for ink, value in zip(inks, values, strict=False) if not _sign(value)), default=0.0),
        stretch=max((ink.stretch for ink, value in zip(inks, values, strict=False) if _is_bare(value)), default=0.0),
        bare=any(map(_is_bare, values)),
        hidden=any(_hides(ink, value) for ink, value in zip(inks, values, strict=False)),
        digit_px=min((ink.digit_px for ink in inks if ink.clear), default=0.6 * (text.box[3] - text.box[1])),
        characters=max((len(value) for value in values), default=0),
    )


def _misread(texts: Sequence[Text]) -> list[int]:
    """Texts that would be numbers if letters among their digits were digits."""
    return [i for i, text in enumerate(texts) if not _values(text) and _repaired(text)]


def _repaired(text: Text) -> str:
    """The text with letters among digits as digits, or empty where it is nothing of that kind."""
    whole = plain(text.text).strip()
    most = sum(c.isdigit() for c in whole) * 2 >= len(whole) and len(whole) > 2
    return whole.translate(_AMONG_DIGITS) if most and _ALMOST.fullmatch(whole) and not whole.isdigit() else ""


def _read(
    pixels: Pixels,
    engine: OcrEngine,
    texts: Sequence[Text],
    which: Sequence[int],
    margin: float,
    *,
    other: bool = False,
) -> tuple[Text, ...]:
    return engine.read_boxes(pixels, [texts[i].box for i in which], margin=margin, other=other) if which else ()


def _tokens(text: Text) -> list[Token]:
    return [token for token in tokens_of(text, 0) if token.kind == "value" and not is_state(token.text)]


def _values(text: Text) -> list[str]:
    """The numbers in a text that are values, with sign and point; digits that belong to names do not count."""
    return [token.text for token in _tokens(text)]


def _confirms(look: Text, read: Text) -> bool:
    """Another look shows the same values, whatever it makes of the words and units around them."""
    shown = numbers_in(look.text)
    return all(value in shown for value in _values(read))


def _inks(pixels: Pixels, text: Text, boxes: Sequence[Box]) -> tuple[Ink, ...]:
    """The ink of each value of a text."""
    left, top, right, bottom = text.box
    around = (left - (bottom - top), top, right + (bottom - top), bottom)
    near = [box for box in boxes if box != text.box and _meet(box, around)]
    return tuple(look_at(pixels, text.box, (t.box[0], t.box[2]), _digits_in(t.text), near) for t in _tokens(text))


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _supports(inks: Sequence[Ink], text: Text) -> bool:
    """The ink shows exactly the sign, the points and at least the digits that were read."""
    pairs = zip(inks, _values(text), strict=False)
    return all(
        ink.points == _points(value)
        and _shows_sign(ink, _sign(value))
        and not (_is_bare(value) and ink.stretch > _STRETCHED)
        and ink.bodies >= _digits_in(value)
        and not ink.beyond
        for ink, value in pairs
    )


def _shows_sign(ink: Ink, sign: str) -> bool:
    """The sign that was read, or none where none was."""
    return (ink.sign == sign and (sign != "" or ink.leads < _LEAD)) or (sign != "" and ink.leads >= _LEAD)


def _contradicts(inks: Sequence[Ink], text: Text) -> bool:
    """The ink shows a sign or a point that was not read."""
    for ink, value in zip(inks, _values(text), strict=False):
        pointed = _is_bare(value) and 0 < ink.points <= _MORE_POINTS
        signed = not _sign(value) and (ink.sign or ink.leads >= _SURE_LEAD)
        if ink.clear and (pointed or signed):
            return True
    return False


def _hides(ink: Ink, value: str) -> bool:
    return ink.clear and _is_bare(value) and ink.bodies < _digits_in(value)


def _digits_in(value: str) -> int:
    return sum(c.isdigit() for c in value)


def _is_bare(value: str) -> bool:
    """A point could have been lost between its digits."""
    return not _points(value) and _digits_in(value) > 1


def _points(value: str) -> int:
    return value.count(".") + value.count(",")


def _sign(value: str) -> str:
    return value[0] if value[0] in "+-" else ""


def _is_plain(text: Text, inks: Sequence[Ink], settings: PanelSettings) -> bool:
    """So clear that a second look never found anything else."""
    if not inks or text.score < settings.plain_score or not _supports(inks, text):
        return False
    pairs = zip(inks, _values(text), strict=False)
    least = ((ink, settings.plain_digit_px if _is_bare(value) else settings.plain_point_px) for ink, value in pairs)
    return bool(_values(text)) and all(ink.clear and ink.digit_px >= px for ink, px in least)


def _is_torn(text: Text) -> bool:
    """Digits stand before a value, letters that are no unit stick to it, or a sign that none is stands before it."""
    line = plain(text.text)
    for token in _tokens(text):
        start = line.find(token.text)
        before, after = line[:start], line[start + len(token.text) :]
        torn = _DIGIT_BEFORE.search(before) or (not token.unit and _LETTER_BEHIND.match(after))
        if torn or before.strip() in _NO_SIGN:
            return True
    return False


def _chosen(text: Text, looks: Sequence[Text], inks: Sequence[Ink]) -> Text:
    """What is shown: two later looks that agree outvote the first; among looks, one that has what the ink shows."""
    repaired = _repaired(text)
    if not _values(text):
        agreeing = any(plain(look.text).strip() == repaired for look in looks)
        return replace(text, text=repaired) if repaired and agreeing else text
    if len(looks) < 2:
        return text
    second, third = looks
    same_form = len(_values(third)) == len(_values(text)) > 0
    if same_form and _confirms(second, third) and not _confirms(text, third):
        return third
    for look in (third, second):
        richer = len(_values(look)) == len(_values(text)) and _digits(look) == _digits(text)
        if richer and _contradicts(inks, text) and _supports(inks, look) and look.score >= _SURE_LOOK:
            return look
    return text


def _digits(text: Text) -> list[str]:
    return [re.sub(r"\D", "", value) for value in _values(text)]


def _flags(read: Text, chosen: Text, features: Features, settings: PanelSettings) -> tuple[str, ...]:
    flags = []
    changed = read.text != chosen.text
    differing = changed or features.second is False or features.third is False or features.contradicted
    if confidence(features) < settings.least_trust:
        flags.append("disagrees" if differing else "low-score")
    elif features.contradicted or changed:
        flags.append("disagrees")
    if (not _values(read) and chosen is not read) or _is_torn(chosen):
        flags.append("bad-format")
    return tuple(flags)
