"""Draws dials whose reading is known: sectors and rounds, as photographed and as HMIs draw them.

Everything is drawn at a fixed size, then seen through a camera: turned, tilted, shrunk, blurred, noisy, saved as JPEG.
The truth (value, numbers and where they stand) goes through the same camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from agent.api import Text

__all__ = ["Drawn", "Style", "draw", "random_style"]

Pixels = NDArray[np.uint8]
Color = tuple[int, int, int]
_SIDE = 1200
_FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansCondensed.ttf", "DejaVuSerif.ttf")
_SCALES = (
    (0, 450, 150), (0, 600, 200), (0, 10, 1), (0, 10, 2), (0, 1.6, 0.2), (0, 1.0, 0.2), (0, 60, 10), (0, 100, 10),
    (0, 100, 20), (0, 250, 50), (0, 500, 100), (0, 16, 2), (0, 25, 5), (0, 40, 5), (0, 4, 0.5), (0, 120, 20),
    (-30, 50, 10), (-20, 120, 20), (0, 300, 50), (0, 1500, 250), (0, 6, 1), (0, 2.5, 0.5), (15, 60, 5), (45, 55, 1),
    (-1, 5, 1), (0, 160, 20), (0, 750, 150), (0, 30, 5),
)  # fmt: skip
_FACES = ((245, 245, 240), (225, 232, 235), (250, 240, 215), (190, 205, 215))
_CAPTIONS = ("CP72-V", "GB/T7676-98", "CL.1.6", "EN 837-1", "KROHNE", "压力表", "Class 2.5")
_UNITS = ("V", "A", "kW", "Hz", "bar", "MPa", "kPa", "psi", "°C", "mA", "%", "r/min", "")


@dataclass(frozen=True, slots=True)
class Style:
    """What is drawn, and how it is photographed. Angles in degrees, clockwise from the right."""

    low: float = 0.0
    high: float = 10.0
    step: float = 2.0
    value: float = 4.0
    unit: str = "bar"
    start: float = 135.0
    sweep: float = 270.0
    pivot: tuple[float, float] = (0.5, 0.5)
    """As parts of the side."""
    radius: float = 0.36
    """Of the outer end of the ticks, as a part of the side."""
    minors: int = 5
    bend: float = 1.0
    """Exponent of the share of the scale: 1 is linear."""
    numbers_inside: bool = True
    second_scale: float = 0.0
    """Factor of a second scale further in; 0 is none."""
    face: Color = (245, 245, 240)
    ink: Color = (20, 20, 20)
    needle: Color = (15, 15, 15)
    needle_width: float = 0.012
    tapered: bool = True
    reach: float = 0.95
    """Of the needle, as a part of the radius."""
    tail: float = 0.25
    fat_tail: bool = False
    hub: float = 0.04
    case: str = "ring"
    """ring | square | none"""
    zones: bool = False
    second_needle: float | None = None
    """Value of another needle; None is none."""
    marker: bool = False
    """A red mark at the rim for the set point."""
    font: str = _FONTS[0]
    glyph: float = 0.055
    captions: tuple[str, ...] = ()
    around: Color = (120, 130, 125)
    shadow: float = 0.0
    glare: float = 0.0
    turn: float = 0.0
    tilt: float = 0.0
    """How far a corner moves, as a part of the side."""
    size_px: int = 400
    blur: float = 0.0
    noise: float = 0.0
    light: float = 1.0
    jpeg: int = 95
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture and its truth."""

    pixels: Pixels
    """RGB."""
    texts: tuple[Text, ...]
    """Numbers, unit and captions where they stand."""
    style: Style

    @property
    def span(self) -> float:
        return self.style.high - self.style.low


