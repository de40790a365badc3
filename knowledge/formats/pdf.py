"""PDF: pages of lines and tables, headings by the outline and by the size of their letters, scans as pictures.

The outline names headings where its words are found on their page; nothing is taken from it that is not printed there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from knowledge.errors import KnowledgeError
from knowledge.formats.content import Bounds, Content, Line, PageReader
from knowledge.formats.layout import PageLine
from knowledge.formats.pdf_page import page_lines, page_picture
from knowledge.formats.scan import read_scan
from knowledge.formats.tables import table_lines
from knowledge.tokens import fold, strip_controls

__all__ = ["read_pdf"]

_RUNNING_SHARE = 0.6
"""A line that begins or ends this share of the pages is a running title, not text."""
_EDGE_LINES = 2
_LARGER = 1.12
"""A heading's letters are larger than those of most text by this much."""
_LARGE_ON_SCAN = 1.4
"""The same, of a page that was read as a picture, where letters are measured less well."""
_HEADING_CHARS = 90
_SENTENCE_END = re.compile(r"[。;；,，.!?！？]$|\.{4,}|…{2,}|(?:\s\.){3,}")
_LETTER = re.compile(r"[^\W\d_]")
_HYPHENED = re.compile(r"[^\W\d_]{2,}-[^\W\d_]{2,}")
_BROKEN_HEAD = re.compile(r"([^\W\d_]{2,})-$")
_BROKEN_TAIL = re.compile(r"([a-zà-ÿ]{2,})[^\w\s-]{0,2}(?=\s|$)")
_MAX_OUTLINE = 20_000
_OUTLINE_DEPTH = 12
_NO_TITLE = re.compile(r"microsoft|untitled|无标题|未命名|\.\w{2,5}$|^\W*$", re.IGNORECASE)


@dataclass(slots=True)
class _Page:
    lines: list[PageLine]
    scanned: bool = False
    unread: bool = False


def read_pdf(path: Path, data: bytes, bounds: Bounds, reader: PageReader | None) -> Content:
    """The content of a PDF.

    :param reader: reads pages that hold no text; None leaves them out.
    :raises KnowledgeError: damaged, with a password, beyond a bound, or a scan that nobody reads.
    """
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        reason = "asks for a password; save it without one" if "assword" in str(error) else "truncated or not a PDF"
        raise KnowledgeError(f"{path}: {reason}") from None
    try:
        if len(pdf) > bounds.max_pages:
            raise KnowledgeError(f"{path}: {len(pdf)} pages, more than the {bounds.max_pages} that are read; split it")
        pages = _pages(path, pdf, bounds, reader)
        outline, title = _outline(pdf), _title(pdf)
    except pypdfium2.PdfiumError as error:
        raise KnowledgeError(f"{path}: a page cannot be read: {error}") from None
    finally:
        pdf.close()
    if not any(page.lines for page in pages):
        why = "no text on any page; it is a scan, put it through OCR first"
        raise KnowledgeError(f"{path}: {why if reader is None else 'no text on any page, not even as a picture'}")
    _drop_running_titles(pages)
    _close_words(pages)
    lines = list(_lines(path, pages, outline, bounds))
    scanned, unread = sum(page.scanned for page in pages), sum(page.unread for page in pages)
    return Content(lines, title, len(pages), bare=True, scanned=scanned, unread=unread)


def _pages(path: Path, pdf: Any, bounds: Bounds, reader: PageReader | None) -> list[_Page]:
    pages: list[_Page] = []
    scans = 0
    for index in range(len(pdf)):
        page = pdf[index]
        try:
            lines = _cleaned(page_lines(page))
            picture = not lines and _shows_something(page)
            if picture and reader is not None:
                scans += 1
                if scans > bounds.max_scanned_pages:
                    raise KnowledgeError(
                        f"{path}: more than {bounds.max_scanned_pages} scanned pages; split it, or read it in with OCR"
                    )
                lines = _cleaned(_read(page, reader, bounds))
        finally:
            page.close()
        pages.append(_Page(lines, picture and bool(lines), picture and not lines))
    return pages


def _read(page: Any, reader: PageReader, bounds: Bounds) -> list[PageLine]:
    return read_scan(page_picture(page, bounds.page_pixels), reader, bounds.scan_score)


def _shows_something(page: Any) -> bool:
    return next(iter(page.get_objects(max_depth=2)), None) is not None


def _cleaned(lines: Sequence[PageLine]) -> list[PageLine]:
    cleaned = [
        PageLine(strip_controls(line.text), line.size, line.table) for line in lines if line.text.strip() or line.table
    ]
    return (
        cleaned if any(c.isalnum() for line in cleaned for c in line.text or "".join(map("".join, line.table))) else []
    )


