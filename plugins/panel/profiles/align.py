"""Finding a known panel on a photo: the photo brought to the view of the reference.

A fixed camera and a screenshot need nothing: where the anchors stand where they stood, the photo is taken as it is.
Otherwise corners are matched (ORB) and the perspective between the two views is fitted (RANSAC). In both cases the
anchors decide at the end whether it is this panel: what does not look as it did is not read.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.api import Box
from plugins.panel.profiles.profile import Profile
from plugins.panel.scaling import scaled_by

__all__ = ["aligned", "anchors_kept"]

_WORK_SIDE = 900
"""Corners are matched on images of at most this side."""
_CORNERS = 1200
_DISTINCT = 0.8
"""A match counts where the second best is this much worse."""
_MIN_MATCHES = 20
_FIT_PX = 4.0
_LIKE = 0.55
"""Correlation above which an anchor looks as it did."""
_SHIFT = 3
"""Pixels by which an anchor may have moved."""
_KEPT = 0.6
"""Share of the anchors that must look as they did."""

Grey = NDArray[np.uint8]


def aligned(profile: Profile, pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The photo as the reference saw the panel, height × width × 3, RGB; None where it does not show the panel.

    :param pixels: height × width × 3, RGB, upright.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    if grey.shape == profile.reference.shape and anchors_kept(profile, grey) >= _KEPT:
        return pixels
    view = _view(grey, profile.reference)
    if view is None:
        return None
    warped = cv2.warpPerspective(pixels, view, profile.size, flags=cv2.INTER_CUBIC).astype(np.uint8)
    straight = cv2.cvtColor(warped, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    return warped if anchors_kept(profile, straight) >= _KEPT else None


def anchors_kept(profile: Profile, grey: Grey) -> float:
    """The share of the profile's anchors that an image of the reference's size shows where they were."""
    if not profile.anchors:
        return 0.0
    return sum(_alike(profile.reference, grey, box) for box in profile.anchors) / len(profile.anchors)


def _alike(reference: Grey, grey: Grey, box: Box) -> bool:
    left, top, right, bottom = box
    high, wide = reference.shape
    part = reference[top:bottom, left:right]
    around = grey[max(0, top - _SHIFT) : min(high, bottom + _SHIFT), max(0, left - _SHIFT) : min(wide, right + _SHIFT)]
    if part.size == 0 or around.shape[0] < part.shape[0] or around.shape[1] < part.shape[1] or np.ptp(part) < 8:
        return False
    return bool(cv2.matchTemplate(around, part, cv2.TM_CCOEFF_NORMED).max() >= _LIKE)


def _view(grey: Grey, reference: Grey) -> NDArray[np.float64] | None:
    """Homography from the photo to the reference, or None where too little matches."""
    there, here = _corners(reference), _corners(grey)
    if there is None or here is None:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(here[1], there[1], k=2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < _DISTINCT * p[1].distance]
    if len(good) < _MIN_MATCHES:
        return None
    source = np.array([here[0][m.queryIdx] for m in good], np.float32)
    target = np.array([there[0][m.trainIdx] for m in good], np.float32)
    view, fitting = cv2.findHomography(source, target, cv2.RANSAC, _FIT_PX)
    if view is None or int(fitting.sum()) < _MIN_MATCHES or not np.isfinite(view).all():
        return None
    return np.asarray(view, np.float64)


def _corners(grey: Grey) -> tuple[NDArray[np.float32], NDArray[np.uint8]] | None:
    """Places in pixels of the full image, and what they look like."""
    scale = min(1.0, _WORK_SIDE / max(grey.shape))
    small = scaled_by(grey, scale) if scale < 1 else grey
    if min(small.shape) < 32:
        return None
    points, looks = cv2.ORB_create(_CORNERS).detectAndCompute(small, None)  # type: ignore[attr-defined]
    if looks is None or len(points) < _MIN_MATCHES:
        return None
    return np.array([point.pt for point in points], np.float32) / scale, np.asarray(looks, np.uint8)
