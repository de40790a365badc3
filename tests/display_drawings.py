"""Draws seven-segment displays and mechanical counters of many makes, as a camera sees them.

Everything is drawn from a seeded generator: one seed is one picture. `Drawn.shown` is what a person reads on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

LIT = {
    "0": "abcdef", "1": "bc", "2": "abdeg", "3": "abcdg", "4": "bcfg", "5": "acdfg", "6": "acdefg", "7": "abc",
    "8": "abcdefg", "9": "abcdfg", "-": "g", " ": "", "E": "adefg", "r": "eg", "H": "bcefg", "L": "def", "o": "cdeg",
    "C": "adef", "P": "abefg", "F": "aefg",
}  # fmt: skip
LCD = (((150, 165, 140), (35, 40, 35)), ((170, 175, 170), (50, 50, 55)), ((120, 130, 120), (30, 30, 30)),
       ((190, 200, 150), (60, 65, 50)), ((140, 150, 160), (70, 75, 85)), ((40, 70, 200), (235, 240, 255)))  # fmt: skip
LED = (((20, 8, 8), (255, 40, 30)), ((10, 15, 10), (60, 255, 80)), ((15, 15, 10), (255, 190, 40)),
       ((10, 10, 25), (90, 150, 255)), ((25, 25, 25), (240, 250, 255)))  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A picture and the truth about it."""

    pixels: Pixels
    shown: str
    label: str
    kind: str


@dataclass(frozen=True)
class Shape:
    """How the digits of a make look, in heights of a digit."""

    width: float
    thick: float
    gap: float
    slant: float
    space: float
    """Between two digits."""
    blunt: bool
    """Segments end square instead of pointed."""


def random_value(rng: np.random.Generator) -> str:
    """With or without a point, a minus, leading blanks."""
    digits = int(rng.integers(2, 7))
    text = "".join(str(d) for d in rng.integers(0, 10, digits))
    if rng.random() < 0.65:
        point = int(rng.integers(1, digits))
        text = f"{text[:point]}.{text[point:]}"
    return f"-{text}" if rng.random() < 0.15 else text


def random_shape(rng: np.random.Generator) -> Shape:
    thick = float(rng.uniform(0.09, 0.18))
    return Shape(
        width=float(rng.uniform(0.46, 0.64)),
        thick=thick,
        gap=float(rng.uniform(0.012, 0.045)),
        slant=float(rng.choice([0.0, 0.0, rng.uniform(0.03, 0.2)])),
        space=float(rng.uniform(0.18, 0.4)) + thick * 0.5,
        blunt=bool(rng.random() < 0.25),
    )


def ink_of(text: str, shape: Shape, height: int, ghost: float) -> Floats:
    """Digits as ink from 0 to 1, with a margin of half a height around."""
    cells = sum(character not in ".:" for character in text)
    pitch = shape.width + shape.space
    margin = height // 2
    wide = round(cells * pitch * height) + 2 * margin
    ink = np.zeros((height + 2 * margin, wide), np.float32)
    place = 0
    for index, character in enumerate(text):
        left = margin + place * pitch * height
        if character in ".:":
            _mark(ink, character, left - shape.space * height / 2, margin, height, shape)
            continue
        for segment in "abcdefg":
            strength = 1.0 if segment in LIT[character] else ghost
            if strength > 0 and not (index == 0 and character == "-" and segment != "g"):
                _fill(ink, _corners(segment, shape, height) + np.array([left, margin]), strength)
        place += 1
    if shape.slant:
        slide = np.array([[1, -shape.slant, shape.slant * ink.shape[0] / 2], [0, 1, 0]], np.float64)
        ink = np.asarray(cv2.warpAffine(ink, slide, (ink.shape[1], ink.shape[0])), np.float32)
    return ink


def _corners(segment: str, shape: Shape, height: int) -> NDArray[np.float64]:
    """Of one segment, in pixels from the digit's upper left corner."""
    w, t, g = shape.width, shape.thick, shape.gap
    tip = 0.0 if shape.blunt else t / 2
    inset = t + g if shape.blunt else t / 2 + g
    if segment in "adg":
        y = {"a": t / 2, "g": 0.5, "d": 1 - t / 2}[segment]
        a, b = inset, w - inset
        points = [
            (a, y),
            (a + tip, y - t / 2),
            (b - tip, y - t / 2),
            (b, y),
            (b - tip, y + t / 2),
            (a + tip, y + t / 2),
        ]
    else:
        x = t / 2 if segment in "ef" else w - t / 2
        a, b = (inset, 0.5 - g) if segment in "bf" else (0.5 + g, 1 - inset)
        if shape.blunt:
            a, b = (t * 0.2, 0.5 - g) if segment in "bf" else (0.5 + g, 1 - t * 0.2)
        points = [
            (x, a),
            (x + t / 2, a + tip),
            (x + t / 2, b - tip),
            (x, b),
            (x - t / 2, b - tip),
            (x - t / 2, a + tip),
        ]
    return np.array(points) * height


def _mark(ink: Floats, character: str, centre: float, top: int, height: int, shape: Shape) -> None:
    size = shape.thick * height
    for at in (1 - shape.thick / 2,) if character == "." else (0.33, 0.67):
        y = top + at * height
        square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size / 2 + [centre, y]
        _fill(ink, square, 1.0)


def _fill(ink: Floats, corners: NDArray[np.float64], strength: float) -> None:
    cv2.fillPoly(ink, [np.rint(corners * 16).astype(np.int32)], strength, lineType=cv2.LINE_AA, shift=4)