def _outline(pdf: Any) -> dict[int, dict[str, int]]:
    """Page from 0 → words of a heading → its depth. A circle in it ends where pdfium notices, or at the bound."""
    found: dict[int, dict[str, int]] = {}
    try:
        for count, entry in enumerate(pdf.get_toc(max_depth=_OUTLINE_DEPTH)):
            if count >= _MAX_OUTLINE:
                break
            target = entry.get_dest()
            page = target.get_index() if target else None
            words = _squeezed(entry.get_title() or "")
            if page is not None and words:
                found.setdefault(page, {}).setdefault(words, entry.level + 1)
    except Exception:  # a damaged outline costs its headings, not the text
        return found
    return found


def _title(pdf: Any) -> str:
    try:
        title = " ".join(strip_controls(pdf.get_metadata_value("Title") or "").split())
    except Exception:  # metadata is a courtesy
        return ""
    return "" if _NO_TITLE.search(title) else title[:200]


def _drop_running_titles(pages: Sequence[_Page]) -> None:
    """Take header and footer lines off that repeat, page numbers aside."""
    if len(pages) < 3:
        return
    for first in (0, -1):
        for _ in range(_EDGE_LINES):
            edges = Counter(_numberless(page.lines[first].text) for page in pages if page.lines)
            running = {line for line, count in edges.items() if line and count >= max(3, _RUNNING_SHARE * len(pages))}
            for page in pages:
                if page.lines and _numberless(page.lines[first].text) in running:
                    del page.lines[first]


def _close_words(pages: Sequence[_Page]) -> None:
    """Put words together that are broken at the end of a line, unless the document has them with a hyphen elsewhere."""
    hyphened = {w.casefold() for page in pages for line in page.lines for w in _HYPHENED.findall(line.text)}
    for page in pages:
        for at in range(len(page.lines) - 1):
            line, following = page.lines[at], page.lines[at + 1]
            head, tail = _BROKEN_HEAD.search(line.text), _BROKEN_TAIL.match(following.text)
            if not head or not tail or f"{head[1]}-{tail[1]}".casefold() in hyphened:
                continue
            rest = following.text[tail.end() :].lstrip()
            page.lines[at] = replace(line, text=line.text[:-1] + following.text[: tail.end()])
            page.lines[at + 1] = replace(following, text=rest)
        page.lines = [line for line in page.lines if line.text or line.table]


def _lines(path: Path, pages: Sequence[_Page], outline: dict[int, dict[str, int]], bounds: Bounds) -> Iterator[Line]:
    sizes = _heading_sizes(pages)
    deepest = max((level for found in outline.values() for level in found.values()), default=0)
    rows = 0
    for index, page in enumerate(pages):
        number = index + 1
        names = {**outline.get(index, {})}
        large = _LARGE_ON_SCAN * median(line.size for line in page.lines) if page.scanned else 0.0
        for line in page.lines:
            if line.table:
                rows += len(line.table)
                if rows > bounds.max_rows:
                    raise KnowledgeError(f"{path}: more than {bounds.max_rows:,} table rows; split it")
                yield from table_lines(line.table, number)
                continue
            level = names.pop(_squeezed(line.text), 0) if names else 0
            if not level:
                own = [_rounded(line.size)] if page.scanned and line.size > large else sizes
                level = _level(line, [] if page.scanned and line.size <= large else own, deepest)
            yield Line(line.text.strip() if level else line.text, level=level, page=number)


def _heading_sizes(pages: Sequence[_Page]) -> list[float]:
    """Sizes of letters that headings have, largest first."""
    weights: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            if not page.scanned:
                weights[_rounded(line.size)] += len(line.text) + sum(len(c) for row in line.table for c in row)
    if not weights:
        return []
    body = weights.most_common(1)[0][0]
    larger = sorted((size for size in weights if size > body * _LARGER), reverse=True)
    share = sum(weights[size] for size in larger) / max(sum(weights.values()), 1)
    return larger if share < 0.4 else []


def _level(line: PageLine, sizes: Sequence[float], below: int) -> int:
    size = _rounded(line.size)
    text = line.text.strip()
    if size not in sizes or len(text) > _HEADING_CHARS or not _LETTER.search(text) or _SENTENCE_END.search(text):
        return 0
    return min(below + 1 + sizes.index(size), 9)


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _numberless(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())


def _squeezed(text: str) -> str:
    return "".join(c for c in fold(text) if c.isalnum())
