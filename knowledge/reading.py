"""A file's bytes as a document: which kind it is, read by the one file of `knowledge.formats` that knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.formats.asciidoc import asciidoc_lines
from knowledge.formats.content import Bounds, Content, Line, PageReader, too_many_lines
from knowledge.formats.csv_table import read_csv_table
from knowledge.formats.docx import read_docx
from knowledge.formats.encoding import decode
from knowledge.formats.hypertext import read_hypertext
from knowledge.formats.markdown import markdown_lines
from knowledge.formats.pdf import read_pdf
from knowledge.formats.restructured import restructured_lines

__all__ = ["SUFFIXES", "read_document"]

_MARKED: dict[str, Callable[[str], Iterable[Line]]] = {
    ".md": markdown_lines,
    ".markdown": markdown_lines,
    ".adoc": asciidoc_lines,
    ".asciidoc": asciidoc_lines,
    ".rst": restructured_lines,
}
SUFFIXES = (*_MARKED, ".txt", ".html", ".htm", ".docx", ".csv", ".pdf")
"""What can be read, by file ending."""


def read_document(path: Path, data: bytes, bounds: Bounds, reader: PageReader | None = None) -> Content:
    """The document in a file.

    :param reader: reads the pages of a PDF that are pictures; None leaves them out.
    :raises KnowledgeError: no text, unknown kind or encoding, damaged, with a password, or beyond a bound.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise KnowledgeError(
            f"{path}: {path.suffix or 'a file without ending'} is not read; give {', '.join(SUFFIXES)}"
        )
    content = _read(path, suffix, data, bounds, reader)
    if not any(c.isalnum() for line in content.lines for c in line.text):
        raise KnowledgeError(f"{path}: it holds no text")
    return content


def _read(path: Path, suffix: str, data: bytes, bounds: Bounds, reader: PageReader | None) -> Content:
    if suffix == ".pdf":
        return read_pdf(path, data, bounds, reader)
    if suffix == ".docx":
        return read_docx(path, data, bounds)
    if len(data) > bounds.max_text_bytes:
        raise KnowledgeError(f"{path}: {len(data):,} bytes of text, more than {bounds.max_text_bytes:,}; split it")
    text = decode(path, data, declared=suffix in (".html", ".htm"))
    if text.count("\n") > bounds.text_lines:
        raise too_many_lines(path, bounds)
    if suffix in (".html", ".htm"):
        return read_hypertext(path, text, bounds)
    if suffix == ".csv":
        return read_csv_table(path, text, bounds)
    if suffix in _MARKED:
        return Content(list(_MARKED[suffix](text)))
    return Content([Line(line) for line in text.split("\n")], bare=True)
