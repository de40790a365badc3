"""How well a photo can be read, and what helps the reader before it looks.

Order: a picture that a program drew (a screenshot) is told apart first and counts as perfect; of a photo are then
measured sharpness, light, glare and the pattern of a photographed screen. A measure is only taken where a camera could
have caused it: a dark theme is not a dark photo, and a white page with sharp edges is not a reflection.

`clear_view` changes tones, never shapes: coordinates stay, and colours are judged on the pixels as they were taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Quality, say

__all__ = ["PERFECT", "clear_view", "is_drawn", "measure_quality"]

Pixels = NDArray[Any]
"""8 bits; three channels, or one for grey."""
Floats = NDArray[Any]

PERFECT = Quality(1.0, 1.0, 1.0, 1.0)
"""Of what no camera took."""
_STEP = 4
"""Every fourth pixel each way is enough to tell a drawing from a photo."""
_LAGS = (2, 4, 6)
"""In samples: a plane of one colour is equal this far to the right and down."""
_TONES = 6
"""Most frequent colours that a drawing is made of."""
_SEEN_PX = 1280
"""Longest side at which sharpness counts: finer detail is lost to the text detector anyway."""
_TILE = 96
_TILES = 16
_SMALL_PX = 320
"""Longest side on which areas of light are measured."""
_CLIPPED = 246
_SOFT_PART = 0.01
"""Part of the picture that has to fade into white before white counts as over-exposed."""
_PATTERN_TILE = 128
_PATTERN_TILES = 12
_FINE = 0.12
"""Cycles per pixel: patterns of 2 to 8 pixels are finer than strokes of text that can be read."""
_ALONE = 6.0
"""How far a frequency of a pattern stands out from those around it."""
_ADVISE = 0.35
"""Below this, the person should do something differently."""
_HELP = 0.5
"""Below this, the picture is changed before it is read; above, a change costs as many texts as it brings."""
_CAN_TELL = 0.35
"""Sharpness below which everything fades out, and light that fades says nothing."""

_CLOSER = say("照片模糊:拿稳、靠近一些再拍", "the photo is blurred: hold still, move closer")
_DARKER = say("曝光过度:降低曝光或避开强光再拍", "the photo is too bright: lower the exposure")
_LIGHTER = say("光线太暗:靠近一些,从侧面打光", "the photo is too dark: move closer, light from the side")
_GLARE = say("反光遮住了一部分:换个角度,从侧面打光", "a reflection hides a part: change the angle, light from the side")
_PATTERN = say(
    "屏幕条纹干扰:稍微改变距离或角度再拍", "the screen's pattern disturbs: change the distance or angle a little"
)


@dataclass(frozen=True, slots=True)
class _Areas:
    """Parts of the picture, 0 to 1."""

    clipped: float
    """So bright that nothing is left in it."""
    glare: float
    """Clipped areas that fade out as light does, and do not end at an edge as a white field does."""


def measure_quality(pixels: Pixels) -> Quality:
    """Sharpness, light, glare and moiré of a picture, with advice where one of them is bad.

    :param pixels: height × width × 3, RGB, 8 bits, of any size.
    """
    if is_drawn(pixels):
        return PERFECT
    grey = cv2.cvtColor(_reduced(pixels, _SEEN_PX), cv2.COLOR_RGB2GRAY)
    small = _sampled(pixels)
    areas = _bright_areas(small.min(axis=2))
    sharpness = _sharpness(grey)
    if sharpness < _CAN_TELL:
        areas = replace(areas, glare=0.0)
    dark = _ramp(float(np.percentile(small.max(axis=2), 99)), 60, 130)
    bright = _ramp(areas.clipped if areas.glare >= _SOFT_PART else 0.0, 0.6, 0.25)
    glare = _ramp(areas.glare, 0.06, 0.004)
    moire = 1.0 - _pattern_strength(pixels)
    faults = [
        (sharpness, _CLOSER),
        (dark, _LIGHTER),
        (bright, _DARKER),
        (glare, _GLARE),
        (moire, _PATTERN),
    ]
    worst_first = sorted((fault for fault in faults if fault[0] < _ADVISE), key=lambda fault: fault[0])
    return Quality(sharpness, min(dark, bright), glare, moire, tuple(advice for _, advice in worst_first))


def is_drawn(pixels: Pixels) -> bool:
    """Whether a program drew this: planes of exactly one colour, and few colours in all.

    White and black do not count as far as there is anything else, because a camera clips to them too.
    """
    part = pixels[::_STEP, ::_STEP].astype(np.uint32)
    height, width = part.shape[0] - max(_LAGS), part.shape[1] - max(_LAGS)
    if height < 8 or width < 8:
        return False
    colour = part[:, :, 0] << 16 | part[:, :, 1] << 8 | part[:, :, 2]
    here = colour[:height, :width]
    flat = np.ones(here.shape, bool)
    for lag in _LAGS:
        flat &= (colour[:height, lag : lag + width] == here) & (colour[lag : lag + height, :width] == here)
    between = (part.min(axis=2) < 250) & (part.max(axis=2) > 6)
    inside = between[:height, :width]
    planes = float((flat & inside).mean())
    tones = np.bincount((colour[between] * np.uint32(2654435761)) >> 16, minlength=1 << 16)
    few = float(np.partition(tones, -_TONES)[-_TONES:].sum()) / max(1, int(between.sum()))
    return (few >= 0.28 and planes >= 0.03) or (few >= 0.5 and planes >= 0.006)


def clear_view(pixels: Pixels, quality: Quality) -> Pixels:
    """What the reader should look at: the same picture, lighter, evenly lit and without the screen's pattern.

    :returns: the very same array where nothing has to be done.
    """
    view = pixels
    if quality.moire < _HELP:
        view = _without_pattern(view)
    if quality.light < _HELP and float(np.percentile(_sampled(view).max(axis=2), 99)) < 130:
        view = _lightened(view)
    return view


def _sampled(pixels: Pixels) -> Pixels:
    """The small picture that areas of light are measured on."""
    every = max(1, max(pixels.shape[:2]) // (2 * _SMALL_PX))
    return _reduced(pixels[::every, ::every], _SMALL_PX)


def _reduced(pixels: Pixels, longest_px: int) -> Pixels:
    """At most a third longer than this."""
    height, width = pixels.shape[:2]
    ratio = longest_px / max(height, width)
    if ratio >= 0.75:
        return pixels
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _ramp(value: float, bad: float, good: float) -> float:
    """0 at `bad`, 1 at `good`, straight between."""
    return min(1.0, max(0.0, (value - bad) / (good - bad)))


def _sharpness(grey: Pixels) -> float:
    """How much of an edge's height lies between two neighbouring pixels, on the strongest edges there are."""
    steps = []
    for tile in _busiest(grey):
        span = cv2.dilate(tile, np.ones((9, 9), np.uint8)).astype(np.float32) - cv2.erode(tile, np.ones((9, 9)))
        strong = span >= max(30.0, 0.7 * float(span.max()))
        if not strong.any():
            continue
        across = np.abs(np.diff(tile.astype(np.float32), axis=1, prepend=tile[:, :1]))
        down = np.abs(np.diff(tile.astype(np.float32), axis=0, prepend=tile[:1]))
        steepest = cv2.dilate(np.maximum(across, down), np.ones((5, 5), np.uint8))
        steps.append(float(np.percentile(steepest[strong] / span[strong], 75)))
    if not steps:
        return 1.0
    return _ramp(float(np.percentile(steps, 75)), 0.13, 0.34)