def random_style(seed: int) -> Style:
    """A dial as they come, and a photo as technicians take them."""
    dice = Random(seed)
    low, high, step = dice.choice(_SCALES)
    sector = dice.random() < 0.45
    dark = dice.random() < 0.2
    corner = sector and dice.random() < 0.6
    start, sweep = (180.0, 90.0) if corner else (225.0, 90.0) if sector else (135.0, 270.0)
    if not corner and dice.random() < 0.3:
        start, sweep = (210.0, 120.0) if sector else dice.choice([(150.0, 240.0), (180.0, 180.0), (120.0, 300.0)])
    count = (high - low) / step
    if (sector and count > 6) or count > 12:
        step *= 2 if (count / 2).is_integer() else 5 if (count / 5).is_integer() else 1
    ink = (235, 235, 235) if dark else (20, 20, 25)
    return Style(
        low=low, high=high, step=step, value=low + (high - low) * dice.uniform(-0.0, 1.0), unit=dice.choice(_UNITS),
        start=start, sweep=sweep, pivot=(0.70, 0.70) if corner else (0.5, 0.72) if sector else (0.5, 0.5),
        radius=dice.uniform(0.47, 0.52) if sector else dice.uniform(0.33, 0.42),
        minors=dice.choice([1, 2, 4, 5, 5, 10]), bend=dice.choice([1.0, 1.2, 1.5]) if sector else 1.0,
        numbers_inside=dice.random() < 0.8 or sector,
        second_scale=14.5 if not sector and dice.random() < 0.15 else 0.0,
        face=(25, 28, 30) if dark else dice.choice(_FACES),
        ink=ink, needle=dice.choice([ink, ink, ink, (200, 30, 25), (240, 110, 20) if dark else (20, 40, 120)]),
        needle_width=dice.uniform(0.006, 0.022), tapered=dice.random() < 0.6, reach=dice.uniform(0.82, 1.02),
        tail=dice.choice([0.0, 0.15, 0.3, 0.4]), fat_tail=dice.random() < 0.3, hub=dice.uniform(0.02, 0.07),
        case="square" if sector else dice.choice(["ring", "ring", "none", "square"]), zones=dice.random() < 0.25,
        marker=dice.random() < 0.1, font=dice.choice(_FONTS), glyph=dice.uniform(0.045, 0.065),
        captions=tuple(dice.sample(_CAPTIONS, 2)),
        around=dice.choice([(120, 130, 125), (205, 205, 200), (60, 70, 90)]),
        shadow=dice.choice([0.0, 0.0, 0.3]), glare=dice.choice([0.0, 0.0, 0.5]), turn=dice.uniform(-6, 6),
        tilt=dice.choice([0.0, 0.04, 0.08]), size_px=dice.choice([220, 260, 300, 400, 520, 640]),
        blur=dice.choice([0.0, 0.5, 0.9]), noise=dice.choice([0.0, 3.0, 6.0]), light=dice.uniform(0.6, 1.05),
        jpeg=dice.choice([55, 75, 92]), seed=seed,
    )  # fmt: skip


def draw(style: Style) -> Drawn:
    """Draw and photograph."""
    canvas = Image.new("RGB", (_SIDE, _SIDE), style.around)
    pen = ImageDraw.Draw(canvas)
    _draw_case(pen, style)
    _draw_zones(pen, style)
    _draw_ticks(pen, style)
    placed = _draw_texts(pen, style)
    shadow = Image.new("L", canvas.size, 0)
    _draw_needle(ImageDraw.Draw(shadow), style, 255, shift=0.012 * _SIDE)
    dark = np.asarray(shadow)[:, :, None] / 255.0 * style.shadow
    canvas = Image.fromarray((np.asarray(canvas) * (1 - dark)).astype(np.uint8))
    if style.marker:
        _draw_marker(ImageDraw.Draw(canvas), style)
    if style.second_needle is not None:
        _draw_needle(ImageDraw.Draw(canvas), replace(style, value=style.second_needle), style.needle)
    _draw_needle(ImageDraw.Draw(canvas), style, style.needle)
    return _photographed(np.asarray(canvas), placed, style)


def _angle(style: Style, value: float) -> float:
    share = (value - style.low) / (style.high - style.low)
    bent = math.copysign(abs(share) ** style.bend, share)
    return math.radians(style.start + style.sweep * bent)


