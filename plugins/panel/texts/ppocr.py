"""PP-OCRv6 (PaddleOCR's detectors and recognisers) on onnxruntime, OpenCV and numpy alone: find, straighten, read.

With both sizes at hand, both detectors look, because they miss different texts, and the tiny recogniser reads first
what is easy.

Threads: a detector shares one image among them, the recognisers read one line each. A single line is too small to
be shared, and a stack of lines takes as long as one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from agent.errors import ModelError
from agent.perception import Box, Text
from agent.settings import PanelSettings
from plugins.panel.texts.crops import Corners, Pixels, bounds, grown, lengthened, straightened, unstacked
from plugins.panel.texts.finder import Detector, Place, joined
from plugins.panel.texts.lines import NOTHING, NUMBER_WIDTH, WORD_WIDTH, Line, Recogniser
from plugins.panel.texts.repairs import clearer, cut_sides, goes_on, repaired, with_its_point

__all__ = ["PpOcr"]

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")

LONG_RATIO = 3.0
UNREADABLE = 0.5
"""A long crop that the small reader makes so little of shows no text: on a short one it may be a small glyph."""
STROKES = frozenset("nmuitlrwWUHMINAa|/\\-=")
"""A hatched bar looks like a line of text, and is read as these."""
MIXED = re.compile(r"[A-Za-z]\d|\d[A-Za-z]")
"""Letters and digits in one word: the small differences (S or 5, O or 0) are beyond the cheap reader."""
CUT_LOOK = 0.6
"""How far a number that touches the edge of its box is looked for beyond it, in parts of its height."""
CUT_SCORE = 0.6
"""The score of a number that was cut is at most this."""
CLEAR_SURE = 0.95
"""Faint text that is read with less conviction is read again with more contrast."""
UPRIGHT_RATIO = 1.5
"""A box this much taller than wide may be text that runs upwards, glyphs one below the other, or one tall digit."""
TURNED_SURE = 0.9
"""Where a tall box gives no text as sure as this, the ways of reading that are rare are tried too."""


class PpOcr:
    """A loaded set of detectors and recognisers."""

    def __init__(
        self,
        name: str,
        files: Mapping[str, Path],
        settings: PanelSettings,
        *,
        screen: Mapping[str, Path] | None = None,
    ) -> None:
        """Load all.

        :param files: roles `det`, `rec` (ONNX) and `rec-config` (PaddleOCR's inference.yml with the dictionary).
        :param screen: the same roles of a smaller size, which looks and reads first; None where there is none.
        :raises ModelError: a file cannot be loaded.
        """
        self.name = f"{name}@{settings.side_px}" + (f"+screen@{settings.second_side_px}" if screen else "")
        self._settings = settings
        self._screened: set[Box] = set()
        cv2.setNumThreads(1)  # its own threads cost more than they bring on images this small, and wait by spinning
        keep = settings.line_cache_entries
        try:
            self._detectors = [Detector(files["det"], settings, side_px=settings.side_px)]
            if screen:
                self._detectors.append(Detector(screen["det"], settings, side_px=settings.second_side_px))
            self._reader: Recogniser | None = Recogniser(files, keep=keep)
            self._screen = Recogniser(screen, keep=keep) if screen else None
        except Exception as error:
            raise ModelError(f"{name}: cannot be loaded: {error}") from error

    def read(self, pixels: Pixels) -> tuple[Text, ...]:
        """Every run of text on an image that the reader is sure enough of."""
        if min(pixels.shape[:2]) < 1:
            return ()
        image = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        found = self._detect(image)[: self._settings.max_texts]
        read = self._each(lambda place: self._read_place(image, place), found)
        texts = []
        self._screened.clear()
        for corners, line, by_screen in read:
            box = bounds(corners, image.shape)
            if by_screen:
                self._screened.add(box)
            if line.text and line.score >= self._settings.min_score:
                texts.append(Text(line.text, box, line.score))
        return tuple(texts)

    def read_boxes(
        self, pixels: Pixels, boxes: Sequence[Box], *, margin: float, other: bool = False
    ) -> tuple[Text, ...]:
        """Read known places again; see `plugins.panel.texts.ocr.OcrEngine`."""

        def look(box: Box) -> Text:
            crop = grown(pixels, box, margin)
            reader = self._screen if other and self._screen and box not in self._screened else self._loaded()
            line = _best_way_up(reader, cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))[0] if crop.size else NOTHING
            return Text(line.text, box, line.score)

        return tuple(self._each(look, boxes))

    def forget(self) -> None:
        """Forget the lines that were read before; for measuring."""
        for reader in (self._reader, self._screen):
            if reader is not None:
                reader.forget()

    def close(self) -> None:
        """Free all sessions."""
        self._detectors = []
        self._reader = self._screen = None

    def _each(self, work: Callable[[_Item], _Done], items: Sequence[_Item]) -> list[_Done]:
        """Results in order. Threads are worth it because onnxruntime lets go of the interpreter while it computes."""
        threads = min(self._settings.threads, len(items))
        if threads < 2:
            return [work(item) for item in items]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, items))

    def _loaded(self) -> Recogniser:
        if self._reader is None:
            raise ModelError("the text reader was closed; open it again")
        return self._reader

    def _detect(self, image: Pixels) -> list[Place]:
        self._loaded()
        seen = [detector(image) for detector in self._detectors]
        return joined(*seen) if len(seen) == 2 else [Place(corners, True) for corners in seen[0]]

    def _read_place(self, image: Pixels, place: Place) -> tuple[Corners, Line, bool]:
        """Where the text stands after all, what it says, and whether the screen read it."""
        crop = straightened(image, place.corners)
        line, by_screen = self._read_line(crop, agreed=place.agreed)
        return place.corners, self._held_against_the_edges(image, place.corners, crop, repaired(line, crop)), by_screen

    def _held_against_the_edges(self, image: Pixels, corners: Corners, crop: Pixels, line: Line) -> Line:
        """The line; with a low score where a number goes on beyond its box."""
        if line.score < CUT_SCORE or not line.text or not (line.text[0].isdigit() or line.text[-1].isdigit()):
            return line
        left, right = cut_sides(crop)
        left, right = left and line.text[0].isdigit(), right and line.text[-1].isdigit()
        if not (left or right):
            return line
        wider = straightened(image, lengthened(corners, left * CUT_LOOK, right * CUT_LOOK, image.shape))
        return replace(line, score=CUT_SCORE) if goes_on(line, self._read_line(wider, agreed=True)[0]) else line

    def _read_line(self, crop: Pixels, *, agreed: bool) -> tuple[Line, bool]:
        """What stands there, and whether the screen read it: where it is sure, and where it sees no text at all.

        :param agreed: two detectors see a text there; where it is one alone, the screen must see one too.
        """
        if self._screen is None:
            return _best_way_up(self._loaded(), crop)[0], False
        first, way = _best_way_up(self._screen, crop)
        is_number = not any(character.isalpha() for character in first.text)
        enough = self._settings.screen_sure_number if is_number else self._settings.screen_sure
        sure = first.score >= enough and not MIXED.search(first.text)
        nothing = self._settings.screen_nothing
        if sure or _is_pattern(crop, first, nothing):
            return first, True
        if first.score < nothing:
            width = WORD_WIDTH if any(character.isalpha() for character in first.text) else NUMBER_WIDTH
            return (_best_way_up(self._loaded(), crop, width)[0], False) if agreed else (NOTHING, True)
        width = NUMBER_WIDTH if is_number else WORD_WIDTH
        second = self._loaded()(way, min_width=width)
        clear = clearer(way) if second.score < CLEAR_SURE else None
        if clear is not None:
            second = max(second, self._loaded()(clear, min_width=width), key=lambda line: line.score)
        return with_its_point(second, first), False


def _is_pattern(crop: Pixels, line: Line, nothing: float) -> bool:
    """Hatching, pipes and coils: long, and read as nothing or as a row of strokes, or without any conviction."""
    if crop.shape[1] <= LONG_RATIO * crop.shape[0] or line.score >= nothing:
        return False
    return line.score < UNREADABLE or len(line.text) < 2 or set(line.text) <= STROKES


def _best_way_up(reader: Recogniser, crop: Pixels, width: int = NUMBER_WIDTH) -> tuple[Line, Pixels]:
    """The text of a crop that may stand upright, run upwards or downwards, or be stacked; and the crop turned so."""
    if crop.shape[0] < UPRIGHT_RATIO * crop.shape[1]:
        return reader(crop, min_width=width), crop
    ways = [(reader(way, min_width=width), way) for way in (crop, np.rot90(crop))]
    stack = unstacked(crop)
    if stack is not None:
        ways.append((reader(stack, min_width=width), stack))
    if stack is not None or max(line.score for line, _ in ways) < TURNED_SURE:
        ways.append((reader(np.rot90(crop, -1), min_width=width), np.rot90(crop, -1)))
    return max(ways, key=lambda way: way[0].score)