def _busiest(grey: Pixels) -> list[Pixels]:
    """The tiles with the most contrast, which are those with text and edges in them."""
    height, width = (max(1, side // _TILE) for side in grey.shape)
    tiles = [
        grey[row * _TILE : (row + 1) * _TILE, column * _TILE : (column + 1) * _TILE]
        for row in range(height)
        for column in range(width)
    ]
    return sorted(tiles, key=lambda tile: float(np.ptp(tile[::4, ::4])), reverse=True)[:_TILES]


def _bright_areas(level: Pixels) -> _Areas:
    clipped = (level >= _CLIPPED).astype(np.uint8)
    if not clipped.any():
        return _Areas(0.0, 0.0)
    near = level.astype(np.int16) - cv2.erode(level, np.ones((5, 5), np.uint8))
    far = level.astype(np.int16) - cv2.erode(level, np.ones((11, 11), np.uint8))
    rim = (clipped - cv2.erode(clipped, np.ones((3, 3), np.uint8))).astype(bool)
    fading = rim & (near >= 3) & (near <= 70) & (far - near >= 4)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(clipped, connectivity=8)
    rims = np.bincount(parts[rim], minlength=count)
    fadings = np.bincount(parts[fading], minlength=count)
    areas = stats[:, cv2.CC_STAT_AREA]
    large = areas >= 0.001 * level.size
    glares = large & (fadings >= 0.5 * np.maximum(rims, 1)) & (np.arange(count) > 0)
    return _Areas(float(clipped.mean()), float(areas[glares].sum()) / level.size)


def _pattern_strength(pixels: Pixels) -> float:
    """0 to 1: how many parts of the picture carry a fine regular pattern, and how strong it is."""
    found = [peak for peak in map(_peak, _spread_tiles(pixels)) if peak is not None]
    if not found:
        return 0.0
    return min(1.0, 2.0 * len(found) / _PATTERN_TILES) * min(1.0, float(np.median(found)) / 6.0)


def _spread_tiles(pixels: Pixels) -> list[Floats]:
    """Grey tiles on a grid over the middle of the picture."""
    height, width = pixels.shape[:2]
    if min(height, width) < _PATTERN_TILE:
        return []
    tops = np.linspace(0.12, 0.88, 3) * (height - _PATTERN_TILE)
    lefts = np.linspace(0.1, 0.9, _PATTERN_TILES // 3) * (width - _PATTERN_TILE)
    return [
        cv2.cvtColor(
            pixels[int(y) : int(y) + _PATTERN_TILE, int(x) : int(x) + _PATTERN_TILE], cv2.COLOR_RGB2GRAY
        ).astype(np.float32)
        for y in tops
        for x in lefts
    ]


def _peak(tile: Floats) -> float | None:
    """Height in grey levels of a lone peak among fine patterns of 2 to 8 pixels; None where there is none."""
    window = np.outer(np.hanning(_PATTERN_TILE), np.hanning(_PATTERN_TILE)).astype(np.float32)
    power = np.abs(np.fft.rfft2((tile - tile.mean()) * window)).astype(np.float32)
    rows = np.abs(np.fft.fftfreq(_PATTERN_TILE))[:, None]
    band = np.hypot(rows, np.fft.rfftfreq(_PATTERN_TILE)[None, :]) >= _FINE
    around = cv2.blur(power, (15, 15), borderType=cv2.BORDER_REFLECT)
    alone = np.where(band, power / np.maximum(around, 1e-3), 0.0)
    place = np.unravel_index(int(alone.argmax()), alone.shape)
    height = 2.0 * float(power[place]) / float(window.sum())
    return height if float(alone[place]) >= 10.0 and height >= 1.0 else None


def _without_pattern(pixels: Pixels) -> Pixels:
    """Without the frequencies that stand out alone from all around them; text has none that do."""
    rows, columns = pixels.shape[:2]
    size = cv2.getOptimalDFTSize(rows), cv2.getOptimalDFTSize(columns)
    kept = _notches(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), size)
    clean = np.empty_like(pixels)
    for channel in range(3):
        spectrum = cv2.dft(_padded(pixels[:, :, channel], size), flags=cv2.DFT_COMPLEX_OUTPUT)
        spectrum *= kept[:, :, None]
        plane = cv2.idft(spectrum, flags=cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)
        clean[:, :, channel] = np.clip(plane[:rows, :columns], 0, 255)
    return clean


def _notches(grey: Pixels, size: tuple[int, int]) -> Floats:
    """What is kept of every frequency, 0 to 1."""
    spectrum = cv2.dft(_padded(grey, size), flags=cv2.DFT_COMPLEX_OUTPUT)
    power = cv2.magnitude(spectrum[:, :, 0], spectrum[:, :, 1])
    fine = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])[None]) >= _FINE
    alone = fine & (power > _ALONE * cv2.blur(power, (41, 41)))
    wide = cv2.dilate(alone.astype(np.float32), np.ones((5, 5), np.uint8))
    return np.asarray(1.0 - np.clip(cv2.GaussianBlur(wide, (0, 0), 1.5), 0, 1), np.float32)


def _padded(plane: Pixels, size: tuple[int, int]) -> Floats:
    more = size[0] - plane.shape[0], size[1] - plane.shape[1]
    levels = np.ascontiguousarray(plane, np.float32)
    return np.asarray(cv2.copyMakeBorder(levels, 0, more[0], 0, more[1], cv2.BORDER_REPLICATE), np.float32)


def _lightened(pixels: Pixels) -> Pixels:
    """Stretched so that the brightest hundredth is bright, with a curve that lifts the shadows."""
    top = max(8.0, float(np.percentile(_sampled(pixels).max(axis=2), 99.5)))
    levels = np.clip(np.arange(256) / top, 0, 1) ** 0.8 * 255
    return np.asarray(cv2.LUT(pixels, levels.astype(np.uint8)), np.uint8)