def _at(style: Style, angle: float, part: float) -> tuple[float, float]:
    radius = style.radius * part
    return (
        (style.pivot[0] + radius * math.cos(angle)) * _SIDE,
        (style.pivot[1] + radius * math.sin(angle)) * _SIDE,
    )


def _draw_case(pen: ImageDraw.ImageDraw, style: Style) -> None:
    if style.case == "square":
        pen.rectangle([0.04 * _SIDE, 0.04 * _SIDE, 0.96 * _SIDE, 0.96 * _SIDE], fill=(25, 25, 28))
        pen.rectangle([0.09 * _SIDE, 0.09 * _SIDE, 0.91 * _SIDE, 0.91 * _SIDE], fill=style.face)
        return
    middle = (style.pivot[0] * _SIDE, style.pivot[1] * _SIDE)
    outer = (style.radius * 1.17 if style.numbers_inside else style.radius * 1.35) * _SIDE
    ring = 1.0 if style.case == "none" else 1.08
    for radius, color in ((outer * ring, (70, 72, 75)), (outer, style.face)):
        pen.ellipse([middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius], fill=color)


def _draw_zones(pen: ImageDraw.ImageDraw, style: Style) -> None:
    if not style.zones:
        return
    x, y, radius = style.pivot[0] * _SIDE, style.pivot[1] * _SIDE, style.radius * 1.0 * _SIDE
    box = [x - radius, y - radius, x + radius, y + radius]
    for first, last, color in ((0.0, 0.6, (60, 170, 70)), (0.6, 0.85, (235, 190, 40)), (0.85, 1.0, (205, 50, 45))):
        ends = [style.start + style.sweep * share for share in (first, last)]
        pen.arc(box, ends[0], ends[1], fill=color, width=int(0.02 * _SIDE))


def _draw_ticks(pen: ImageDraw.ImageDraw, style: Style) -> None:
    majors = round((style.high - style.low) / style.step)
    for index in range(majors * style.minors + 1):
        angle = _angle(style, style.low + index * style.step / style.minors)
        major = index % style.minors == 0
        ends = [_at(style, angle, 0.88 if major else 0.94), _at(style, angle, 1.0)]
        pen.line([*ends[0], *ends[1]], fill=style.ink, width=int((0.008 if major else 0.004) * _SIDE))


def _draw_texts(pen: ImageDraw.ImageDraw, style: Style) -> list[tuple[str, list[float]]]:
    placed = []
    majors = round((style.high - style.low) / style.step)
    ring = 0.88 - 0.13 * (0.36 / style.radius) ** 0.5 - 0.03 if style.numbers_inside else 1.16
    for index in range(majors + 1):
        value = style.low + index * style.step
        angle = _angle(style, value)
        placed.append(_put(pen, style, _number(value), _at(style, angle, ring), style.glyph))
        if style.second_scale:
            second = _number(round(value * style.second_scale))
            placed.append(_put(pen, style, second, _at(style, angle, ring - 0.25), style.glyph * 0.7))
    below = (
        (style.pivot[0] * _SIDE, (style.pivot[1] + style.radius * 0.5) * _SIDE)
        if style.sweep > 150
        else (0.2 * _SIDE, 0.2 * _SIDE)
    )
    if style.unit:
        placed.append(_put(pen, style, style.unit, below, style.glyph * 1.1))
    for index, caption in enumerate(style.captions):
        y = below[1] + (0.06 + 0.045 * index) * _SIDE if style.sweep > 150 else (0.82 + 0.045 * index) * _SIDE
        x = below[0] if style.sweep > 150 else 0.3 * _SIDE
        placed.append(_put(pen, style, caption, (x, y), 0.03))
    return placed


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".").replace("-0", "-0") if value else "0"


