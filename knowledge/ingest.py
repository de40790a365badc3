"""Reading manuals into the store: read, take apart, cut, find limits and names, store in one transaction.

Content decides: the same bytes again are a no-op, a changed file replaces its passages and keeps its id, a file that
has moved keeps its id too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sqlite_utils import Database

from knowledge.cutting import cut
from knowledge.errors import KnowledgeError
from knowledge.formats.content import Bounds, Content, PageReader
from knowledge.limits import Limit, find_limits, name_variants, table_rows
from knowledge.reading import SUFFIXES, read_document
from knowledge.sections import Section, read_sections
from knowledge.store import KnowledgeStore, Piece, clear_document, insert_pieces, now_text
from knowledge.tokens import HAN, fold, language_of, tokens

__all__ = ["Added", "add_file", "find_files", "many_files"]

_ALARM = re.compile(r"报警|告警|故障|跳闸|超限|\b(?:alarm|fault|error|trip|warning)s?\b")
_CODE = re.compile(r"[A-Z]{1,4}[-.]?\d{1,5}[A-Z]?", re.IGNORECASE)
_CODE_COLUMN = re.compile(r"代码|故障码|报警号|\b(?:code|fault|alarm|error)\b")
_HAN = re.compile(f"[{HAN}]")
_NAME_CHARS = 40
"""A longer heading is a sentence, not a name that somebody would say."""


@dataclass(frozen=True, slots=True)
class Added:
    """What adding a file did."""

    id: str
    title: str
    path: str
    change: Literal["added", "changed", "unchanged", "moved"]
    passages: int
    limits: int
    pages: int | None
    language: str
    scanned: int = 0
    """Pages that were read as pictures, just now."""
    unread: int = 0
    """Pages that show something, and on which no text was read."""


@dataclass(frozen=True, slots=True)
class _Manual:
    title: str
    language: str
    pages: int | None
    pieces: list[Piece]
    limits: list[tuple[Section, Limit]]
    names: set[tuple[str, str, str]]


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The files to read: those given, and in folders those of a kind that is read, by name.

    :raises KnowledgeError: a path does not exist, or a folder holds nothing that is read.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES)
            if not inside:
                raise KnowledgeError(f"{path}: no manuals in this folder; read are {', '.join(SUFFIXES)}")
            found.extend(inside)
        elif path.is_file():
            found.append(path)
        else:
            raise KnowledgeError(f"{path}: no such file or folder")
    return list(dict.fromkeys(p.resolve() for p in found))


@contextmanager
def many_files(store: KnowledgeStore) -> Iterator[None]:
    """Keeps the store open between many `add_file`, so that its log is not written back after each of them."""
    held = store.writing()
    held.__enter__()
    try:
        yield
    finally:
        held.__exit__(None, None, None)


def add_file(
    store: KnowledgeStore,
    path: Path,
    *,
    max_bytes: int,
    max_pages: int,
    passage_chars: int,
    bounds: Bounds | None = None,
    reader: PageReader | None = None,
) -> Added:
    """Read one manual into the store, in one transaction.

    :param bounds: what it may ask of this box besides its bytes and pages.
    :param reader: reads pages that are pictures; None leaves them out.
    :raises KnowledgeError: it cannot be read or holds no text; the store is as it was.
    """
    path = path.resolve()
    data = _read(path, max_bytes)
    digest = hashlib.sha256(data).hexdigest()
    with store.writing() as db:
        known = _known(db, path, digest)
        if known is not None:
            return known
    content = read_document(path, data, replace(bounds or Bounds(), max_pages=max_pages), reader)
    manual = _take_apart(path, content, passage_chars)
    with store.writing() as db:
        # In WAL mode this loses the last manuals at worst, never damages; their files are read again.
        db.execute("PRAGMA synchronous = NORMAL")
        with db.atomic():
            return replace(_store(db, path, digest, manual), scanned=content.scanned, unread=content.unread)


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise KnowledgeError(f"{path}: {size:,} bytes, more than the {max_bytes:,} that are read; split it")
        return path.read_bytes()
    except OSError as error:
        raise KnowledgeError(f"{path}: cannot be read: {error.strerror}") from None


def _known(db: Database, path: Path, digest: str) -> Added | None:
    """The manual with this content, if the store has it; its path is brought up to date where the file has moved."""
    row = db.execute(
        "SELECT id, path FROM documents WHERE sha256 = ? ORDER BY path <> ?", (digest, str(path))
    ).fetchone()
    if row is None:
        return None
    change: Literal["unchanged", "moved"] = "unchanged"
    taken = db.execute("SELECT 1 FROM documents WHERE path = ?", (str(path),)).fetchone()
    if row[1] != str(path) and not taken and not Path(row[1]).exists():
        with db.atomic():
            db.execute("UPDATE documents SET path = ? WHERE id = ?", (str(path), row[0]))
        change = "moved"
    elif row[1] != str(path) and taken:
        return None  # this path held another text and now holds a copy of that manual
    return _added(db, row[0], change)


def _store(db: Database, path: Path, digest: str, manual: _Manual) -> Added:
    row = db.execute("SELECT id FROM documents WHERE path = ?", (str(path),)).fetchone()
    values = (manual.title, digest, manual.language, manual.pages, now_text(), str(path))
    if row:
        number = int(row[0])
        clear_document(db, number)
        db.execute("UPDATE documents SET title=?, sha256=?, language=?, pages=?, added=? WHERE path=?", values)
    else:
        sql = "INSERT INTO documents (title, sha256, language, pages, added, path) VALUES (?, ?, ?, ?, ?, ?)"
        number = int(db.execute(sql, values).lastrowid or 0)
    insert_pieces(db, number, manual.pieces)
    for section, limit in manual.limits:
        place = (number, section.name, section.page)
        db.execute(
            "INSERT INTO limits (document, section, page, name, low, high, unit, row_text)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*place, limit.name, limit.low, limit.high, limit.unit, limit.row_text),
        )
    for kind, folded, value in sorted(manual.names):
        db.execute("INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)", (number, kind, folded, value))
    return _added(db, number, "changed" if row else "added")


def _added(db: Database, number: int, change: Literal["added", "changed", "unchanged", "moved"]) -> Added:
    row = db.execute(
        "SELECT title, path, pages, language, (SELECT count(*) FROM passages WHERE document = d.id),"
        " (SELECT count(*) FROM limits WHERE document = d.id) FROM documents d WHERE id = ?",
        (number,),
    ).fetchone()
    return Added(f"M{number}", row[0], row[1], change, row[4], row[5], row[2], row[3])


def _take_apart(path: Path, content: Content, passage_chars: int) -> _Manual:
    title, sections = read_sections(content.lines, bare=content.bare, title=content.title)
    if not sections:
        raise KnowledgeError(f"{path}: it has headings but no text under them")
    language = language_of("\n".join(section.text for section in sections))
    limits = [(section, limit) for section in sections for limit in find_limits(section.text)]
    names = {name for section in sections for name in _names(section)}
    names |= {("label", _key(v), v) for _, limit in limits for v in name_variants(limit.name) if len(_key(v)) > 1}
    pieces = [
        Piece(order, section.name, section.heading, section.path, section.page, text, _piece_language(text, language))
        for order, section in enumerate(sections)
        for text in cut(section.text, passage_chars)
    ]
    return _Manual(title or path.stem, language, content.pages, pieces, limits, names)


def _piece_language(text: str, language: str) -> str:
    """A short piece (a code, a table of numbers) goes with its document."""
    return language_of(text) if len(text) > 80 else language


def _names(section: Section) -> Iterable[tuple[str, str, str]]:
    """What a question may name of a section: its heading and its parts, and the codes of a fault table."""
    kind = "alarm" if _ALARM.search(fold(section.path)) and section.heading else "phrase"
    parts = name_variants(section.heading)
    foreign = bool(parts) and not _HAN.search(parts[0][:1])
    printed = next((part for part in parts[1:] if _HAN.search(part)), None) if foreign else None
    for part in parts:
        if not _is_name(part):
            continue
        yield ("phrase" if printed and part != printed else kind), _key(part), part
        if printed and part != printed:
            yield kind, _key(part), printed  # the English heading names the lamp as it is printed
    for code in _codes(section.text):
        yield "alarm", _key(code), code


def _codes(text: str) -> Iterable[str]:
    column: int | None = None
    if not _CODE_COLUMN.search(fold(text)):
        return
    for line in text.split("\n"):
        cells = table_rows(line)
        if not cells:
            continue
        header = next((i for i, cell in enumerate(cells) if _CODE_COLUMN.search(fold(cell))), None)
        if column is None:
            column = header
        elif column < len(cells) and _CODE.fullmatch(cells[column]):
            yield cells[column]


def _is_name(text: str) -> bool:
    if len(text) > _NAME_CHARS:
        return False
    return len(_HAN.findall(text)) >= 3 or len(tokens(text)) >= 2 or _CODE.fullmatch(text) is not None


def _key(text: str) -> str:
    return "".join(fold(text).split())
