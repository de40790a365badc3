"""PP-OCRv6 (PaddleOCR's detector and recogniser) on onnxruntime, OpenCV and numpy alone.

Detector: a map of how much each pixel looks like text → contours → rotated rectangles, grown by the offset that DB
training shrank them by. Recogniser: each rectangle straightened to 48 pixels height → one character or blank for every
8 pixels → repeats and blanks dropped (CTC). Short strings are not padded to the training width, which costs a third of
the time; below 160 pixels digits suffer.

Threads: the detector shares one image among them, the recognisers read one line each. A single line is too small to
be shared, and a stack of lines takes as long as one after the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from agent.errors import ModelError
from agent.perception import Box, Text
from agent.settings import PanelSettings

__all__ = ["PpOcr"]

Pixels = NDArray[Any]
"""8 bits, three channels."""
Floats = NDArray[np.float32]
_Item = TypeVar("_Item")
_Done = TypeVar("_Done")

MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32) * 255
"""ImageNet's, in the order the detector was trained with (blue, green, red)."""
STRIDE = 32
"""The detector takes sides that are a multiple of this."""
LINE_HEIGHT = 48
MIN_WIDTH = 160
MAX_WIDTH = 2400
MIN_BOX_SIDE = 3.0
"""In pixels of the detector's input; anything thinner is a line, not text."""
LONG_RATIO = 3.0
STROKES = frozenset("nmuitlrwWUHMINAa|/\\-=")
"""A hatched bar looks like a line of text, and is read as these."""
MIXED = re.compile(r"[A-Za-z]\d|\d[A-Za-z]")
"""Letters and digits in one word: the small differences (S or 5, O or 0) are beyond the cheap reader."""
UPRIGHT_RATIO = 1.5
"""A box this much taller than wide may be text that runs upwards, or one tall digit: both are tried."""


class PpOcr:
    """A loaded pair of detector and recogniser."""

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
        :param screen: the same roles of a smaller size, whose recogniser reads first; None where there is none.
        :raises ModelError: a file cannot be loaded.
        """
        self.name = f"{name}{'+screen' if screen else ''}@{settings.side_px}"
        self._settings = settings
        self._screened: set[Box] = set()
        cv2.setNumThreads(1)  # its own threads cost more than they bring on images this small, and wait by spinning
        try:
            self._detector = _session(files["det"], settings.threads)
            self._reader: Recogniser | None = Recogniser(files)
            self._screen = Recogniser(screen) if screen else None
        except Exception as error:
            raise ModelError(f"{name}: cannot be loaded: {error}") from error

    def read(self, pixels: Pixels) -> tuple[Text, ...]:
        """Every run of text on an image that the reader is sure enough of."""
        if min(pixels.shape[:2]) < 1:
            return ()
        image = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        found = self._detect(image)[: self._settings.max_texts]
        lines = self._each(lambda corners: self._read_line(_straightened(image, corners)), found)
        texts = []
        self._screened.clear()
        for corners, (text, score, by_screen) in zip(found, lines, strict=True):
            box = _bounds(corners, image.shape)
            if by_screen:
                self._screened.add(box)
            if text and score >= self._settings.min_score:
                texts.append(Text(text, box, score))
        return tuple(texts)

    def read_boxes(
        self, pixels: Pixels, boxes: Sequence[Box], *, margin: float, other: bool = False
    ) -> tuple[Text, ...]:
        """Read known places again; see `plugins.panel.ocr.OcrEngine`."""

        def look(box: Box) -> Text:
            crop = _grown(pixels, box, margin)
            reader = self._screen if other and self._screen and box not in self._screened else self._loaded()
            text, score = _best_way_up(reader, cv2.cvtColor(crop, cv2.COLOR_RGB2BGR)) if crop.size else ("", 0.0)
            return Text(text, box, score)

        return tuple(self._each(look, boxes))

    def close(self) -> None:
        """Free all sessions."""
        self._detector = self._reader = self._screen = None

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

    def _read_line(self, crop: Pixels) -> tuple[str, float, bool]:
        """Text, score, and whether the screen read it: where it is sure, and where it sees no text at all."""
        if self._screen is not None:
            first = _best_way_up(self._screen, crop)
            sure = first[1] >= self._settings.screen_sure and not MIXED.search(first[0])
            if sure or self._is_pattern(crop, *first):
                return *first, True
        return *_best_way_up(self._loaded(), crop), False

    def _detect(self, image: Pixels) -> list[Floats]:
        """Four corners of every run of text, clockwise from the upper left, in pixels of the image."""
        height, width = image.shape[:2]
        ratio = min(1.0, self._settings.side_px / max(height, width))
        rows, columns = (max(STRIDE, round(side * ratio / STRIDE) * STRIDE) for side in (height, width))
        shrink = cv2.INTER_AREA if ratio < 0.5 else cv2.INTER_LINEAR
        scaled = cv2.resize(image, (columns, rows), interpolation=shrink).astype(np.float32)
        batch = np.ascontiguousarray(((scaled - MEAN) / DEVIATION).transpose(2, 0, 1)[None], np.float32)
        likely: Floats = _run(self._detector, batch, give_back=True)[0, 0]
        mask = (likely > self._settings.detect_threshold).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        scale = np.array([width / columns, height / rows], np.float32)
        limit = np.array([width, height], np.float32)
        found = (self._rectangle(contour, likely) for contour in contours[: 2 * self._settings.max_texts])
        return [np.clip(corners * scale, 0, limit) for corners in found if corners is not None]

    def _rectangle(self, contour: NDArray[Any], likely: Floats) -> Floats | None:
        centre, (a, b), angle = cv2.minAreaRect(contour)
        if min(a, b) < MIN_BOX_SIDE or _mean_inside(likely, centre, (a, b), angle) < self._settings.box_threshold:
            return None
        grow = a * b * self._settings.unclip_ratio / (a + b)
        return _clockwise(cv2.boxPoints((centre, (a + grow, b + grow), angle)))

    def _is_pattern(self, crop: Pixels, text: str, score: float) -> bool:
        """Hatching, pipes and coils: long, and read as nothing or as a row of strokes, without conviction."""
        long = crop.shape[1] > LONG_RATIO * crop.shape[0]
        return long and score < self._settings.screen_nothing and (len(text) < 2 or set(text) <= STROKES)


class Recogniser:
    """One line of text at a time; several threads may each read one."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._characters = _characters(files["rec-config"])
        self._session = _session(files["rec"], threads=1)

    def __call__(self, crop: Pixels) -> tuple[str, float]:
        """Text, and the mean of its characters' scores.

        :param crop: height × width × 3, BGR, the text running from left to right.
        """
        height, width = crop.shape[:2]
        width = min(MAX_WIDTH, max(8, math.ceil(LINE_HEIGHT * width / height)))
        line = cv2.resize(np.ascontiguousarray(crop), (width, LINE_HEIGHT)).astype(np.float32)
        padded = max(MIN_WIDTH, math.ceil(width / STRIDE) * STRIDE)
        batch = np.zeros((1, 3, LINE_HEIGHT, padded), np.float32)
        batch[0, :, :, :width] = line.transpose(2, 0, 1) / 127.5 - 1
        steps = _run(self._session, batch)[0]
        best = steps.argmax(axis=1)
        kept = (best != 0) & np.concatenate(([True], best[1:] != best[:-1]))
        if not kept.any():
            return "", 0.0
        text = "".join(self._characters[index] for index in best[kept])
        return text.strip(), float(steps[np.arange(len(best)), best][kept].mean())


