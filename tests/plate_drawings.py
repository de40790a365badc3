"""Type plates drawn from seeds: what is printed on them is known, and what dirt, glare and slant do to the photo.

Two forms: a grid of labels with values beside them, and rows of several pairs. Chinese, English, or both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from agent.reports.glyphs import FONT_FILE
from tests.photo_scenes import Damage, photograph

__all__ = ["PLATES", "Plate", "draw_plate", "plate_photo"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Plate:
    """What is printed, and what happened to it."""

    title: str
    maker: str
    rows: tuple[tuple[tuple[str, str], ...], ...]
    """Rows of (label, value with its unit)."""
    truth: Mapping[str, str]
    """Field → value as it should be read; what is not named is not judged."""
    listed: bool
    """Whether the type stands on the example's list."""
    damage: Damage
    dirt: int = 0
    """Blots and scratches."""
    dark: bool = False
    """White on black instead of black on metal."""
    burnt: tuple[int, int, int] | None = None
    """A reflection on the plate itself: x, y and radius in its pixels."""


def draw_plate(plate: Plate, seed: int) -> Pixels:
    """The plate itself, straight, in RGB."""
    chance = np.random.default_rng(seed)
    width, row_height = 1000, 74
    height = 190 + row_height * len(plate.rows) + 70
    metal = np.clip(chance.normal(0, 5, (height, width, 1)) + np.linspace(205, 178, width)[None, :, None], 0, 255)
    base = np.repeat(metal, 3, axis=2).astype(np.uint8)
    if plate.dark:
        base = (base // 5).astype(np.uint8)
    image = Image.fromarray(base)
    draw = ImageDraw.Draw(image)
    ink = (232, 232, 228) if plate.dark else (22, 22, 26)
    draw.rounded_rectangle((10, 10, width - 11, height - 11), 24, outline=ink, width=4)
    for x, y in ((34, 34), (width - 34, 34), (34, height - 34), (width - 34, height - 34)):
        draw.ellipse((x - 12, y - 12, x + 12, y + 12), fill=(120, 118, 112), outline=(70, 70, 70), width=2)
    title, text = _font(52), _font(34)
    draw.text((width / 2, 66), plate.title, ink, title, anchor="mm")
    for number, row in enumerate(plate.rows):
        _draw_row(draw, row, 120 + number * row_height, width, row_height, ink, text)
    draw.text((width / 2, height - 66), plate.maker, ink, _font(38), anchor="mm")
    return _burnt(_soiled(np.asarray(image).copy(), plate.dirt, chance), plate.burnt)


def plate_photo(plate: Plate, seed: int) -> Pixels:
    """A photo of it."""
    return photograph(draw_plate(plate, seed), seed, plate.damage).pixels


def _draw_row(
    draw: ImageDraw.ImageDraw,
    row: Sequence[tuple[str, str]],
    top: int,
    width: int,
    height: int,
    ink: tuple[int, int, int],
    font: ImageFont.FreeTypeFont,
) -> None:
    left, cell = 50, (width - 100) / len(row)
    for i, (label, value) in enumerate(row):
        x = left + i * cell
        draw.rectangle((x, top, x + cell, top + height), outline=ink, width=2)
        draw.text((x + 14, top + height / 2), label, ink, font, anchor="lm")
        begin = x + 14 + draw.textlength(label, font) + 22
        draw.text((begin, top + height / 2), value, ink, font, anchor="lm")


def _soiled(pixels: Pixels, amount: int, chance: np.random.Generator) -> Pixels:
    """Oil blots that darken, scratches that are bright; thin enough that a person still reads most of it."""
    height, width = pixels.shape[:2]
    stain = np.ones((height, width), np.float32)
    for _ in range(amount):
        at = (int(chance.integers(0, width)), int(chance.integers(0, height)))
        axes = (int(chance.integers(12, 60)), int(chance.integers(8, 34)))
        cv2.ellipse(stain, at, axes, float(chance.uniform(0, 180)), 0, 360, float(chance.uniform(0.6, 0.9)), -1)
    stain = cv2.GaussianBlur(stain, (0, 0), 5)
    made = (pixels * stain[..., None]).astype(np.uint8)
    for _ in range(amount // 2):
        begin = (int(chance.integers(0, width)), int(chance.integers(0, height)))
        end = (begin[0] + int(chance.integers(-160, 160)), begin[1] + int(chance.integers(-60, 60)))
        cv2.line(made, begin, end, (225, 224, 220), 1, cv2.LINE_AA)
    return made


def _burnt(pixels: Pixels, spot: tuple[int, int, int] | None) -> Pixels:
    """With a reflection that shows nothing in its middle."""
    if spot is None:
        return pixels
    light = np.zeros(pixels.shape[:2], np.float32)
    cv2.circle(light, spot[:2], spot[2], 1.0, -1)
    light = cv2.GaussianBlur(light, (0, 0), spot[2] / 4)[..., None]
    return np.clip(pixels + 330.0 * light, 0, 255).astype(np.uint8)


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT_FILE), size)


def _motor_zh(
    kind: str, kw: str, amps: str, rpm: str, serial: str, date: str, maker: str, *, volts: str = "380"
) -> tuple[str, tuple[tuple[tuple[str, str], ...], ...], str, dict[str, str]]:
    rows = (
        (("型号", kind), ("编号", serial)),
        (("功率", f"{kw} kW"), ("电压", f"{volts} V"), ("电流", f"{amps} A")),
        (("转速", f"{rpm} r/min"), ("频率", "50 Hz"), ("接法", "△")),
        (("绝缘等级", "F"), ("防护等级", "IP55"), ("工作制", "S1")),
        (("出厂日期", date),),
    )
    truth = {
        "type": kind, "serial": serial, "power": f"{kw} kW", "voltage": f"{volts} V", "current": f"{amps} A",
        "speed": f"{rpm} r/min", "frequency": "50 Hz", "protection": "IP55", "insulation": "F", "year": date[:4],
        "maker": maker,
    }  # fmt: skip
    return "三相异步电动机", rows, maker, truth


