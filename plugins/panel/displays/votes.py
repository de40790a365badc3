"""One row decoded in several ways, and what they agree on.

Order: the threshold at which the row looks most like seven-segment digits → every digit made equally strong → other
thresholds and a smoothed copy → the majority. A row is a display only if its uprights are parted at half height or its
digits fall into pieces, and if its ink lies on segments; printed digits and patterns do neither.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.panel.displays.segments import Decoded, decode
from plugins.panel.displays.strips import Strip, unturned

__all__ = ["Vote", "Way", "vote"]

Floats = NDArray[np.float32]

_FIRST = (0.5, 0.4, 0.6)
_OTHERS = (0.4, 0.5, 0.6, 0.68)
_PARTED = 0.16
_SURE_PARTED = 0.6
_PIECES = 0.2
_FIT = 0.84
_NO_POINT, _A_POINT = 0.35, 0.6


@dataclass(frozen=True, slots=True)
class Way:
    """One text that the row may show."""

    shown: str
    share: float
    """Of the ways of looking at it that see this."""
    best: Decoded
    clear: bool
    """Whether a point stands between digits, and where, was plain in each of them."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What a row shows."""

    ways: tuple[Way, ...]
    """The most common first."""
    ink: Floats
    """With every digit equally strong."""

    @property
    def sure_kind(self) -> bool:
        """These are segments and no digits on drums, whether they can be read or not."""
        first = self.ways[0]
        return "?" not in first.shown and first.best.parted >= _SURE_PARTED


def vote(strip: Strip) -> Vote | None:
    """None where the row is no seven-segment display."""
    glance = decode(strip, strip.ink, _FIRST[0])
    if glance is None or not _is_display(glance, 0.5, 0.6):
        return None
    strip = unturned(strip)
    firsts = [way for way in (decode(strip, strip.ink, t) for t in _FIRST) if way is not None]
    first = max(firsts, key=_looks, default=None)
    if first is None or _looks(first) < 0.35 or not _is_display(first, _FIT - 0.12, 0.8):
        return None
    ink = _evened(strip.ink, first)
    smooth = np.asarray(cv2.GaussianBlur(ink, (0, 0), 1.6), np.float32)
    looks = [decode(strip, variant, t) for variant in (ink, smooth) for t in _OTHERS]
    seen = [look for look in looks if look is not None]
    if not seen:
        return None
    ways = [_way(shown, count / len(seen), seen) for shown, count in Counter(d.shown for d in seen).most_common()]
    if not any(_is_display(look, _FIT, 1.0) for look in seen if look.shown == ways[0].shown):
        return None
    return Vote(tuple(ways), ink)


def _way(shown: str, share: float, seen: list[Decoded]) -> Way:
    same = [look for look in seen if look.shown == shown]
    best = max(same, key=lambda look: (look.fit, look.margin))
    return Way(shown, share, best, all(_points_are_clear(look) for look in same))


def _points_are_clear(decoded: Decoded) -> bool:
    *strong, weak = decoded.points
    return -weak < _NO_POINT and all(strength > _A_POINT for strength in strong) and len(strong) <= 1


def _looks(decoded: Decoded) -> float:
    """How much a row looks like digits of a display, 0 to 1."""
    known = sum(character not in "?.:" for character in decoded.shown) / max(1, len(decoded.cells))
    return float(decoded.fit * min(1.0, known) * (1 - 0.5 ** len(decoded.cells)))


def _is_display(decoded: Decoded, fit: float, part: float) -> bool:
    """:param part: of what is asked of the gaps between segments."""
    gaps = decoded.parted / _PARTED if decoded.parted >= 0 else decoded.parts / _PIECES
    return gaps >= part and decoded.fit >= fit and len(decoded.cells) >= 2


def _evened(ink: Floats, decoded: Decoded) -> Floats:
    """Ink with every digit brought to one strength, as far as it is lit at all."""
    places = [(cell.left + cell.right) / 2 for cell in decoded.cells]
    levels = np.clip(decoded.levels, 0.4, 1.2)
    along = np.interp(np.arange(ink.shape[1]), places, levels).astype(np.float32)
    return np.asarray(np.minimum(ink / along, 1.2), np.float32)
