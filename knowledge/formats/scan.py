"""A page that is a picture: read in bands, so that small print keeps its size, and put together to lines.

Lines that the reader is not sure of are dropped: a figure that was misread is worse than one that is missing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from knowledge.formats.content import PageReader
from knowledge.formats.layout import PageLine, Run, lines_of, reading_order

__all__ = ["read_scan"]

_BAND_SHARE = 0.75
"""Height of a band as a share of the page's width."""
_OVERLAP_SHARE = 0.06
"""Of the width: more than the height of a line, so that each stands whole in a band."""


def read_scan(picture: NDArray[np.uint8], reader: PageReader, least_score: float) -> list[PageLine]:
    """Lines and tables of a picture of a page.

    :param picture: height × width × 3, RGB.
    """
    height, width = picture.shape[:2]
    band = max(int(width * _BAND_SHARE), 200)
    overlap = max(int(width * _OVERLAP_SHARE), 40)
    runs: list[Run] = []
    top = 0
    while top < height:
        first, last = max(0, top - overlap), min(height, top + band + overlap)
        for text in reader(np.ascontiguousarray(picture[first:last])):
            left, above, right, below = text.box
            middle = first + (above + below) / 2
            if text.score >= least_score and text.text.strip() and top <= middle < top + band:
                runs.append(Run(text.text, left, first + above, right, first + below))
        top += band
    return lines_of(reading_order(runs))
