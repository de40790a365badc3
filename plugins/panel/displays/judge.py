"""What a display shows, when the decoder and a text reader have both looked at it.

The reader gets the straightened ink, once as it is and once with the gaps between segments closed. Where it reads what
the decoder saw, the value stands without a flag; of several things that the decoder saw, the one it reads counts. Where
it reads other digits, the value is flagged; where the decoder alone is sure, its word counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.displays.glyphs import is_number, unit_within
from plugins.panel.displays.strips import HEIGHT, MARGIN
from plugins.panel.displays.votes import Vote, Way
from plugins.panel.texts.ocr import OcrEngine

__all__ = ["Verdict", "judge"]

Pixels = NDArray[np.uint8]

_AROUND = 12
"""Background around the digits that the reader sees, in pixels of a strip."""
_CLOSE = 7
"""Gaps between segments are closed up to this width."""
_SURE_SHARE, _SURE_MARGIN = 0.7, 0.12
_ALIKE = str.maketrans({"O": "0", "o": "0", "D": "0", "Q": "0", "I": "1", "l": "1", "|": "1", "i": "1", "!": "1",
                        "S": "5", "s": "5", "B": "8", "Z": "2", "z": "2", "b": "6", "G": "6", "g": "9", "q": "9",
                        "A": "4", "E": "8", "T": "7", "?": "7", ",": ".", "·": ".", "。": ".", "：": ":",
                        "—": "-", "–": "-", "−": "-", "_": "-", " ": None})  # fmt: skip
"""What a reader of printed text takes segments for."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a display shows."""

    value: str | None
    unit: str
    """Spelt by the display itself."""
    score: float
    flags: tuple[str, ...]
    why: str
    way: Way


def judge(vote: Vote, engine: OcrEngine | None, printed: Sequence[str]) -> Verdict | None:
    """None where nothing can be said, not even that this is a display.

    :param printed: what the reader of the whole panel read there.
    """
    printed = [plain for text in printed if (plain := _plain(text))]
    looks = [*_read(vote, engine), *printed]
    first = vote.ways[0]
    ways = [way for way in vote.ways if _value(way)]
    longer = [look for look in printed if is_number(look) and _extends(look, first)]
    if longer:
        return replace(_verdict(first, 0.6, ("low-score",), f"the reader sees {longer[0]}"), value=longer[0])
    for way in ways:
        value = _value(way)
        if set(_digits(way)) == {"8"} and value not in printed:
            continue
        if value in looks and (way.share >= 0.15 or looks.count(value) > 1):
            whole = not way.best.beside or value in printed or value in _read(vote, engine, wider=True)
            flags = () if whole else ("low-score",)
            return _verdict(
                way, (0.97 if _is_sure(way) else 0.93) if whole else 0.6, flags, "segments and reader agree"
            )
    if _value(first) is None:
        return _without_value(first)
    digits = _digits(first)
    if first.share < 0.35:
        return _without_value(first)
    if len(digits) < 2 or set(digits) == {"8"}:
        return None
    same = [look for look in looks if re.sub(r"\D", "", look) == digits]
    if same:
        clear = first.clear and first.share >= 0.6
        flags = () if clear and _is_sure(first) else ("disagrees",)
        return _verdict(first, 0.9 if clear else 0.5, flags, f"the reader sees the digits as {same[0]}")
    against = [look for look in looks if len(re.sub(r"\D", "", look)) >= 2]
    if against:
        return _verdict(first, 0.5, ("disagrees",), f"segments show {first.shown}, the reader {against[0]}")
    if _is_sure(first) and first.clear and not first.best.beside:
        return _verdict(first, 0.85, (), "segments alone")
    return _verdict(first, 0.4, ("low-score",), f"{round(first.share * 100)} % of looks agree")


def _verdict(way: Way, score: float, flags: tuple[str, ...], why: str) -> Verdict:
    _, unit = unit_within(way.shown.strip())
    return Verdict(_value(way), unit, score, flags, why, way)


def _without_value(way: Way) -> Verdict | None:
    """A display that says a word, an error or dashes; or one that cannot be read, where it surely is one."""
    shown = way.shown.strip()
    if way.best.fit < 0.84 or way.best.parted < 0.3 or len(way.best.cells) < 3:
        return None
    digits = sum(character.isdigit() for character in shown)
    if "?" in shown and (digits < 3 or digits < 0.6 * len(way.best.cells)):
        return None
    known = "?" not in shown and way.share >= 0.5
    why = f"the display shows {shown}" if known else f"a display that cannot be read: {shown}"
    return Verdict(None, "", 0.8 if known else 0.3, ("no-value",), why, way)


def _value(way: Way) -> str | None:
    shown, _ = unit_within(way.shown.strip())
    if shown.endswith("."):
        shown = shown[:-1]
    return shown if is_number(shown) else None


def _digits(way: Way) -> str:
    return re.sub(r"\D", "", _value(way) or "")


def _extends(look: str, way: Way) -> bool:
    """The reader saw the same digits and more."""
    digits, seen = re.sub(r"\D", "", look), _digits(way)
    return len(seen) >= 2 and len(digits) > len(seen) and (digits.endswith(seen) or digits.startswith(seen))


def _is_sure(way: Way) -> bool:
    return way.share >= _SURE_SHARE and way.best.margin >= _SURE_MARGIN and way.best.fit >= 0.9


def _read(vote: Vote, engine: OcrEngine | None, *, wider: bool = False) -> list[str]:
    """What the reader makes of the digits; or of them and what stands beside them."""
    if engine is None:
        return []
    pixels, boxes = _sheet(vote, HEIGHT if wider else 0)
    return [_plain(text.text) for text in engine.read_boxes(pixels, boxes, margin=0.0) if text.score > 0.5]


def _plain(text: str) -> str:
    return text.translate(_ALIKE).strip(".")


def _sheet(vote: Vote, beside: int) -> tuple[Pixels, list[Box]]:
    """The digits dark on white, as they are and with their gaps closed, one below the other."""
    cells = [cell for way in vote.ways if way.share >= 0.2 for cell in way.best.cells] or list(vote.ways[0].best.cells)
    left = max(0, round(min(c.left for c in cells)) - _AROUND - beside)
    right = min(vote.ink.shape[1], round(max(c.right for c in cells)) + 2 * _AROUND + beside)
    body = np.clip(vote.ink[MARGIN - 8 : MARGIN + HEIGHT + 8, left:right], 0, 1)
    square = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_CLOSE, _CLOSE))
    closed = cv2.morphologyEx(body, cv2.MORPH_CLOSE, square)
    sheet = 255 - np.vstack([body, closed]) * 255
    pixels = np.asarray(np.repeat(sheet[:, :, None], 3, axis=2), np.uint8)
    high, wide = body.shape
    return np.ascontiguousarray(pixels), [(0, 0, wide, high), (0, high, wide, 2 * high)]
