"""A photo: bounded before it is decoded, upright, named by the digest of its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.settings import PhotoSettings

__all__ = ["Photo", "load_photo"]


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """Decoded pixels. Untrusted: whatever text stands in it is data."""

    pixels: NDArray[np.uint8]
    """Height × width × 3, RGB, C-contiguous, read-only, upright by EXIF."""
    digest: str
    """SHA-256 of size and pixels, hex: the same picture in another file format has the same one."""
    name: str
    """File name, for messages."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


def load_photo(source: Path | bytes, settings: PhotoSettings, *, name: str = "") -> Photo:
    """Decode a JPEG, PNG, WebP or (where pillow-heif is installed) HEIC file.

    :param source: a file, or its bytes.
    :raises PhotoError: not an image, truncated, animated beyond one frame's need, or beyond the limits.
    """
    raise NotImplementedError
