"""Cards as homes of values and labels, and boxes drawn around one value as its extent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.grammar import Token
from plugins.panel.layouts.areas import holders

__all__ = ["Boxes", "Homes", "as_array", "frames"]

Boxes = NDArray[np.int64]
"""One row of left, top, right, bottom for each box."""
Held = NDArray[np.bool_]
"""Which rectangle holds which token: tokens × rectangles."""


def as_array(boxes: Sequence[Box]) -> Boxes:
    return np.array(boxes, np.int64).reshape(-1, 4)


class Homes:
    """Which cards hold which values and labels. A card holds at least one of each; others divide nothing."""

    def __init__(self, values: Sequence[Token], labels: Sequence[Token], rectangles: Boxes) -> None:
        by_value = holders(as_array([t.box for t in values]), rectangles)
        by_label = holders(as_array([t.box for t in labels]), rectangles)
        by_label = by_label | _under_header(by_label, by_value, rectangles)
        cards = by_value.any(axis=0) & by_label.any(axis=0)
        self._values, self._labels = by_value[:, cards], by_label[:, cards]

    def crossings(self, value: int, label: int) -> int:
        return int((self._values[value] != self._labels[label]).sum())

    def titled(self, value: int) -> NDArray[np.bool_]:
        """Labels in the smallest card around a value that holds no other value: any of them may be its title."""
        held = np.flatnonzero(self._values[value])
        if not len(held) or self._values[:, held[0]].sum() != 1:
            return np.zeros(len(self._labels), np.bool_)
        return np.asarray(self._labels[:, held[0]], np.bool_)

    def together(self, value: int, label: int) -> bool:
        held = np.flatnonzero(self._values[value])
        return len(held) > 0 and bool(self._labels[label, held[0]])


def _under_header(by_label: Held, by_value: Held, rectangles: Boxes) -> Held:
    """Labels in the header strip of a card belong to the card beneath it: labels × rectangles."""
    added = np.zeros_like(by_label)
    strips = np.flatnonzero(by_label.any(axis=0) & ~by_value.any(axis=0)).tolist()
    for strip in strips:
        left, _, right, bottom = rectangles[strip].tolist()
        slack = max(6, (rectangles[strip, 3] - rectangles[strip, 1]) // 4)
        beneath = np.abs(rectangles[:, 1] - bottom) <= slack
        beneath &= (np.abs(rectangles[:, 0] - left) <= slack) & (np.abs(rectangles[:, 2] - right) <= slack)
        added[:, beneath] |= by_label[:, [strip]]
    return added


def frames(tokens: Sequence[Token], everything: Sequence[Token], rectangles: Boxes) -> Boxes:
    """The box of each token, or the rectangle drawn closely around it alone."""
    boxes = as_array([token.box for token in tokens])
    if not len(rectangles):
        return boxes
    held = holders(boxes, rectangles)
    alone = holders(as_array([token.box for token in everything]), rectangles).sum(axis=0) == 1
    tall = (boxes[:, 3] - boxes[:, 1])[:, None]
    wide = (boxes[:, 2] - boxes[:, 0])[:, None]
    close = (rectangles[:, 3] - rectangles[:, 1] <= 3.2 * tall) & (
        rectangles[:, 2] - rectangles[:, 0] <= np.maximum(8 * tall, 3 * wide)
    )
    fits = held & alone & close
    first = fits.argmax(axis=1)
    framed = boxes.copy()
    for index in np.flatnonzero(fits.any(axis=1)).tolist():
        frame = rectangles[first[index]]
        framed[index, :2] = np.minimum(boxes[index, :2], frame[:2])
        framed[index, 2:] = np.maximum(boxes[index, 2:], frame[2:])
    return framed