def draw_display(seed: int, glyphs: Callable[[str, int, np.random.Generator], Floats] | None = None) -> Drawn:
    """A display in its bezel with a caption, photographed.

    :param glyphs: draws the digits instead of this module: text and height → ink.
    """
    rng = np.random.default_rng(seed)
    text = random_value(rng)
    height = int(rng.integers(28, 170))
    led = bool(rng.random() < 0.5)
    ghost = 0.0 if rng.random() < 0.4 else float(rng.uniform(0.03, 0.22))
    ink = glyphs(text, height, rng) if glyphs else ink_of(text, random_shape(rng), height, ghost)
    dark, bright = (LED if led else LCD)[int(rng.integers(len(LED if led else LCD)))]
    if led:
        glow = cv2.GaussianBlur(ink, (0, 0), height * 0.06)
        ink = np.maximum(ink, glow * float(rng.uniform(0.2, 0.7)))
    paint = np.asarray(dark, np.float32) + ink[:, :, None] * (np.asarray(bright, np.float32) - np.asarray(dark))
    label = str(rng.choice(["VOLTS", "LITRES", "Temp", "Zone 1", "AMPS", "Flow", "PV"]))
    scene = _in_bezel(rng, np.asarray(paint, np.float32), label, height)
    return Drawn(photographed(rng, scene, height), text, label, "display")


def _in_bezel(rng: np.random.Generator, paint: Floats, label: str, height: int) -> Floats:
    """On a case, with a rim and the caption below or above."""
    high, wide = paint.shape[:2]
    border = int(height * rng.uniform(0.9, 1.8))
    case = rng.uniform(15, 235) * np.array([1.0, rng.uniform(0.9, 1.0), rng.uniform(0.85, 1.05)])
    scene = np.ones((high + 2 * border, wide + 2 * border, 3), np.float32) * case.astype(np.float32)
    rim = max(1, height // 12)
    scene[border - rim : border + high + rim, border - rim : border + wide + rim] = rng.uniform(5, 60)
    scene[border : border + high, border : border + wide] = paint
    picture = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    font = ImageFont.load_default(max(12, height * 0.35))
    y = border + high + 0.3 * height if rng.random() < 0.7 else border - 0.75 * height
    colour = (240, 240, 240) if case.mean() < 120 else (20, 20, 20)
    ImageDraw.Draw(picture).text((border + 0.5 * height, y), label, font=font, fill=colour)
    return np.asarray(picture, np.float32)


def draw_counter(seed: int) -> Drawn:
    """Drums in a window, the last ones perhaps red."""
    rng = np.random.default_rng(seed)
    drums, red = int(rng.integers(5, 9)), int(rng.integers(0, 4))
    height = int(rng.integers(26, 90))
    digits = "".join(str(d) for d in rng.integers(0, 10, drums))
    pitch, high = round(height * rng.uniform(0.85, 1.25)), round(height * 1.7)
    light = bool(rng.random() < 0.7)
    picture = Image.new("RGB", (drums * pitch, high))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(height * 1.35)
    for index, digit in enumerate(digits):
        is_red = index >= drums - red
        ground = ((20, 20, 22) if not is_red else (150, 25, 25)) if light else (225, 222, 210)
        colour = (235, 235, 230) if light else ((190, 20, 20) if is_red else (25, 25, 25))
        draw.rectangle((index * pitch, 0, (index + 1) * pitch - 1, high), fill=ground)
        draw.text((index * pitch + pitch / 2, high / 2), digit, font=font, fill=colour, anchor="mm")
        seam = (90, 90, 92) if light else (70, 70, 70)
        draw.line((index * pitch, 0, index * pitch, high), fill=seam, width=max(1, height // 14))
    label = str(rng.choice(["m3", "kWh", "Total", "HOURS"]))
    scene = _in_bezel(rng, np.asarray(picture, np.float32), label, height)
    shown = f"{digits[:-red]}.{digits[-red:]}" if red else digits
    return Drawn(photographed(rng, scene, height), shown, label, "counter")


def photographed(rng: np.random.Generator, scene: Floats, height: int) -> Pixels:
    """Perspective, uneven light, glare, blur, noise, JPEG; milder where digits are small."""
    high, wide = scene.shape[:2]
    shift = 0.05 * min(high, wide)
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, corners + rng.uniform(-shift, shift, (4, 2)).astype(np.float32))
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), float(rng.uniform(-5, 5)), 1.0)
    matrix = np.vstack([turn, [0, 0, 1]]) @ matrix
    image = cv2.warpPerspective(scene, matrix, (wide, high), borderMode=cv2.BORDER_REPLICATE)
    ramp = np.linspace(rng.uniform(0.7, 1), rng.uniform(0.7, 1), wide, dtype=np.float32)
    image = image * ramp[None, :, None]
    if rng.random() < 0.3:
        spot = np.zeros((high, wide), np.float32)
        place = (int(rng.integers(wide)), int(rng.integers(high)))
        cv2.circle(spot, place, int(height * rng.uniform(0.3, 0.9)), float(rng.uniform(20, 110)), -1)
        image = image + cv2.GaussianBlur(spot, (0, 0), height * 0.2)[:, :, None]
    image = cv2.GaussianBlur(image, (0, 0), max(0.4, height * float(rng.uniform(0.003, 0.025))))
    image = image + rng.normal(0, rng.uniform(1, 7), image.shape)
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    quality = int(rng.integers(45, 95))
    encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
