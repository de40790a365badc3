"""The colour of an alarm's row, where its state or priority is shown by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.api import AlarmRow
from plugins.panel.lights.colors import SIGNALS, color_name, commonest, saturation

__all__ = ["find_row_marks"]

_STRONG = 0.35
"""A colour that says something is at least this saturated."""


def find_row_marks(pixels: NDArray[np.uint8], rows: Sequence[AlarmRow]) -> list[AlarmRow]:
    """Rows with the colour that states something, of their words or of their ground, as the role `color`.

    :param pixels: height × width × 3, RGB, 8 bits.
    """
    marked = []
    for row in rows:
        left, top, right, bottom = row.box
        crop = pixels[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        name = _row_color(crop) if crop.size else ""
        marked.append(replace(row, roles={**row.roles, "color": name}) if name else row)
    return marked


def _row_color(crop: NDArray[np.uint8]) -> str:
    """Of the ground where that is a signal's colour, or else of the ink that differs most from it."""
    crop = crop[:: max(1, crop.shape[0] // 24), :: max(1, crop.shape[1] // 400)]
    ground = commonest(crop)
    if color_name(ground) in SIGNALS and saturation(ground) > _STRONG:
        return color_name(ground)
    away = np.abs(crop.astype(np.int16) - np.array(ground, np.int16)).max(axis=2)
    ink = crop[away >= max(60, 0.6 * int(away.max()))]
    if ink.shape[0] < 8:
        return ""
    color = commonest(ink)
    return color_name(color) if color_name(color) in SIGNALS and saturation(color) > _STRONG else ""
