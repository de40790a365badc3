"""Units that the reader of the panel missed: small print behind a value, read again at its own size.

Only values without a unit are looked at, and only where strokes stand right of their digits that no other text covers.
Order: strokes, whatever ground they stand on → those behind the last digit → two looks at them alone and one at them
with their number → a unit that the table of units knows, and that two looks agree on or one is sure of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.api import Box, Reading, Text
from agent.perception import number_of
from agent.settings import PanelSettings
from plugins.panel.geometry import height, joined, part_of, width
from plugins.panel.grammar import plain, tokens_of, unit_key
from plugins.panel.numbers.strokes import pieces_of, strokes_of
from plugins.panel.texts.ocr import OcrEngine
from plugins.panel.words import QUANTITIES, UNITS

__all__ = ["read_units"]

Pixels = NDArray[np.uint8]
_GAP, _REACH = 1.6, 5.0
"""How far behind the last digit a unit begins, and ends, in heights of the text."""
_WORD_GAP = 0.5
_CONTRAST = 22.0
"""Of 255, between stroke and ground."""
_PART, _PALE = 0.5, 0.3
"""The same as a part of the contrast of the digits, for digits and for units, which are often paler."""
_TALL = 40
"""Smaller texts are enlarged to this height, in pixels."""
_LEAST_TALL = 0.16
_SURE, _CLEAR, _FAIR = 0.93, 0.85, 0.6
"""Scores: of one look that is enough, of one at a unit that is no word, and of one that counts."""
_MOST_CHARACTERS = 8
_CHEVRON = 1.5
"""What is this much wider than tall is no letter V but an arrow."""
_RINGS = {"C": "°C", "oC": "°C", "0C": "°C", "F": "°F", "oF": "°F", "96": "%", "9%": "%", "o/o": "%"}
"""What a reader makes of small units."""
_BY_CASE = {unit.lower(): unit for unit in reversed(UNITS) if len(unit) > 2}
_KNOWN = frozenset(UNITS)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_REST = re.compile(r"\d[.,·]?\s*(?P<rest>[^\d\s.,·:/+-].{0,4}|\s96)$")


def read_units(
    pixels: Pixels,
    engine: OcrEngine,
    texts: Sequence[Text],
    readings: Sequence[Reading],
    sources: Sequence[int],
    settings: PanelSettings,
) -> tuple[Reading, ...]:
    """The readings, with the units that another look finds.

    :param pixels: height × width × 3, RGB, 8 bits: what the engine read last.
    :param sources: for each reading, the index of the text that its value stands in.
    """
    found = list(readings)
    for number, (reading, source) in enumerate(zip(readings, sources, strict=True)):
        if not _lacks_unit(reading, texts[source]):
            continue
        places = _place_behind(pixels, texts, source)
        if places is None:
            continue
        unit = _agreed(reading, texts[source], engine, pixels, places, settings)
        if unit and _is_backed(unit, reading, readings):
            why = f"{reading.why}; the unit was read by a closer look"
            found[number] = replace(reading, unit=unit, why=why)
    return tuple(found)


def _lacks_unit(reading: Reading, text: Text) -> bool:
    """A number at the end of its text, with nothing behind it or what is no word."""
    if reading.unit or reading.kind != "printed" or number_of(reading.value) is None:
        return False
    line = plain(text.text).strip()
    value = reading.value or ""
    return value in line and line[line.rfind(value) + len(value) :].strip() in ("", _rest(text).strip())


def _is_backed(unit: str, reading: Reading, readings: Sequence[Reading]) -> bool:
    """A tick and an arrow look like a letter: a unit of one letter needs a label that measures, or company."""
    measured = any(quantity in reading.label.lower() for quantity in QUANTITIES)
    return not (len(unit) == 1 and unit.isalpha()) or measured or any(r.unit == unit for r in readings)


def _place_behind(pixels: Pixels, texts: Sequence[Text], source: int) -> tuple[Box, Box] | None:
    """Where a unit may stand: that place, and the whole with the number; None where nothing stands behind it."""
    text = texts[source]
    left, top, right, bottom = text.box
    tall = bottom - top
    end = min(pixels.shape[1], right + round(_REACH * tall))
    rest = _rest(text)
    if rest:
        box = part_of(text.box, text.text, len(text.text.rstrip()) - len(rest), len(text.text))
        return box, text.box
    beside = [t for i, t in enumerate(texts) if i != source and _is_behind(t.box, text.box) and t.box[0] < end]
    nearest = min(beside, key=lambda t: t.box[0], default=None)
    if nearest is not None and _is_remains(nearest) and nearest.box[0] - right <= _GAP * tall:
        return nearest.box, joined((text.box, nearest.box))
    end = min(end, nearest.box[0]) if nearest is not None else end
    start = max(left, right - 4 * tall)
    high, low = max(0, top - tall // 6), min(pixels.shape[0], bottom + tall // 8)
    if end - start < 4 or tall < 6:
        return None
    place = _strokes_behind(pixels[high:low, start:end], right - start, tall)
    if place is None:
        return None
    more = max(1, (place[3] - place[1]) // 6)
    unit = (
        max(0, start + place[0] - more),
        max(0, high + place[1] - more),
        min(pixels.shape[1], start + place[2] + more),
        min(pixels.shape[0], high + place[3] + more),
    )
    return unit, joined((text.box, unit))


def _is_behind(box: Box, value: Box) -> bool:
    tall = height(value)
    return box[0] >= value[2] - tall // 3 and box[1] < value[3] and value[1] < box[3]


def _is_remains(text: Text) -> bool:
    """What a reader makes of a unit that it cannot read: one to three characters, none of them a digit."""
    line = plain(text.text).strip()
    return 0 < len(line) <= 3 and not any(c.isdigit() for c in line) and not _CHINESE.search(line)


def _rest(text: Text) -> str:
    """What stands behind the last number of a text."""
    line = plain(text.text).strip()
    found = _REST.search(line)
    return found["rest"] if found else ""


def _strokes_behind(crop: Pixels, right: int, tall: int) -> Box | None:
    """The strokes that stand close together behind the last digit.

    :param right: where the text of the number ends, in pixels of the crop.
    """
    scale = max(1.0, _TALL / tall)
    strokes = strokes_of(crop, tall, scale)
    edge = min(strokes.shape[2], round(right * scale))
    level = float(np.percentile(strokes.max(axis=0)[:, :edge], 97)) if edge else 0.0
    if level < _CONTRAST:
        return None
    digits = [p for p in pieces_of(strokes, max(_CONTRAST, _PART * level)) if (p[0] + p[2]) / 2 < edge]
    most = max((height(piece) for piece in digits), default=0)
    if most < 0.25 * tall * scale:
        return None
    digits = [piece for piece in digits if height(piece) >= 0.8 * most]
    last, floor = max(piece[2] for piece in digits), max(piece[3] for piece in digits)
    strokes[:, :, :last] = 0
    pale = pieces_of(strokes, max(_CONTRAST, _PALE * level))
    behind = sorted(p for p in pale if p[0] > last + 1 and p[1] < floor)
    run: list[Box] = []
    for piece in behind:
        if height(piece) < _LEAST_TALL * most:
            continue
        far = _GAP if not run else _WORD_GAP
        if piece[0] - max((p[2] for p in run), default=last) > far * tall * scale:
            break
        run.append(piece)
    if not run:
        return None
    place = joined(run)
    is_mark = width(place) < 0.25 * most or (height(place) < 0.3 * most and place[1] > floor - 0.4 * most)
    if is_mark or height(place) > 1.25 * most:
        return None
    left, top, right, bottom = (round(edge / scale) for edge in place)
    return left, top, max(left + 1, right), max(top + 1, bottom)


def _agreed(
    reading: Reading, text: Text, engine: OcrEngine, pixels: Pixels, places: tuple[Box, Box], settings: PanelSettings
) -> str:
    """The unit that looks agree on, or empty; a degree alone may have lost its letter."""
    alone, whole = places
    margins = settings.check_margin, 2 * settings.check_margin
    looks = [engine.read_boxes(pixels, [alone], margin=margin)[0] for margin in margins]
    said = [(unit, look.score) for look in looks if (unit := _known(look.text)) and look.score >= _FAIR]
    together = engine.read_boxes(pixels, [whole], margin=settings.check_margin / 2)[0]
    for token in tokens_of(together, 0):
        if token.kind == "value" and token.unit and token.text == reading.value:
            said.append((token.unit, together.score))
    rest = _rest(text)
    if rest:
        alike = [unit for unit, _ in said if _letters(unit) and _letters(unit) == _letters(rest)]
        said += [(unit, text.score) for unit in (_known(rest), *alike[:1]) if unit]
    if not said:
        return ""
    best = max(said, key=lambda pair: (sum(unit_key(pair[0]) == unit_key(unit) for unit, _ in said), pair[1]))[0]
    votes = [score for unit, score in said if unit_key(unit) == unit_key(best)]
    wide = (alone[2] - alone[0]) > _CHEVRON * height(alone)
    if best in ("V", "v", "Y") and wide:
        return ""
    if best == "°":
        return ""
    sure = _CLEAR if best[0] in "%°℃℉" else _SURE if len(best) > 1 and "/" not in best else 2.0
    enough = len(votes) >= 2 or max(votes) >= sure
    return best if enough and len(votes) * 2 > len(said) else ""


def _letters(unit: str) -> str:
    return re.sub(r"[^a-z]", "", unit.lower())


def _known(text: str) -> str:
    """The unit that a look shows, or empty."""
    line = re.sub(r"\s+", "", plain(text)).strip("()[].,:;'\"|")
    if not line or len(line) > _MOST_CHARACTERS:
        return ""
    if line in _KNOWN:
        return line
    return _RINGS.get(line, "") or _BY_CASE.get(line.lower(), "")