def _best_way_up(reader: Recogniser, crop: Pixels) -> tuple[str, float]:
    if crop.shape[0] < UPRIGHT_RATIO * crop.shape[1]:
        return reader(crop)
    return max(reader(crop), reader(np.rot90(crop)), key=lambda read: read[1])


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    _share_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # a block for each shape, and lines come in dozens of shapes
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@cache
def _share_memory() -> None:
    """One pool of working memory for all sessions of the process, which take turns; each its own costs 40 MB more."""
    import onnxruntime as ort

    place = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(place, ort.OrtArenaCfg(0, 0, -1, -1))


def _run(session: Any, batch: Floats, *, give_back: bool = False) -> Floats:
    """What a session makes of a batch.

    :param give_back: return the pool's memory to the machine afterwards: a tenth of a second slower the next time.
    """
    import onnxruntime

    if session is None:
        raise ModelError("the text reader was closed; open it again")
    options = onnxruntime.RunOptions()
    if give_back:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    output: Floats = session.run(None, {session.get_inputs()[0].name: batch}, options)[0]
    return output


def _characters(config: Path) -> list[str]:
    """Index → character: blank, the dictionary, space."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with config.open(encoding="utf-8") as file:
        dictionary = yaml.load(file, Loader=loader)["PostProcess"]["character_dict"]
    return ["", *(str(character) for character in dictionary), " "]


def _mean_inside(likely: Floats, centre: Sequence[float], size: Sequence[float], angle: float) -> float:
    corners = cv2.boxPoints((centre, size, angle))
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    window = likely[top:bottom, left:right]
    if not window.size:
        return 0.0
    mask = np.zeros(window.shape, np.uint8)
    cv2.fillPoly(mask, [(corners - [left, top]).astype(np.int32)], 1)
    return float(cv2.mean(window, mask)[0])


def _clockwise(corners: NDArray[Any]) -> Floats:
    by_x = corners[np.argsort(corners[:, 0])]
    left = by_x[:2][np.argsort(by_x[:2, 1])]
    right = by_x[2:][np.argsort(by_x[2:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def _straightened(image: Pixels, corners: Floats) -> Pixels:
    """The text as an upright rectangle; a plain slice where the corners are one already."""
    upper_left, upper_right, lower_right, lower_left = corners
    width = max(1, int(max(np.linalg.norm(upper_left - upper_right), np.linalg.norm(lower_right - lower_left))))
    height = max(1, int(max(np.linalg.norm(upper_left - lower_left), np.linalg.norm(upper_right - lower_right))))
    if abs(upper_left[1] - upper_right[1]) < 1 and abs(upper_left[0] - lower_left[0]) < 1:
        left, top, right, bottom = _bounds(corners, image.shape)
        return image[top:bottom, left:right]
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    warped = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _bounds(corners: Floats, shape: tuple[int, ...]) -> Box:
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    left, top = min(max(0, left), shape[1] - 1), min(max(0, top), shape[0] - 1)
    return int(left), int(top), int(min(max(left + 1, right), shape[1])), int(min(max(top + 1, bottom), shape[0]))


def _grown(pixels: Pixels, box: Box, margin: float) -> Pixels:
    left, top, right, bottom = box
    more = round((bottom - top) * margin)
    return pixels[max(0, top - more) : bottom + more, max(0, left - more) : right + more]
