"""The store of manuals: one SQLite file, WAL mode, one transaction a document.

Questions open it read-only and close it again, so an ingest, a copy or a power cut never finds it held. A file that is
missing, held by another program, damaged or of an older shape is told in one `KnowledgeError` line.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from knowledge.errors import KnowledgeError
from knowledge.schema import MIGRATIONS
from knowledge.tokens import HAN, fold, place_of, tokens

__all__ = ["Document", "KnowledgeStore", "Name", "Piece", "StoredLimit", "StoredPassage"]

NAME_CHARS = 40
"""A longer name is not looked for in a question."""
NAMED_CHARS = 1_000
"""Names are looked for in so much of a text."""
_HAN_CHAR = re.compile(f"[{HAN}]")


@dataclass(frozen=True, slots=True)
class Document:
    """A manual in the store."""

    id: str
    """M1, M2 … in the order of adding; never given twice."""
    title: str
    path: str
    """Where it was read from."""
    sha256: str
    language: str
    """zh | en"""
    pages: int | None
    """None where the format has no pages."""
    passages: int
    limits: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a section, to be stored."""

    section_order: int
    """Counts sections from 0; the pieces of one section share it."""
    section: str
    """Number or name as printed; empty for what stands before the first heading."""
    heading: str
    path: str
    page: int | None
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A piece of a section, as stored."""

    row: int
    document: str
    title: str
    section: str
    heading: str
    path: str
    page: int | None
    text: str
    language: str
    section_order: int


@dataclass(frozen=True, slots=True)
class StoredLimit:
    """An operating limit and where it stands."""

    document: str
    section: str
    page: int | None
    name: str
    low: float | None
    high: float | None
    unit: str
    row_text: str
    language: str
    """Of the document."""


@dataclass(frozen=True, slots=True)
class Name:
    """Something a question may name."""

    kind: str
    """alarm | label | phrase"""
    folded: str
    """As looked for: NFKC, casefold, no blanks."""
    value: str
    """As printed."""


class KnowledgeStore:
    """The file. Making one touches nothing.

    :param path: the SQLite file.
    :param busy_seconds: how long to wait for a program that holds it.
    """

    def __init__(self, path: Path, busy_seconds: float = 2.0) -> None:
        self.path = path
        self.busy_seconds = busy_seconds
        self.frequent_words: dict[str, tuple[int, int]] = {}
        """In how many passages a frequent word stands, and of how many: see `knowledge.coverage.weights_of`."""

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection.

        :raises KnowledgeError: missing, locked, damaged, or of an older shape.
        """
        if not self.path.exists():
            raise KnowledgeError(f"{self.path}: no manuals here yet; add some with `watchkeeper kb add FILE`")
        with self._told(), closing(self._connect(f"{self.path.absolute().as_uri()}?mode=ro")) as connection:
            connection.execute("PRAGMA query_only = 1")
            if MIGRATIONS.pending(Database(connection, execute_plugins=False)):
                raise KnowledgeError(
                    f"{self.path}: made by an older version; run `watchkeeper kb add` once to update it"
                )
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """A connection that may write, on a file that is made and brought up to date where needed.

        :raises KnowledgeError: locked, damaged, or not writable.
        """
        with self._told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect(f"{self.path.absolute().as_uri()}?mode=rwc")) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = 1")
                db = Database(connection, execute_plugins=False)
                MIGRATIONS.apply(db)
                yield db

    def documents(self) -> list[Document]:
        """All manuals, oldest first."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT id, title, path, sha256, language, pages,"
                " (SELECT count(*) FROM passages WHERE document = d.id),"
                " (SELECT count(*) FROM limits WHERE document = d.id) FROM documents d ORDER BY id"
            ).fetchall()
        return [Document(f"M{row[0]}", *row[1:]) for row in rows]

    def sections(self, document: str, section: str | None = None) -> list[StoredPassage]:
        """The pieces of a manual in reading order, of one section where it is named.

        :raises KnowledgeError: no such manual or section.
        """
        number = document_number(document)
        with self.reading() as connection:
            rows = connection.execute(
                f"{PASSAGES} WHERE p.document = ? AND (? IS NULL OR p.section = ?) ORDER BY p.position",
                (number, section, section),
            ).fetchall()
            known = connection.execute("SELECT 1 FROM documents WHERE id = ?", (number,)).fetchone()
        if not known:
            raise KnowledgeError(f"{document}: no such manual; `watchkeeper kb list` shows those there are")
        if not rows:
            raise KnowledgeError(f"{document} has no section {section}; `watchkeeper kb show {document}` lists them")
        return [passage_of(row) for row in rows]

    def section_of(self, document: str, section_order: int) -> list[str]:
        """The texts of the pieces that one section was cut into, in order."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT text FROM passages WHERE document = ? AND section_order = ? ORDER BY position",
                (document_number(document), section_order),
            ).fetchall()
        return [str(row[0]) for row in rows]

    def limits(self) -> list[StoredLimit]:
        """All operating limits, in the order of the manuals."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT l.document, l.section, l.page, l.name, l.low, l.high, l.unit, l.row_text, d.language"
                " FROM limits l JOIN documents d ON d.id = l.document ORDER BY l.document, l.id"
            ).fetchall()
        return [StoredLimit(f"M{row[0]}", *row[1:]) for row in rows]

    def names_in(self, text: str, *, limit: int = 50) -> list[Name]:
        """Names that occur in a text, longest first."""
        folded = "".join(fold(text[:NAMED_CHARS]).split())
        parts = {
            folded[start:end]
            for start in range(len(folded))
            for end in range(start + 1, min(len(folded), start + NAME_CHARS) + 1)
        }
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT kind, folded, value FROM names WHERE folded IN (SELECT value FROM json_each(?))"
                " ORDER BY length(folded) DESC, kind, value LIMIT ?",
                (json.dumps(sorted(parts)), limit),
            ).fetchall()
        return [Name(*row) for row in rows if place_of(row[1], text) >= 0]

    def remove(self, document: str) -> None:
        """Take a manual out.

        :raises KnowledgeError: no such manual.
        """
        number = document_number(document)
        with self.writing() as db, db.atomic():
            if not db.execute("SELECT 1 FROM documents WHERE id = ?", (number,)).fetchone():
                raise KnowledgeError(f"{document}: no such manual; `watchkeeper kb list` shows those there are")
            clear_document(db, number)
            db.execute("DELETE FROM documents WHERE id = ?", (number,))

    def _connect(self, uri: str) -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=self.busy_seconds)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors as one line that says what to do."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise KnowledgeError(
                    f"{self.path}: locked by another program for {self.busy_seconds:g} s; try again"
                ) from None
            raise KnowledgeError(f"{self.path}: cannot be used: {error}") from None
        except sqlite3.DatabaseError as error:
            raise KnowledgeError(
                f"{self.path}: damaged or not a store of manuals: {error}; move it away and add again"
            ) from None
        except OSError as error:
            raise KnowledgeError(f"{self.path}: cannot be used: {error.strerror}") from None


PASSAGES = (
    "SELECT p.id, p.document, d.title, p.section, p.heading, p.path, p.page, p.text, p.language, p.section_order"
    " FROM passages p JOIN documents d ON d.id = p.document"
)
"""The columns that `passage_of` takes."""


def passage_of(row: Sequence[object]) -> StoredPassage:
    """A row of `PASSAGES`."""
    return StoredPassage(row[0], f"M{row[1]}", *row[2:])  # type: ignore[arg-type]


def clear_document(db: Database, number: int) -> None:
    """Drop what was read from a manual, keeping its row."""
    cleared = db.execute(
        "DELETE FROM vectors WHERE passage IN (SELECT id FROM passages WHERE document = ?)", (number,)
    ).rowcount
    if cleared:
        new_stamp(db)
    db.execute("DELETE FROM passage_index WHERE rowid IN (SELECT id FROM passages WHERE document = ?)", (number,))
    for table in ("passages", "limits", "names"):
        db.execute(f"DELETE FROM {table} WHERE document = ?", (number,))


def insert_pieces(db: Database, number: int, pieces: Sequence[Piece]) -> None:
    """Store the pieces of a manual and index their words."""
    for position, piece in enumerate(pieces):
        values = (piece.section, piece.heading, piece.path, piece.page, piece.text, piece.language)
        cursor = db.execute(
            "INSERT INTO passages (document, position, section_order, section, heading, path, page, text, language)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (number, position, piece.section_order, *values),
        )
        words = [" ".join(tokens(text)) for text in (f"{piece.section} {piece.heading}", piece.path, piece.text)]
        chars = " ".join(sorted({c for c in fold(f"{piece.path} {piece.text}") if _HAN_CHAR.match(c)}))
        db.execute(
            "INSERT INTO passage_index (rowid, heading, path, body, chars) VALUES (?, ?, ?, ?, ?)",
            (cursor.lastrowid, *words, chars),
        )


def new_stamp(db: Database) -> None:
    """Say that the vectors are no longer those that an index was made from."""
    db.execute("UPDATE vectors_state SET stamp = ?", (secrets.token_hex(16),))


def vectors_stamp(connection: sqlite3.Connection) -> str:
    """Names the vectors as they are now; empty where there are none yet."""
    return str(connection.execute("SELECT stamp FROM vectors_state").fetchone()[0])


def now_text() -> str:
    """When a manual was added, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def document_number(document: str) -> int:
    """The number in `M7`.

    :raises KnowledgeError: it is not such an id.
    """
    digits = document.strip().upper().removeprefix("M")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise KnowledgeError(f"{document}: not the id of a manual; write M1, M2 …")
    return int(digits)
