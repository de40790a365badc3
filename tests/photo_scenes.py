"""Photos of panels as a hand-held camera takes them: a screen in a scene, and what light, lens and sensor do to it.

Everything is drawn from a seed, so that a failing scene can be drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Damage", "Shot", "draw_background", "photograph"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Damage:
    """What goes wrong between the panel and the file."""

    tilt: float = 0.0
    """How far corners move, as a part of the panel's sides: 0.1 is a strong slant."""
    roll: float = 0.0
    """Degrees that the camera is rolled."""
    fill: float = 0.7
    """Part of the frame's width that the panel takes."""
    blur: float = 0.0
    """Sigma of the lens blur in pixels."""
    light: float = 1.0
    """Brightness; 1.0 keeps it."""
    gradient: float = 0.0
    """How much darker one side of the scene is."""
    glare: float = 0.0
    """Radius of a reflection, as a part of the frame's width."""
    noise: float = 2.0
    """Sigma of the sensor's noise in grey levels."""
    moire: float = 0.0
    """How deep the pixel grid of the screen cuts, 0 to 1."""
    quality: int = 88
    """Of the JPEG file."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo, and where the panel is in it."""

    pixels: Pixels
    corners: NDArray[np.float32]
    """The panel's corners in the photo, clockwise from its upper left."""
    matrix: NDArray[np.float64]
    """Panel pixels → photo pixels."""


def photograph(panel: Pixels, seed: int, damage: Damage, size: tuple[int, int] = (1600, 1200)) -> Shot:
    """Take a photo of a panel.

    :param size: width and height of the photo.
    """
    chance = np.random.default_rng(seed)
    corners = _corners(panel, chance, damage, size)
    flat = np.array([[0, 0], [panel.shape[1], 0], [panel.shape[1], panel.shape[0]], [0, panel.shape[0]]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners)
    scene = draw_background(chance, size)
    _bezel(scene, corners, chance)
    scene = _placed(scene, panel, matrix, damage)
    lit = _lit(scene.astype(np.float32), chance, damage)
    if damage.blur:
        lit = cv2.GaussianBlur(lit, (0, 0), damage.blur)
    lit += chance.normal(0, damage.noise, lit.shape).astype(np.float32) if damage.noise else 0
    return Shot(_filed(np.clip(lit, 0, 255).astype(np.uint8), damage.quality), corners, matrix)


def draw_background(chance: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """A wall: one colour with stains, grain and some straight edges of other things."""
    width, height = size
    stains = cv2.resize(chance.normal(0, 1, (6, 8)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    grain = chance.normal(0, 1, (height, width)).astype(np.float32)
    grey = stains * chance.uniform(3, 18) + cv2.GaussianBlur(grain, (0, 0), 1.5) * chance.uniform(2, 12)
    scene = np.clip(grey[:, :, None] + chance.integers(40, 200, 3), 0, 255).astype(np.uint8)
    for _ in range(int(chance.integers(0, 5))):
        ends = chance.integers(0, (width, height), (2, 2))
        colour = [int(level) for level in chance.integers(20, 230, 3)]
        cv2.line(scene, ends[0].tolist(), ends[1].tolist(), colour, int(chance.integers(2, 30)), cv2.LINE_AA)
    return scene


def _corners(panel: Pixels, chance: np.random.Generator, damage: Damage, size: tuple[int, int]) -> NDArray[np.float32]:
    width = size[0] * damage.fill
    height = width * panel.shape[0] / panel.shape[1]
    if height > size[1] * damage.fill:
        width, height = width * size[1] * damage.fill / height, size[1] * damage.fill
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64) * [width / 2, height / 2]
    square += chance.uniform(-1, 1, (4, 2)) * damage.tilt * [width, height]
    angle = np.deg2rad(damage.roll)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (square @ turn + np.array(size) / 2).astype(np.float32)


def _bezel(scene: Pixels, corners: NDArray[np.float32], chance: np.random.Generator) -> None:
    middle = corners.mean(axis=0)
    colour = [int(level) for level in np.repeat(chance.integers(15, 70), 3)]
    cv2.fillConvexPoly(scene, (middle + (corners - middle) * 1.07).astype(np.int32), colour, cv2.LINE_AA)


def _placed(scene: Pixels, panel: Pixels, matrix: NDArray[np.float64], damage: Damage) -> Pixels:
    """The panel in the scene; with moiré, its glowing dots are sampled one by one."""
    size = scene.shape[1], scene.shape[0]
    if damage.moire:
        dots = np.repeat(np.repeat(panel, 3, axis=0), 3, axis=1).astype(np.float32)
        mask = np.full((3, 3, 3), 1 - damage.moire, np.float32)
        for channel in range(3):
            mask[:2, channel, channel] = 1.0
        tiled = np.tile(mask, (panel.shape[0], panel.shape[1], 1))
        shown = np.clip(dots * tiled * (1 / tiled.mean()), 0, 255).astype(np.uint8)
        small = np.diag([1 / 3, 1 / 3, 1.0])
        placed = cv2.warpPerspective(cv2.blur(shown, (2, 2)), matrix @ small, size, flags=cv2.INTER_LINEAR)
    else:
        placed = cv2.warpPerspective(panel, matrix, size, flags=cv2.INTER_AREA)
    inside = np.full(panel.shape[:2], 255, np.uint8)
    part = cv2.warpPerspective(inside, matrix, size)[:, :, None].astype(np.float32) / 255
    return (scene * (1 - part) + placed * part).astype(np.uint8)


def _lit(scene: NDArray[np.float32], chance: np.random.Generator, damage: Damage) -> NDArray[np.float32]:
    height, width = scene.shape[:2]
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    ramp = across if chance.random() < 0.5 else down
    scene = scene * (damage.light * (1 - damage.gradient * ramp))[:, :, None].astype(np.float32)
    if damage.glare:
        x, y = chance.uniform(0.3, 0.7, 2)
        distance = np.hypot((across - x) * width, (down - y) * height) / (damage.glare * width)
        scene += (420 * np.exp(-(distance**2) * 1.2))[:, :, None].astype(np.float32)
    return scene


def _filed(pixels: Pixels, quality: int) -> Pixels:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return np.asarray(image.convert("RGB"))
