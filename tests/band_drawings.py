"""Draws bands that are filled to a value, and banded dials with turned numbers, as HMIs and dashboards draw them."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from agent.api import Text

__all__ = ["Band", "draw_band", "random_band"]

Pixels = NDArray[np.uint8]
Color = tuple[int, int, int]
_OVER = 3
_THEMES: tuple[tuple[Color, Color, Color], ...] = (
    ((255, 255, 255), (232, 232, 232), (40, 40, 40)),
    ((247, 247, 247), (225, 228, 232), (60, 60, 60)),
    ((12, 26, 50), (45, 60, 88), (220, 225, 230)),
    ((30, 34, 40), (70, 74, 80), (235, 235, 235)),
    ((235, 240, 245), (205, 212, 220), (20, 30, 40)),
)
"""Face, track, ink."""
_FILLS: tuple[Color, ...] = ((255, 90, 0), (60, 120, 220), (40, 180, 90), (200, 40, 50), (80, 80, 85), (240, 190, 20))
_FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansCondensed.ttf", "DejaVuSerif.ttf")


@dataclass(frozen=True, slots=True)
class Band:
    """What is drawn. Angles in degrees, clockwise from the right."""

    low: float = 0.0
    high: float = 100.0
    value: float = 60.0
    unit: str = "%"
    start: float = 180.0
    sweep: float = 180.0
    radius: float = 110.0
    """Of the outer edge, in pixels."""
    breadth: float = 0.2
    """Of the band, as a part of the radius."""
    theme: tuple[Color, Color, Color] = _THEMES[0]
    fill: Color = _FILLS[0]
    zones: tuple[tuple[float, Color], ...] = ()
    """Shares of the scale and the colours up to them; none is a fill."""
    needle: bool = False
    steps: int = 0
    """Numbers around it; 0 is only those at the ends."""
    turned: bool = False
    """The numbers around it are turned with it."""
    printed: str = ""
    """Value in the middle."""
    label: str = "Feed pressure"
    font: str = _FONTS[0]
    quality: int = 0
    """Of JPEG; 0 is none."""
    blur: float = 0.0


def draw_band(band: Band) -> tuple[Pixels, tuple[Text, ...]]:
    """The picture, and its texts where they stand upright."""
    side = round(3.4 * band.radius)
    face, track, ink = band.theme
    image = Image.new("RGB", (side * _OVER, side * _OVER), face)
    pen = ImageDraw.Draw(image)
    middle = side / 2, side / 2
    share = (band.value - band.low) / (band.high - band.low)
    parts = band.zones or ((share, band.fill), (1.0, track))
    _ring(pen, middle, band, parts, face)
    if band.needle:
        _needle(pen, middle, band, share, ink)
    small = max(11, round(0.12 * band.radius))
    words = [(band.label, middle[0], middle[1] - 1.45 * band.radius, round(1.2 * small), 0.0)]
    if band.printed:
        words.append((band.printed, middle[0], middle[1] - 0.12 * band.radius, round(2.0 * small), 0.0))
    words.append((band.unit, middle[0], middle[1] + 0.14 * band.radius, small, 0.0))
    words += _numbers(band, middle, small)
    texts = [text for word in words if (text := _write(image, band, *word))]
    pixels = np.asarray(image.resize((side, side), Image.Resampling.LANCZOS)).copy()
    if band.blur:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), band.blur), np.uint8)
    if band.quality:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=band.quality)
        pixels = np.asarray(Image.open(buffer)).copy()
    return pixels, tuple(texts)


def random_band(seed: int) -> Band:
    """A fill of some look, with its numbers at the ends or around it."""
    random = Random(seed)
    low, high = random.choice(((0, 100), (0, 30), (0, 6), (0, 500), (-40, 60), (0, 240), (20, 80), (0, 1600)))
    sweep = random.choice((180.0, 200.0, 220.0, 240.0, 270.0))
    return Band(
        low=low,
        high=high,
        value=low + (high - low) * random.uniform(0.05, 0.95),
        unit=random.choice(("%", "bar", "kPa", "V", "℃")),
        start=270 - sweep / 2,
        sweep=sweep,
        radius=random.uniform(55, 170),
        breadth=random.uniform(0.08, 0.4),
        theme=random.choice(_THEMES),
        fill=random.choice(_FILLS),
        steps=random.choice((0, 0, 4, 5)),
        font=random.choice(_FONTS),
        quality=random.choice((0, 0, 60, 85)),
        blur=random.choice((0.0, 0.0, 0.7)),
    )


def _ring(
    pen: ImageDraw.ImageDraw,
    middle: tuple[float, float],
    band: Band,
    parts: tuple[tuple[float, Color], ...],
    face: Color,
) -> None:
    before = 0.0
    for share, color in parts:
        first, last = (band.start + band.sweep * part for part in (before, share))
        pen.pieslice(_square(middle, band.radius), first, last, fill=color)
        before = share
    pen.ellipse(_square(middle, band.radius * (1 - band.breadth)), fill=face)


def _needle(pen: ImageDraw.ImageDraw, middle: tuple[float, float], band: Band, share: float, ink: Color) -> None:
    angle = math.radians(band.start + band.sweep * share)
    tip = [m + 0.97 * band.radius * part for m, part in zip(middle, (math.cos(angle), math.sin(angle)), strict=True)]
    ends = [(m * _OVER, t * _OVER) for m, t in zip(middle, tip, strict=True)]
    pen.line([(ends[0][0], ends[1][0]), (ends[0][1], ends[1][1])], fill=ink, width=round(0.035 * band.radius * _OVER))
    pen.ellipse(_square(middle, 0.06 * band.radius), fill=ink)


def _numbers(band: Band, middle: tuple[float, float], small: int) -> list[tuple[str, float, float, int, float]]:
    if not band.steps:
        inside = band.radius * (1 - band.breadth / 2)
        places = []
        for value, angle in ((band.low, band.start), (band.high, band.start + band.sweep)):
            x = middle[0] + inside * math.cos(math.radians(angle))
            y = middle[1] + inside * math.sin(math.radians(angle)) + 0.9 * small
            places.append((f"{value:g}", x, y, small, 0.0))
        return places
    found = []
    for step in range(band.steps + 1):
        share = step / band.steps
        angle = band.start + band.sweep * share
        far = band.radius + 1.2 * small
        x, y = (m + far * part for m, part in zip(middle, _direction(angle), strict=True))
        turn = angle - 270 if band.turned else 0.0
        found.append((f"{band.low + (band.high - band.low) * share:g}", x, y, small, turn))
    return found


def _write(image: Image.Image, band: Band, words: str, x: float, y: float, size: int, turn: float) -> Text | None:
    """Write centred; the text where it stands upright enough for a reader."""
    if not words:
        return None
    font = ImageFont.truetype(band.font, size * _OVER)
    left, top, right, bottom = font.getbbox(words)
    label = Image.new("L", (round(right - left) + 4, round(bottom - top) + 4), 0)
    ImageDraw.Draw(label).text((2 - left, 2 - top), words, fill=255, font=font)
    label = label.rotate(-turn, expand=True, resample=Image.Resampling.BICUBIC)
    place = round(x * _OVER - label.width / 2), round(y * _OVER - label.height / 2)
    image.paste(band.theme[2], (*place, place[0] + label.width, place[1] + label.height), label)
    if abs(turn) > 30:
        return None
    half = label.width / _OVER / 2 + 1, label.height / _OVER / 2 + 1
    return Text(words, (round(x - half[0]), round(y - half[1]), round(x + half[0]), round(y + half[1])), 0.99)


def _square(middle: tuple[float, float], radius: float) -> tuple[float, float, float, float]:
    return (
        (middle[0] - radius) * _OVER,
        (middle[1] - radius) * _OVER,
        (middle[0] + radius) * _OVER,
        (middle[1] + radius) * _OVER,
    )


def _direction(angle: float) -> tuple[float, float]:
    return math.cos(math.radians(angle)), math.sin(math.radians(angle))
