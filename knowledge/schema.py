"""The tables of the store, as small named steps. A released step is never edited; the next change is a new step."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from knowledge.tokens import TOKEN_MARKS

__all__ = ["MIGRATIONS"]

MIGRATIONS = Migrations("watchkeeper.knowledge")


@MIGRATIONS()
def documents(db: Database) -> None:
    """One row a manual; AUTOINCREMENT, so that the id of a removed one never names another."""
    db.execute("""
        CREATE TABLE documents (
            id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, path TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL,
            language TEXT NOT NULL, pages INTEGER, added TEXT NOT NULL
        )""")


@MIGRATIONS()
def passages(db: Database) -> None:
    """One row a piece of a section, in reading order."""
    db.execute("""
        CREATE TABLE passages (
            id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            position INTEGER NOT NULL, section_order INTEGER NOT NULL, section TEXT NOT NULL, heading TEXT NOT NULL,
            path TEXT NOT NULL, page INTEGER, text TEXT NOT NULL, language TEXT NOT NULL, UNIQUE (document, position)
        )""")


@MIGRATIONS()
def passage_index(db: Database) -> None:
    """Words as `knowledge.tokens` makes them, separated by blanks; `chars` has each Chinese character once."""
    marks = TOKEN_MARKS.replace("°", "")  # what is not ASCII is part of a word for this tokenizer anyway
    db.execute(f"""
        CREATE VIRTUAL TABLE passage_index
        USING fts5 (heading, path, body, chars, tokenize = "ascii tokenchars '{marks}'")
    """)
    db.execute("CREATE VIRTUAL TABLE passage_words USING fts5vocab (passage_index, row)")


@MIGRATIONS()
def limits(db: Database) -> None:
    """Operating limits as the manuals' tables state them."""
    db.execute("""
        CREATE TABLE limits (
            id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            section TEXT NOT NULL, page INTEGER, name TEXT NOT NULL, low REAL, high REAL, unit TEXT NOT NULL,
            row_text TEXT NOT NULL
        )""")
    db.execute("CREATE INDEX limits_document ON limits (document)")


@MIGRATIONS()
def names(db: Database) -> None:
    """What a question may name: headings, alarms, limits, fault codes."""
    db.execute("""
        CREATE TABLE names (
            document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE, kind TEXT NOT NULL,
            folded TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (document, kind, folded, value)
        ) WITHOUT ROWID""")


@MIGRATIONS()
def vectors(db: Database) -> None:
    """What each passage means, as `knowledge.embed` says; `stamp` is another one after every change of passages."""
    db.execute("""
        CREATE TABLE vectors (
            passage INTEGER PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE, windows BLOB NOT NULL
        )""")
    db.execute("CREATE TABLE vectors_state (id INTEGER PRIMARY KEY CHECK (id = 1), stamp TEXT NOT NULL)")
    db.execute("INSERT INTO vectors_state VALUES (1, '')")


@MIGRATIONS()
def machines(db: Database) -> None:
    """The machines that a manual is about, as people call them."""
    db.execute("""
        CREATE TABLE machines (
            document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE, folded TEXT NOT NULL,
            name TEXT NOT NULL, PRIMARY KEY (document, folded)
        ) WITHOUT ROWID""")


@MIGRATIONS()
def names_folded(db: Database) -> None:
    """A question is taken apart and its parts are looked up, rather than every name looked for in it."""
    db.execute("CREATE INDEX names_folded ON names (folded)")
