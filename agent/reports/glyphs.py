"""The font of the PDF and what it can draw. A character that it cannot is said in others, or by its number."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

__all__ = ["FONT", "FONT_FILE", "known_characters", "register_font", "shown_as"]

FONT = "Watchkeeper"
FONT_FILE = Path(__file__).parent / "fonts" / "wqy-microhei-gb2312.ttf"
_BLANK = {**{ord(c): "" for c in "ǎǐǒǔǘǚǜ℃℉ⅤⅩ"}, ord("∼"): "~"}
"""Characters whose glyphs in the font are empty, so that a unit would be lost in silence; what is like them."""


def register_font() -> None:
    """Make it known to reportlab.

    :raises ImportError: reportlab is not installed.
    """
    from reportlab.pdfbase import pdfmetrics, ttfonts

    pdfmetrics.registerFont(ttfonts.TTFont(FONT, str(FONT_FILE)))
    pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=FONT, italic=FONT, boldItalic=FONT)


@cache
def known_characters() -> frozenset[int]:
    """Characters that the font draws.

    :raises ImportError: reportlab is not installed.
    """
    register_font()
    from reportlab.pdfbase import pdfmetrics

    return frozenset(pdfmetrics.getFont(FONT).face.charToGlyph) - _BLANK.keys()


def shown_as(text: str) -> str:
    """A text in characters that are drawn."""
    return "".join(c if ord(c) in known_characters() else _instead(c) for c in text)


def _instead(character: str) -> str:
    """The same in characters that the font draws (℃ is °C, ㎜ is mm), else its number."""
    if character.isspace():
        return " "
    same = _BLANK.get(ord(character)) or unicodedata.normalize("NFKC", character)
    return same if all(ord(c) in known_characters() for c in same) else f"[U+{ord(character):X}]"
