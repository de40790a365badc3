"""The illustrator: a wish drawn from our own parts, as SVG and as PNG. It needs no weights and is right every time."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from agent.api import InputError
from plugins.painter.drawing.compose import draw
from plugins.painter.wishes import Wish

__all__ = ["can_draw", "draw_png", "hand"]

_PACKAGE = "resvg_py"


def can_draw() -> bool:
    """Whether what turns SVG into PNG is installed."""
    return find_spec(_PACKAGE) is not None


def draw_png(wish: Wish, side_px: int) -> bytes:
    """A picture of a wish, square.

    :raises InputError: the package that draws is not installed.
    """
    if not can_draw():
        raise InputError("the painter needs resvg-py; install it with: pip install 'watchkeeper[painter]'")
    import resvg_py

    svg = draw(wish.animal, wish.features, wish.place)
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=side_px, height=side_px, skip_system_fonts=True))


@cache
def hand() -> str:
    """Which version of our parts draws: a digest of them, so that a picture that is kept is never an older drawing."""
    folder = Path(__file__).parent / "drawing"
    parts = b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    return hashlib.sha256(parts).hexdigest()[:16]