def _motor_en(
    kind: str, kw: str, amps: str, rpm: str, serial: str, year: str, maker: str, *, volts: str = "400"
) -> tuple[str, tuple[tuple[tuple[str, str], ...], ...], str, dict[str, str]]:
    rows = (
        (("TYPE", kind), ("SERIAL NO.", serial)),
        (("POWER", f"{kw} kW"), ("VOLTAGE", f"{volts} V"), ("CURRENT", f"{amps} A")),
        (("SPEED", f"{rpm} r/min"), ("FREQ.", "50 Hz"), ("DUTY", "S1")),
        (("INS. CLASS", "F"), ("IP CODE", "IP55"), ("YEAR", year)),
    )
    truth = {
        "type": kind, "serial": serial, "power": f"{kw} kW", "voltage": f"{volts} V", "current": f"{amps} A",
        "speed": f"{rpm} r/min", "frequency": "50 Hz", "protection": "IP55", "insulation": "F", "year": year,
        "maker": maker,
    }  # fmt: skip
    return "THREE-PHASE INDUCTION MOTOR", rows, maker, truth


_PLAIN = Damage(fill=0.8)
_Spot = tuple[int, int, int]


def _zh(
    listed: bool, *said: str, damage: Damage = _PLAIN, dirt: int = 0, dark: bool = False, burnt: _Spot | None = None
) -> Plate:
    title, rows, maker, truth = _motor_zh(*said)
    return Plate(title, maker, rows, truth, listed, damage, dirt, dark, burnt)


def _en(
    listed: bool, *said: str, damage: Damage = _PLAIN, dirt: int = 0, dark: bool = False, burnt: _Spot | None = None
) -> Plate:
    title, rows, maker, truth = _motor_en(*said)
    return Plate(title, maker, rows, truth, listed, damage, dirt, dark, burnt)


_TILTED = Damage(fill=0.8, tilt=0.08, roll=4, noise=3)
_SHINY = Damage(fill=0.8, tilt=0.04, glare=0.10, noise=3)
_FAR = Damage(fill=0.55, tilt=0.05, roll=-3, blur=0.8, noise=4)
_DIM = Damage(fill=0.75, light=0.55, gradient=0.4, noise=6, quality=70)
_LOST = Damage(fill=0.22, blur=4.5, noise=12, light=0.4, quality=30)
_HUADONG, _NORTH = "华东电机制造有限公司", "NORTHFIELD MOTORS LTD"

PLATES: tuple[Plate, ...] = (
    _zh(True, "Y2-132M-4", "7.5", "15.4", "1440", "090317", "2009-03", _HUADONG),
    _zh(False, "Y2-132M1-4", "7.5", "15.4", "1440", "110452", "2011-05", _HUADONG, damage=_TILTED),
    _zh(True, "JO2-42-4", "5.5", "11.3", "1440", "78216", "1978-06", "红星电机厂", dirt=14),
    _zh(False, "YE3-132M-4", "7.5", "14.4", "1460", "210833", "2021-08", _HUADONG, damage=_SHINY),
    _zh(True, "Y160M-4", "11", "22.6", "1460", "040911", "2004-09", _HUADONG, damage=_FAR),
    _zh(False, "YE4-160M-4", "11", "21.1", "1475", "230104", "2023-01", _HUADONG, damage=_DIM),
    _zh(True, "Y2-160L-4", "15", "30.3", "1460", "080722", "2008-07", _HUADONG, damage=_TILTED, dirt=10),
    _zh(False, "Y160M-4W", "11", "22.6", "1460", "050423", "2005-04", _HUADONG, burnt=(312, 157, 22)),
    _zh(False, "YX3-132S-4", "5.5", "11.2", "1450", "150618", "2015-06", _HUADONG, damage=_SHINY, dirt=8),
    _zh(True, "Y132S-4", "5.5", "11.6", "1440", "030215", "2003-02", _HUADONG, damage=_TILTED, dark=True),
    _en(True, "Y2-132M-4", "7.5", "15.0", "1440", "N40817", "2010", _NORTH),
    _en(False, "Y2-132M2-4", "7.5", "15.0", "1440", "N40818", "2010", _NORTH, damage=_TILTED),
    _en(False, "NX3-132M-4", "7.5", "14.1", "1465", "N77120", "2019", _NORTH, damage=_SHINY),
    _en(True, "JO2-51-4", "7.5", "15.1", "1450", "63301", "1979", "REDSTAR ELECTRIC WORKS", dirt=14),
    _en(False, "NX4-160L-4", "15", "27.4", "1475", "N90233", "2024", _NORTH, damage=_FAR),
    _en(True, "Y160L-4", "15", "30.1", "1460", "N20456", "2005", _NORTH, damage=_DIM),
    _en(False, "YB2-132M-4", "7.5", "15.2", "1440", "EX1093", "2012", _NORTH, damage=_TILTED, dirt=10),
    _en(False, "Y160L-4WF", "15", "30.1", "1460", "N20477", "2005", _NORTH, damage=_TILTED, burnt=(318, 157, 28)),
    _zh(True, "Y2-132M-4", "7.5", "15.4", "1440", "090318", "2009-03", _HUADONG, damage=_LOST),
    _en(True, "Y160M-4", "11", "22.3", "1460", "N20457", "2005", _NORTH, damage=_LOST, dirt=30),
)
"""Twenty. Two have a reflection on the end of their type, where what is left of it is another type that is listed; the
last two cannot be read by anybody."""
