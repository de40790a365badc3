"""PaddleOCR's own package as the reader of panels, in an environment of its own.

It serves what `plugins/panel/module_ocr.py` of Watchkeeper calls. Its models lie in `models/` beside this file, because
its process has no network to fetch any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = ["Reader", "make"]

MODELS = Path(__file__).parent / "models"
DETECTOR = "PP-OCRv5_mobile_det"
RECOGNISER = "PP-OCRv5_mobile_rec"
BATCH = 8
"""Crops that are read together."""
SIDE_PX = 1280
"""Longest side that the detector sees."""


class Engine(Protocol):
    """`paddleocr.PaddleOCR` or `paddleocr.TextRecognition`."""

    def predict(self, input: Any, **options: Any) -> Sequence[Mapping[str, Any]]:  # noqa: A002 - PaddleOCR's name
        """Results, one for each image."""
        ...


def make(*, state: str) -> Reader:
    """Load both models.

    :param state: the module's folder, which it does not need.
    """
    import paddleocr

    whole = paddleocr.PaddleOCR(
        text_detection_model_name=DETECTOR,
        text_detection_model_dir=str(MODELS / DETECTOR),
        text_recognition_model_name=RECOGNISER,
        text_recognition_model_dir=str(MODELS / RECOGNISER),
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
        text_det_limit_side_len=SIDE_PX,
        text_det_limit_type="max",
        device="cpu",
    )
    lines = paddleocr.TextRecognition(model_name=RECOGNISER, model_dir=str(MODELS / RECOGNISER), device="cpu")
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
        return [_text(text, score, _inside(box, width, height)) for text, score, box in rows]

    def read_boxes(
        self, context: Any, *, width: int, height: int, boxes: list[list[int]], margin: float, other: bool
    ) -> list[dict[str, Any]]:
        """Read places again; there is one recogniser, so `other` changes nothing."""
        image = _image(context, width, height)
        crops = [_crop(image, box, margin) for box in boxes]
        full = [crop for crop in crops if crop.size]
        read = iter(self._lines.predict(input=full, batch_size=BATCH) if full else ())
        told = []
        for box, crop in zip(boxes, crops, strict=True):
            found: Mapping[str, Any] = next(read) if crop.size else {"rec_text": "", "rec_score": 0.0}
            told.append(_text(found["rec_text"], found["rec_score"], box))
        return told


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
    return {"text": str(text), "box": list(box), "score": min(1.0, max(0.0, float(score)))}