def _put(
    pen: ImageDraw.ImageDraw, style: Style, text: str, place: tuple[float, float], glyph: float
) -> tuple[str, list[float]]:
    chinese = any(ord(character) > 0x2E80 for character in text)
    shown = "P" if chinese else text
    font = ImageFont.truetype(style.font, int(glyph * _SIDE))
    pen.text(place, shown, fill=style.ink, font=font, anchor="mm")
    return shown, list(pen.textbbox(place, shown, font=font, anchor="mm"))


def _draw_marker(pen: ImageDraw.ImageDraw, style: Style) -> None:
    angle = _angle(style, style.low + 0.8 * (style.high - style.low))
    ends = [_at(style, angle + turn, part) for turn, part in ((0.0, 0.95), (0.04, 1.08), (-0.04, 1.08))]
    pen.polygon(ends, fill=(210, 30, 30))


def _draw_needle(pen: ImageDraw.ImageDraw, style: Style, fill: Color | int, shift: float = 0.0) -> None:
    angle = _angle(style, style.value)
    x, y = style.pivot[0] * _SIDE + shift, style.pivot[1] * _SIDE + shift
    along, across = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    half, reach = style.needle_width * _SIDE / 2, style.radius * style.reach * _SIDE
    tail, middle = style.radius * style.tail * _SIDE, np.array([x, y])
    base, tip = (1.6 * half, 0.3 * half) if style.tapered else (half, half)
    back = base * 3 if style.fat_tail else base
    outline = [
        middle + along * reach + across * tip, middle + across * base, middle - along * tail + across * back,
        middle - along * tail - across * back, middle - across * base, middle + along * reach - across * tip,
    ]  # fmt: skip
    pen.polygon([(float(p[0]), float(p[1])) for p in outline], fill=fill)
    hub = style.hub * _SIDE
    if not shift:
        pen.ellipse([x - hub, y - hub, x + hub, y + hub], fill=fill)


def _photographed(canvas: Pixels, placed: list[tuple[str, list[float]]], style: Style) -> Drawn:
    dice = np.random.default_rng(style.seed)
    side = style.size_px
    turn = cv2.getRotationMatrix2D((_SIDE / 2, _SIDE / 2), style.turn, 0.97)
    square = np.array([[0, 0], [_SIDE, 0], [_SIDE, _SIDE], [0, _SIDE]], np.float32)
    turned = square @ turn[:, :2].T + turn[:, 2]
    moved = turned + dice.uniform(-style.tilt, style.tilt, (4, 2)) * _SIDE
    warp = cv2.getPerspectiveTransform(square, (moved * side / _SIDE).astype(np.float32))
    shrunk = cv2.GaussianBlur(canvas, (0, 0), max(0.3, 0.35 * _SIDE / side))
    seen = cv2.warpPerspective(shrunk, warp, (side, side), borderValue=style.around).astype(np.float32)
    if style.glare:
        rows, columns = np.mgrid[0:side, 0:side] / side
        x, y = dice.uniform(0.2, 0.8, 2)
        seen += 255 * style.glare * np.exp(-(((columns - x) / 0.22) ** 2 + ((rows - y) / 0.12) ** 2))[:, :, None]
    seen = seen * style.light + dice.normal(0, max(style.noise, 1e-3), seen.shape)
    picture = np.clip(seen, 0, 255).astype(np.uint8)
    if style.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), style.blur * side / 300).astype(np.uint8)
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture), [cv2.IMWRITE_JPEG_QUALITY, style.jpeg])
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert pixels is not None
    return Drawn(pixels.astype(np.uint8), tuple(_seen_text(text, box, warp, side) for text, box in placed), style)


def _seen_text(text: str, box: list[float], warp: NDArray[np.float64], side: int) -> Text:
    left, top, right, bottom = box
    corners = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], np.float32)
    seen = np.clip(cv2.perspectiveTransform(corners, warp)[0], 0, side)
    low, high = np.floor(seen.min(axis=0)).astype(int), np.ceil(seen.max(axis=0)).astype(int)
    return Text(text, (int(low[0]), int(low[1]), int(high[0]), int(high[1])), 0.99)
