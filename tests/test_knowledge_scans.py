"""Scanned pages as they come out of a feeder: askew, on their side, on their head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from knowledge.formats.scan import read_scan

LINES = 8


@dataclass(frozen=True)
class Seen:
    text: str
    box: tuple[int, int, int, int]
    score: float


def page(degrees: float = 0.0) -> NDArray[np.uint8]:
    """Dark bars where lines of text would be, each with a block over its beginning, turned by so many degrees."""
    picture = np.full((1100, 800, 3), 255, np.uint8)
    for number in range(LINES):
        top = 150 + 100 * number
        cv2.rectangle(picture, (120, top), (500 + 20 * (number % 3), top + 14), (30, 30, 30), -1)
        cv2.rectangle(picture, (120, top - 8), (160, top), (30, 30, 30), -1)
    turn = cv2.getRotationMatrix2D((400, 550), degrees, 1.0)
    return np.asarray(cv2.warpAffine(picture, turn, (800, 1100), borderValue=(255.0, 255.0, 255.0)), np.uint8)


def read(pixels: NDArray[np.uint8]) -> Sequence[Seen]:
    """Reads each bar: surely where it lies level with its block at the left."""
    ink = np.asarray(pixels[..., 0] < 128, np.uint8)
    _, _, boxes, centres = cv2.connectedComponentsWithStats(ink)
    found = []
    for (left, top, width, height, area), (x, _) in zip(boxes[1:].tolist(), centres[1:].tolist(), strict=True):
        if area < 2_000:
            continue  # a bar that the edge of the band cuts
        is_right = width > height and height < 40 and x < left + width / 2
        box = (left, top, left + width, top + height)
        found.append(Seen(f"Line {round(width, -1)}", box, 0.95 if is_right else 0.5))
    return found


@pytest.mark.parametrize("degrees", [0.0, 0.2, -1.5, 3.0, -7.0, 12.0])
def test_a_page_that_lies_askew_is_straightened(degrees: float) -> None:
    """Lines are read level, whichever way the page leans; a page that lies level is read as it is."""
    seen: list[NDArray[np.uint8]] = []

    def reader(pixels: NDArray[np.uint8]) -> Sequence[Seen]:
        seen.append(pixels)
        return read(pixels)

    assert len(read_scan(page(degrees), reader, 0.9)) == LINES
    assert (seen[0].shape[1] == 800) == (abs(degrees) < 0.4)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_page_is_turned_the_way_it_is_read_best(quarters: int) -> None:
    """A page that was fed in on its side or on its head is read upright; one that is upright is read once."""
    bands: list[int] = []

    def reader(pixels: NDArray[np.uint8]) -> Sequence[Seen]:
        bands.append(len(pixels))
        return read(pixels)

    lines = read_scan(np.ascontiguousarray(np.rot90(page(), quarters)), reader, 0.9)
    assert len(lines) == LINES
    assert (len(bands) == 2) == (quarters == 0)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    seed=st.integers(0, 99),
    turned=st.booleans(),
    dark=st.booleans(),
)
def test_any_picture_is_swallowed(height: int, width: int, seed: int, turned: bool, dark: bool) -> None:
    """Noise, a single pixel or a black sheet: what the reader gives comes out, and nothing else."""
    drawn = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    picture = np.zeros_like(drawn) if dark else drawn

    def reader(pixels: NDArray[np.uint8]) -> Sequence[Seen]:
        return [Seen("text", (0, 0, 2, 9) if turned else (0, 0, 9, 2), 0.7)]

    assert {line.text for line in read_scan(picture, reader, 0.6)} <= {"text"}
