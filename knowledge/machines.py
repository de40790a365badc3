"""Which machines a manual is about, so that a question about one is not answered from the book of another."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.errors import KnowledgeError
from knowledge.store import KnowledgeStore, document_number
from knowledge.tokens import fold, place_of

__all__ = ["about_machines", "documents_about", "machines_in", "machines_of", "manuals_in"]

_NAME_CHARS = 80
_TITLE_CHARS = 4
"""A shorter title is a word like others."""


def about_machines(store: KnowledgeStore, document: str, names: Sequence[str]) -> None:
    """Say which machines a manual is about, as people call them; none takes back what was said.

    :raises KnowledgeError: no such manual, or a name that is empty or too long.
    """
    number = document_number(document)
    for name in names:
        if not 0 < len(_key(name)) <= _NAME_CHARS:
            raise KnowledgeError(f"{name!r}: not the name of a machine; write 1 to {_NAME_CHARS} characters")
    with store.writing() as db, db.atomic():
        if not db.execute("SELECT 1 FROM documents WHERE id = ?", (number,)).fetchone():
            raise KnowledgeError(f"{document}: no such manual; `watchkeeper kb list` shows those there are")
        db.execute("DELETE FROM machines WHERE document = ?", (number,))
        for name in names:
            db.execute("INSERT OR IGNORE INTO machines VALUES (?, ?, ?)", (number, _key(name), name.strip()))


def machines_of(store: KnowledgeStore, document: str) -> list[str]:
    """The machines that a manual is about."""
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT name FROM machines WHERE document = ? ORDER BY folded", (document_number(document),)
        ).fetchall()
    return [str(row[0]) for row in rows]


def machines_in(store: KnowledgeStore, text: str) -> list[str]:
    """Machines that are named in a text, longest name first."""
    squeezed = _key(text)
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT DISTINCT name FROM machines WHERE instr(?, folded) > 0 ORDER BY length(folded) DESC, name",
            (squeezed,),
        ).fetchall()
    return [str(row[0]) for row in rows if place_of(row[0], text) >= 0]


def manuals_in(store: KnowledgeStore, text: str) -> list[tuple[str, int]]:
    """Manuals that a text names by id (M2) or whole title, and where it does."""
    with store.reading() as connection:
        rows = connection.execute("SELECT id, title FROM documents ORDER BY length(title) DESC, id").fetchall()
    named = [(f"M{number}", place_of(title, text)) for number, title in rows if len(_key(title)) >= _TITLE_CHARS]
    named += [(f"M{number}", place_of(f"M{number}", text)) for number, _ in rows]
    return [(document, place) for document, place in named if place >= 0]


def documents_about(store: KnowledgeStore, machine: str) -> list[str]:
    """Ids of the manuals about a machine (M1, M2 …)."""
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT document FROM machines WHERE folded = ? ORDER BY document", (_key(machine),)
        ).fetchall()
    return [f"M{row[0]}" for row in rows]


def _key(name: str) -> str:
    return "".join(fold(name).split())
