"""A page of a manual as a picture, with the place of a quote on it.

The file is read again from where it was added from, and only as long as it is the very file that was read in: what a
person is shown as the source is what the answer was made of.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from agent.server.citations import find_quote
from knowledge.errors import KnowledgeError
from knowledge.formats.pdf_page import page_picture
from knowledge.store import Document

__all__ = ["PageBox", "has_pages", "page_boxes", "page_jpeg"]

_QUALITY = 85
_ONE_AT_A_TIME = threading.Lock()
"""pdfium is not made for several threads."""

PageBox = tuple[float, float, float, float]
"""left, top, right, bottom as shares of the page, from its upper left corner."""


@dataclass(frozen=True, slots=True)
class _Glyph:
    left: float
    top: float
    right: float
    bottom: float


def has_pages(document: Document, max_bytes: int) -> bool:
    """Whether its file is a PDF and still the one that was read in."""
    return document.pages is not None and _data(document, max_bytes) is not None


def page_jpeg(document: Document, number: int, *, max_bytes: int, pixels: int) -> bytes | None:
    """Page `number`, from 1, as JPEG; None where there is no such page any more.

    :param pixels: about so many.
    """
    with _ONE_AT_A_TIME, _page(document, number, max_bytes) as page:
        if page is None:
            return None
        out = BytesIO()
        Image.fromarray(page_picture(page, pixels)).save(out, "JPEG", quality=_QUALITY)
        return out.getvalue()


def page_boxes(document: Document, number: int, quote: str, *, max_bytes: int) -> list[PageBox]:
    """Where a quote stands on a page, a box for each line; empty where the page is a picture, is turned, or does not
    hold it.
    """
    with _ONE_AT_A_TIME, _page(document, number, max_bytes) as page:
        return [] if page is None or page.get_rotation() else _boxes(page, quote)


def _data(document: Document, max_bytes: int) -> bytes | None:
    path = Path(document.path)
    try:
        if path.suffix.lower() != ".pdf" or path.stat().st_size > max_bytes:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == document.sha256 else None


@contextmanager
def _page(document: Document, number: int, max_bytes: int) -> Iterator[Any]:
    """The page, or None; what is open is closed behind it."""
    import pypdfium2

    data = _data(document, max_bytes)
    if data is None:
        yield None
        return
    try:
        with closing(pypdfium2.PdfDocument(data)) as pdf:
            if not 1 <= number <= len(pdf):
                yield None
                return
            with closing(pdf[number - 1]) as page:
                yield page
    except pypdfium2.PdfiumError as error:
        raise KnowledgeError(f"{document.id}: page {number} cannot be shown: {error}") from None


def _boxes(page: Any, quote: str) -> list[PageBox]:
    left, bottom, right, top = page.get_bbox()
    width, height = right - left, top - bottom
    words = page.get_textpage()
    try:
        text = words.get_text_range()
        lines: list[_Glyph] = []
        for start, end in find_quote(text, quote):
            for at in range(start, min(end, words.count_chars())):
                if text[at].isspace():
                    continue
                x0, y0, x1, y1 = words.get_charbox(at)
                _extend(
                    lines, _Glyph((x0 - left) / width, (top - y1) / height, (x1 - left) / width, (top - y0) / height)
                )
        return [(line.left, line.top, line.right, line.bottom) for line in lines]
    finally:
        words.close()


def _extend(lines: list[_Glyph], glyph: _Glyph) -> None:
    """Add a glyph to the line that it continues, or begin another."""
    last = lines[-1] if lines else None
    middle = (glyph.top + glyph.bottom) / 2
    if last is not None and last.top <= middle <= last.bottom and glyph.left >= last.left:
        lines[-1] = _Glyph(
            last.left, min(last.top, glyph.top), max(last.right, glyph.right), max(last.bottom, glyph.bottom)
        )
    else:
        lines.append(glyph)
