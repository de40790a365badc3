"""Runs in a process of its own: draws pages of manuals and finds quotes on them.

A manual came from outside, and a PDF is a program of its own for a large library: what it does to that library it does
here, without network, files or other programs, in so much memory and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image

from agent.modules.confine import Allowed, confine
from agent.server.citations import find_quote
from agent.values import Json
from agent.workers.child import Attached, CallContext
from knowledge.formats.pdf_page import page_picture

__all__ = ["ServedPages", "make", "prepare"]

_QUALITY = 85
_enforced: dict[str, str] = {}


def prepare(*, memory_bytes: int) -> None:
    """Give up what drawing does not need, before there is a second thread and anything of a manual is here."""
    _enforced.update(confine(Allowed(memory_bytes=memory_bytes)))


def make() -> ServedPages:
    """Load the library."""
    import pypdfium2  # noqa: F401

    return ServedPages()


@dataclass(frozen=True, slots=True)
class _Glyph:
    left: float
    top: float
    right: float
    bottom: float


class ServedPages:
    """Implements `agent.workers.child.Served`. The file comes with each call, as its one buffer."""

    methods = ("picture", "boxes")

    def report(self) -> Mapping[str, Json]:
        """What is enforced."""
        return {"enforced": {**_enforced}}

    def close(self) -> None:
        """Nothing is left open."""

    def picture(self, context: CallContext, *, number: int, pixels: int) -> Attached:
        """Page `number`, from 1, as JPEG of about so many pixels; `{"there": False}` where there is none."""
        with _page(context.buffers[0], number) as page:
            told = Attached({"there": page is not None})
            if page is not None:
                out = BytesIO()
                Image.fromarray(page_picture(page, pixels)).save(out, "JPEG", quality=_QUALITY)
                told.attachment = out.getvalue()
            return told

    def boxes(self, context: CallContext, *, number: int, quote: str) -> Json:
        """Where a quote stands, a box for each line: left, top, right, bottom as shares of the page."""
        with _page(context.buffers[0], number) as page:
            if page is None or page.get_rotation():
                return []
            return [[line.left, line.top, line.right, line.bottom] for line in _lines(page, quote)]


@contextmanager
def _page(data: memoryview, number: int) -> Iterator[Any]:
    """The page, or None; what is open is closed behind it."""
    import pypdfium2

    with closing(pypdfium2.PdfDocument(bytes(data))) as pdf:
        if not 1 <= number <= len(pdf):
            yield None
            return
        with closing(pdf[number - 1]) as page:
            yield page


def _lines(page: Any, quote: str) -> list[_Glyph]:
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
        return lines
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
