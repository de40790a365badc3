"""A file's bytes as pages of text: which kind it is, its encoding, its pages. Everything here is untrusted input."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.sections import Kind
from knowledge.tokens import strip_controls

__all__ = ["SUFFIXES", "read_pages"]

SUFFIXES: dict[str, Kind] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".adoc": "asciidoc",
    ".asciidoc": "asciidoc",
    ".txt": "plain",
    ".pdf": "plain",
}
"""What can be read, by file ending."""

_ENCODINGS = ("utf-8-sig", "gb18030")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BINARY_SHARE = 0.01
_RUNNING_SHARE = 0.6
"""A line that begins or ends this share of the pages is a running title, not text."""


def read_pages(path: Path, data: bytes, *, max_pages: int) -> tuple[Kind, list[tuple[int | None, str]]]:
    """The kind of a file and its pages.

    :raises KnowledgeError: no text, unknown kind or encoding, binary, password, truncated, more than `max_pages`.
    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise KnowledgeError(
            f"{path}: {path.suffix or 'a file without ending'} is not read; give {', '.join(SUFFIXES)}"
        )
    is_pdf = path.suffix.lower() == ".pdf"
    pages = _pdf_pages(path, data, max_pages) if is_pdf else _text_page(path, data)
    if not any(c.isalnum() for _, text in pages for c in text):
        why = "no text on any page; it is a scan, put it through OCR first" if is_pdf else "it holds no text"
        raise KnowledgeError(f"{path}: {why}")
    return kind, pages


def _text_page(path: Path, data: bytes) -> list[tuple[int | None, str]]:
    return [(None, _decode(path, data))]


def _decode(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(path, data, ("utf-16",))
    if len(_BINARY.findall(data[:65_536])) > _BINARY_SHARE * min(len(data), 65_536):
        raise KnowledgeError(f"{path}: binary data, not text")
    return _decoded(path, data, _ENCODINGS)


def _decoded(path: Path, data: bytes, encodings: tuple[str, ...]) -> str:
    for encoding in encodings:
        try:
            return strip_controls(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    raise KnowledgeError(f"{path}: its text is neither UTF-8 nor GB18030; save it as UTF-8")


def _pdf_pages(path: Path, data: bytes, max_pages: int) -> list[tuple[int | None, str]]:
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        reason = "asks for a password; save it without one" if "assword" in str(error) else "truncated or not a PDF"
        raise KnowledgeError(f"{path}: {reason}") from None
    try:
        if len(pdf) > max_pages:
            raise KnowledgeError(f"{path}: {len(pdf)} pages, more than the {max_pages} that are read; split it")
        texts = [_page_text(pdf, index) for index in range(len(pdf))]
    except pypdfium2.PdfiumError as error:
        raise KnowledgeError(f"{path}: a page cannot be read: {error}") from None
    finally:
        pdf.close()
    return [(number, text) for number, text in enumerate(_without_running_titles(texts), start=1)]


def _page_text(pdf: object, index: int) -> str:
    page = pdf[index]  # type: ignore[index]
    text_page = page.get_textpage()
    try:
        return strip_controls(text_page.get_text_range())
    finally:
        text_page.close()
        page.close()


def _without_running_titles(texts: list[str]) -> list[str]:
    """Pages without the header and footer lines that repeat, page numbers aside."""
    if len(texts) < 3:
        return texts
    pages = [text.strip().split("\n") for text in texts]
    edges = Counter(_numberless(line) for lines in pages for line in {lines[0], lines[-1]})
    running = {line for line, count in edges.items() if count >= max(3, _RUNNING_SHARE * len(pages))}
    out = []
    for lines in pages:
        first = 1 if _numberless(lines[0]) in running else 0
        last = len(lines) - 1 if len(lines) > first and _numberless(lines[-1]) in running else len(lines)
        out.append("\n".join(lines[first:last]))
    return out


def _numberless(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())
