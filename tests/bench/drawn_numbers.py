"""Sheets of drawn numbers with known answers, for fitting and checking how far a read number can be trusted.

Each sheet has one theme, font, size, blur, noise and JPEG quality; its numbers have signs, decimals, units and
labels as panels print them. The same seed and fonts give the same sheets.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from agent.perception import Box

__all__ = ["Number", "Sheet", "font_files", "sheets"]

FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts")
THEMES = (
    ((255, 255, 255), (20, 20, 20)),
    ((240, 242, 245), (40, 60, 120)),
    ((192, 192, 192), (0, 0, 0)),
    ((18, 22, 34), (230, 235, 240)),
    ((10, 20, 60), (0, 230, 230)),
    ((0, 0, 0), (0, 255, 0)),
    ((20, 20, 20), (255, 190, 40)),
    ((40, 44, 52), (255, 90, 80)),
    ((200, 220, 240), (200, 30, 30)),
    ((0, 90, 150), (255, 255, 255)),
    ((230, 230, 230), (120, 120, 120)),
)
"""Ground and ink."""
UNITS = ("", "", "%", "bar", "°C", "Hz", "kPa", "mm", "A", "V", "rpm", "m³/h", "kW")
LABELS = ("Pressure", "Flow", "Level", "T1", "Speed", "Motor 3", "Supply", "Tank", "PV", "SP", "")
ROWS, COLUMNS = 10, 3


@dataclass(frozen=True, slots=True)
class Number:
    """One drawn number."""

    value: str
    unit: str
    box: Box
    """Of the value."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """An image with numbers on it."""

    pixels: NDArray[np.uint8]
    numbers: tuple[Number, ...]
    size_px: int
    """Of the font."""


def font_files(folders: Sequence[Path] = ()) -> list[Path]:
    """Fonts of these folders, or else of this machine, in a fixed order."""
    places = folders or [Path(folder) for folder in FONT_FOLDERS]
    found = [path for place in places for kind in ("ttf", "otf") for path in place.rglob(f"*.{kind}")]
    return sorted((path for path in found if "Math" not in path.name), key=lambda path: path.name)


def sheets(seed: int, count: int, fonts: Sequence[Path]) -> Iterator[Sheet]:
    """Draw sheets of 30 numbers each."""
    random = Random(seed)
    for _ in range(count):
        yield _sheet(random, fonts[random.randrange(len(fonts))])


def _sheet(random: Random, font_file: Path) -> Sheet:
    size = random.choice((8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 27, 30))
    ground, ink = random.choice(THEMES)
    font = ImageFont.truetype(str(font_file), size)
    step_x, step_y = 14 * size + 40, round(size * random.uniform(1.7, 3.0))
    image = Image.new("RGB", (COLUMNS * step_x + 20, ROWS * step_y + 30), ground)
    draw = ImageDraw.Draw(image)
    boxed, captions = random.random() < 0.3, random.random() < 0.6
    numbers = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            x, y = 10 + column * step_x + random.randrange(6), 12 + row * step_y
            if captions:
                label = random.choice(LABELS)
                draw.text((x, y), label, ink, font)
                x += round(draw.textlength(label, font)) + round(size * random.uniform(0.8, 2.0))
            value, unit = _value(random), random.choice(UNITS)
            left, top, right, bottom = (round(edge) for edge in draw.textbbox((x, y), value, font))
            if boxed:
                edge = (left - size // 3, y - size // 5, right + size // 3, y + round(size * 1.35))
                draw.rectangle(edge, outline=random.choice(((128, 128, 128), ink)))
            draw.text((x, y), value, ink, font)
            if unit:
                gap = random.choice((0.1, 0.3, 0.5)) + (0.6 if boxed else 0)
                draw.text((right + round(size * gap), y), unit, ink, font)
            numbers.append(Number(value.replace("\u2212", "-"), unit, (left, top, right, bottom)))
    return Sheet(_worn(random, np.asarray(image)), tuple(numbers), size)


def _value(random: Random) -> str:
    decimals = random.choice((0, 0, 1, 1, 1, 2, 2, 3))
    whole = random.choice(
        (random.randrange(10), random.randrange(100), random.randrange(1000), random.randrange(20000))
    )
    value = str(whole) if not decimals else f"{whole}.{random.randrange(10**decimals):0{decimals}d}"
    sign = random.choice(("", "", "", "", "", "-", "-", "+", "\u2212"))
    if sign == "" and random.random() < 0.06:
        value = value.zfill(5)
    return sign + value


def _worn(random: Random, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blur, noise, scale and JPEG, as screenshots, recordings and photos have them."""
    worn = pixels
    if random.random() < 0.35:
        worn = np.asarray(cv2.GaussianBlur(worn, (0, 0), random.uniform(0.3, 1.0)), np.uint8)
    if random.random() < 0.3:
        scale = random.uniform(0.75, 1.6)
        worn = np.asarray(cv2.resize(worn, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.uint8)
        worn = np.asarray(cv2.resize(worn, pixels.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8)
    if random.random() < 0.3:
        noise = np.random.default_rng(random.randrange(2**32)).normal(0, random.uniform(2, 9), worn.shape)
        worn = np.clip(worn + noise, 0, 255).astype(np.uint8)
    if random.random() < 0.6:
        packed = io.BytesIO()
        Image.fromarray(worn).save(packed, "JPEG", quality=random.randrange(30, 96))
        worn = np.asarray(Image.open(packed).convert("RGB"), np.uint8)
    return worn
