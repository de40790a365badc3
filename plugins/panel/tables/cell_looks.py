"""Cells of lists that need another look: single characters that were not found, times unlike the others, `96` for `%`.

A look counts only where it fits what the rest of the column shows: digits in a column of numbers, a word of states or
priorities, a time in the form of the other times. Order: empty short cells → times of one column → per cents.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Text
from agent.settings import PanelSettings
from plugins.panel.geometry import height, joined
from plugins.panel.grammar import plain
from plugins.panel.layouts.layout import Layout
from plugins.panel.numbers.strokes import pieces_of, strokes_of
from plugins.panel.tables.moments import moment_in
from plugins.panel.texts.ocr import OcrEngine
from plugins.panel.words import ACK_STATES, ALARM_STATES, PRIORITIES

__all__ = ["look_at_cells"]

Pixels = NDArray[np.uint8]
_MOST_GAPS = 60
_FAIR = 0.6
_LEAST_CONTRAST = 30
"""Of 255: a cell with less is empty."""
_WORDS = PRIORITIES | ALARM_STATES | ACK_STATES
_LEAST_TIMES = 3
_PERCENT = re.compile(r"^(?P<before>.*\d[.,]\d+)\s+(?:96|9%|%6|o/o|0/0)$")


def look_at_cells(
    pixels: Pixels, engine: OcrEngine, texts: tuple[Text, ...], layout: Layout, settings: PanelSettings
) -> tuple[Text, ...]:
    """The texts with what other looks at cells found; new ones stand at the end, so that indices stay.

    :param pixels: height × width × 3, RGB, 8 bits: what the engine read last.
    """
    margins = settings.check_margin / 2, settings.check_margin
    result = [*texts]
    for index in range(len(texts)):
        result[index] = _with_percent(pixels, engine, texts[index], margins)
    for index, text in _times(pixels, engine, texts, layout, margins).items():
        result[index] = text
    return (*result, *_found(pixels, engine, layout.gaps[:_MOST_GAPS], margins))


def _found(pixels: Pixels, engine: OcrEngine, gaps: Sequence[Box], margins: Sequence[float]) -> list[Text]:
    """What stands in cells that seemed to be empty, where two looks agree on it."""
    found = []
    for gap in gaps:
        box = _ink_in(pixels, gap)
        if box is None:
            continue
        looks = [engine.read_boxes(pixels, [box], margin=margin + 0.1)[0] for margin in margins]
        said = [plain(look.text).strip() for look in looks if look.score >= _FAIR]
        word = said[0] if len(said) == len(looks) and len(set(said)) == 1 else ""
        if re.fullmatch(r"\d{1,4}", word) or word.lower() in _WORDS:
            found.append(Text(word, box, min(look.score for look in looks)))
    return found


def _ink_in(pixels: Pixels, gap: Box) -> Box | None:
    """The box around the strokes in a cell; None where it is empty."""
    crop = pixels[gap[1] : gap[3], gap[0] : gap[2]]
    if min(crop.shape[:2]) < 4:
        return None
    tall = crop.shape[0]
    strokes = strokes_of(crop, tall, 1.0)
    level = max(_LEAST_CONTRAST, int(strokes[:, tall // 6 : tall - tall // 6].max()) // 2)
    inner = [p for p in pieces_of(strokes, level) if p[0] > 0 and p[2] < crop.shape[1] and height(p) >= 0.25 * tall]
    if not inner:
        return None
    left, _, right, _ = joined(inner)
    more = max(2, tall // 5)
    return max(gap[0], gap[0] + left - more), gap[1], min(gap[2], gap[0] + right + more), gap[3]


def _with_percent(pixels: Pixels, engine: OcrEngine, text: Text, margins: Sequence[float]) -> Text:
    """A per cent sign that was read as two digits behind a number with a point."""
    found = _PERCENT.match(plain(text.text).strip())
    if found is None:
        return text
    looks = [
        engine.read_boxes(pixels, [text.box], margin=margin, other=other)[0].text
        for margin in margins
        for other in (False, True)
    ]
    number = re.escape(re.sub(r".*[^\d.,+-]", "", found["before"]))
    seen = sum(re.search(rf"{number}\s*%", plain(look)) is not None for look in looks)
    return replace(text, text=f"{found['before']} %") if 2 * seen >= len(looks) else text


def _times(
    pixels: Pixels, engine: OcrEngine, texts: Sequence[Text], layout: Layout, margins: Sequence[float]
) -> dict[int, Text]:
    """Times of a table that lost a separator or a digit, in the form that most of their column have."""
    moments = [i for i in sorted(layout.in_tables) if i < len(texts) and moment_in(texts[i].text)]
    result = {}
    for index in moments:
        box = texts[index].box
        column = [i for i in moments if abs(texts[i].box[0] - box[0]) <= height(box)]
        forms = Counter(_form(texts[i].text) for i in column)
        form, count = forms.most_common(1)[0]
        if len(column) < _LEAST_TIMES or 2 * count <= len(column) or _form(texts[index].text) == form:
            continue
        example = next(texts[i].text for i in column if _form(texts[i].text) == form)
        meant = _in_form(texts[index].text, example)
        if not meant:
            meant = _read_as(pixels, engine, texts[index], form, margins)
        if meant:
            result[index] = replace(texts[index], text=meant)
    return result


def _form(text: str) -> str:
    """Digits and letters as what they are: two times of one column have one form."""
    return re.sub(r"[A-Za-z]", "a", re.sub(r"\d", "0", plain(text).strip()))


def _in_form(text: str, example: str) -> str:
    """The same digits and letters, with the separators of the example; empty where they do not fit."""
    signs = [c for c in plain(text) if c.isalnum()]
    kinds = [c for c in plain(example).strip() if c.isalnum()]
    if len(signs) != len(kinds) or any(a.isdigit() != b.isdigit() for a, b in zip(signs, kinds, strict=True)):
        return ""
    order = iter(signs)
    return _whole("".join(next(order) if c.isalnum() else c for c in plain(example).strip()))


def _read_as(pixels: Pixels, engine: OcrEngine, text: Text, form: str, margins: Sequence[float]) -> str:
    """What most looks show in the form of the column, if they hold all that was read before."""
    looks = [
        plain(engine.read_boxes(pixels, [text.box], margin=margin, other=other)[0].text).strip()
        for margin in margins
        for other in (False, True)
    ]
    fitting = Counter(look for look in looks if _form(look) == form and _holds(look, text.text) and _whole(look))
    return fitting.most_common(1)[0][0] if fitting and fitting.most_common(1)[0][1] >= 2 else ""


def _holds(look: str, read: str) -> bool:
    """All digits of the first reading, in order."""
    rest = iter(c for c in look if c.isdigit())
    return all(any(c == other for other in rest) for c in plain(read) if c.isdigit())


def _whole(text: str) -> str:
    """The text if it is a date and a time, or one of them, from end to end."""
    found = moment_in(text)
    return text if found and found.start == 0 and found.end == len(text) else ""
