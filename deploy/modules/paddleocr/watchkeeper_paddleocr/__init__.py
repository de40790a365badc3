"""PaddleOCR's own package as the reader of panels, in an environment of its own.

It serves what `plugins/panel/texts/module_ocr.py` of Watchkeeper calls, with the same weights and on the same runtime
as Watchkeeper's own reader. Its models lie in `models/` beside this file, because its process has no network to fetch
any.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

__all__ = ["Reader", "make"]

MODELS = Path(__file__).parent / "models"
DETECTOR = "PP-OCRv6_small_det"
RECOGNISER = "PP-OCRv6_small_rec"
SIDE_PX = 1280
"""Longest side that the detector sees; without a bound a photo of 12 megapixels takes gigabytes."""
THRESHOLDS = {"text_det_thresh": 0.2, "text_det_box_thresh": 0.45, "text_det_unclip_ratio": 1.4}
"""What suits panels; the package's defaults are for documents."""
ENGINE: Mapping[str, Any] = {
    "engine": "onnxruntime",
    "engine_config": {
        "intra_op_num_threads": 1,
        "inter_op_num_threads": 1,
        "log_severity_level": 3,
        "enable_mem_pattern": False,  # a block for each shape, and lines come in dozens of shapes
    },
    "device": "cpu",
}
UPRIGHT_RATIO = 1.5
"""A box this much taller than wide may be text that runs upwards or downwards."""


class Engine(Protocol):
    """`paddleocr.PaddleOCR` or `paddleocr.TextRecognition`."""

    def predict(self, input: Any, **options: Any) -> Sequence[Mapping[str, Any]]:  # noqa: A002 - PaddleOCR's name
        """Results, one for each image."""
        ...


def make(*, state: str) -> Reader:
    """Load both models.

    :param state: the module's folder; the package makes folders of its own when it is imported.
    """
    os.environ["PADDLE_PDX_CACHE_HOME"] = str(Path(state) / "paddlex")
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    import paddleocr

    cv2.setNumThreads(1)
    whole = paddleocr.PaddleOCR(
        text_detection_model_name=DETECTOR,
        text_detection_model_dir=str(MODELS / DETECTOR),
        text_recognition_model_name=RECOGNISER,
        text_recognition_model_dir=str(MODELS / RECOGNISER),
        text_recognition_batch_size=1,
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
        text_det_limit_side_len=SIDE_PX,
        text_det_limit_type="max",
        **THRESHOLDS,
        **ENGINE,
    )
    lines = paddleocr.TextRecognition(model_name=RECOGNISER, model_dir=str(MODELS / RECOGNISER), **ENGINE)
    return Reader(whole, lines)


class Reader:
    """What its process serves."""

    methods = ("read", "read_boxes")

    def __init__(self, whole: Engine, lines: Engine) -> None:
        """
        :param whole: finds and reads.
        :param lines: reads crops of one line.
        """
        self._whole = whole
        self._lines = lines

    def report(self) -> dict[str, Any]:
        """Told when it is ready."""
        return {"reads": RECOGNISER}

    def close(self) -> None:
        """Nothing to put in order."""

    def read(self, context: Any, *, width: int, height: int) -> list[dict[str, Any]]:
        """Every run of text on the image."""
        image = _image(context, width, height)
        (found,) = self._whole.predict(image)
        rows = zip(found["rec_texts"], found["rec_scores"], found["rec_boxes"], strict=True)
        told = [_text(text, score, _inside(box, width, height)) for text, score, box in rows]
        return [text for text in told if text["text"]]

    def read_boxes(
        self, context: Any, *, width: int, height: int, boxes: list[list[int]], margin: float, other: bool
    ) -> list[dict[str, Any]]:
        """Read places again; there is one recogniser, so `other` changes nothing."""
        image = _image(context, width, height)
        return [{**self._read_line(_crop(image, box, margin)), "box": box} for box in boxes]

    def _read_line(self, crop: Any) -> dict[str, Any]:
        """The way up that reads best; no text for an empty crop."""
        if not crop.size:
            return _text("", 0.0, ())
        ways = [crop]
        if crop.shape[0] >= UPRIGHT_RATIO * crop.shape[1]:
            ways += [np.rot90(crop), np.rot90(crop, -1)]
        # One after the other: lines of a batch are padded to the longest, which takes longer and reads differently.
        found = [self._lines.predict(input=np.ascontiguousarray(way), batch_size=1)[0] for way in ways]
        best = max(found, key=lambda line: float(line["rec_score"]))
        return _text(best["rec_text"], best["rec_score"], ())


def _image(context: Any, width: int, height: int) -> Any:
    """PaddleOCR takes blue, green, red."""
    (buffer,) = context.buffers
    return np.ascontiguousarray(np.frombuffer(buffer, np.uint8).reshape(height, width, 3)[:, :, ::-1])


def _crop(image: Any, box: Sequence[int], margin: float) -> Any:
    left, top, right, bottom = box
    grow = round((bottom - top) * margin)
    return image[max(0, top - grow) : bottom + grow, max(0, left - grow) : right + grow]


def _inside(box: Any, width: int, height: int) -> list[int]:
    left, top, right, bottom = (round(float(edge)) for edge in box)
    left, right = sorted((min(max(left, 0), width), min(max(right, 0), width)))
    top, bottom = sorted((min(max(top, 0), height), min(max(bottom, 0), height)))
    return [left, top, right, bottom]


def _text(text: Any, score: Any, box: Sequence[int]) -> dict[str, Any]:
    sure = float(score)
    return {
        "text": str(text).strip(),
        "box": list(box),
        "score": min(1.0, max(0.0, sure)) if math.isfinite(sure) else 0.0,
    }
