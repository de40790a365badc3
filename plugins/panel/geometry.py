"""Boxes: where things stand to each other, in pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from agent.api import Box

__all__ = [
    "centre",
    "height",
    "joined",
    "lines_of",
    "overlap_x",
    "overlap_y",
    "part_of",
    "same_line",
    "width",
]

T = TypeVar("T")


def width(box: Box) -> int:
    return box[2] - box[0]


def height(box: Box) -> int:
    return box[3] - box[1]


def centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def overlap_x(a: Box, b: Box) -> int:
    """Columns of pixels that both share; negative is the gap between them."""
    return min(a[2], b[2]) - max(a[0], b[0])


def overlap_y(a: Box, b: Box) -> int:
    """Rows of pixels that both share; negative is the gap between them."""
    return min(a[3], b[3]) - max(a[1], b[1])


def same_line(a: Box, b: Box) -> bool:
    """Both stand on one line of text, although their heights may differ."""
    return overlap_y(a, b) >= 0.5 * min(height(a), height(b))


def joined(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def part_of(box: Box, text: str, start: int, end: int) -> Box:
    """Where characters start to end of a run of text stand, by the usual widths of glyphs."""
    widths = [_glyph_width(character) for character in text]
    total = sum(widths) or 1.0
    before, within = sum(widths[:start]), sum(widths[start:end])
    left = box[0] + width(box) * before / total
    right = left + width(box) * within / total
    return round(left), box[1], max(round(left) + 1, round(right)), box[3]


def lines_of(items: Sequence[tuple[Box, T]]) -> list[list[tuple[Box, T]]]:
    """Group boxes into lines of text, from the top; each line from the left.

    A box belongs to a line when its middle lies within the line's first box, so that a slight slope does not
    chain two lines into one.
    """
    lines: list[list[tuple[Box, T]]] = []
    for item in sorted(items, key=lambda item: (centre(item[0])[1], item[0][0])):
        middle = centre(item[0])[1]
        for line in reversed(lines[-4:]):
            first = line[0][0]
            if first[1] <= middle < first[3] and same_line(first, item[0]):
                line.append(item)
                break
        else:
            lines.append([item])
    return [sorted(line, key=lambda item: item[0][0]) for line in lines]


def _glyph_width(character: str) -> float:
    if ord(character) >= 0x2E80:
        return 2.0
    return 0.6 if character in " .,:;'|!iIl" else 1.1
