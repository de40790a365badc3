"""`watchkeeper kb`: put manuals in, see what is there, search, read, take out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import typer

from agent.api import ManualError, emit
from agent.console import JSON_OPTION
from knowledge.errors import KnowledgeError
from knowledge.ingest import Added, find_files
from knowledge.items import items_of, same_label, split_place
from knowledge.reading import SUFFIXES
from knowledge.search import Hit, search
from knowledge.store import Document, KnowledgeStore, StoredPassage
from plugins.manuals.folder_command import watch_folder
from plugins.manuals.meaning_commands import keep_meanings
from plugins.manuals.meanings import MeaningOfBox
from plugins.manuals.reading_in import added_line, adder, each_file
from plugins.manuals.tools import open_store

__all__ = ["commands"]

T = TypeVar("T")
_FILES = typer.Argument(metavar="FILE|FOLDER...", help=f"Files ({', '.join(SUFFIXES)}), or folders of them.")
_QUERY = typer.Argument(metavar="QUERY", help="A question, an alarm, a fault code.")
_ID = typer.Argument(metavar="ID", help="M1, M2 … as `watchkeeper kb list` shows them.")
_SECTION = typer.Argument(
    None,
    metavar="[SECTION]",
    help="Number or heading, and an item as in 第八十四条（二）; without it the sections are listed.",
)
_LIMIT = typer.Option(5, "--limit", min=1, max=50, help="Passages at most.")
_IN = typer.Option(None, "--in", metavar="ID", help="Only in this manual; may be given more than once.")
_PREVIEW_CHARS = 160


def commands() -> typer.Typer:
    """The sub-application."""
    app = typer.Typer(no_args_is_help=True, help="Manuals: add, list, search, show, remove.")
    app.command("add")(add_manuals)
    app.command("watch")(watch_folder)
    app.command("list")(list_manuals)
    app.command("search")(search_manuals)
    app.command("show")(show_manual)
    app.command("remove")(remove_manual)
    return app


def add_manuals(context: typer.Context, paths: list[Path] = _FILES, as_json: bool = JSON_OPTION) -> None:
    """Read manuals in; a file that has not changed costs nothing, a changed one keeps its id.

    Files that cannot be read are named at the end (exit code 2); the others are in.

    Example: watchkeeper kb add manuals/ vendor/vfd.pdf
    """
    store, read = open_store(context.obj), adder(context)
    failed: list[str] = []
    with _as_input_error():
        for file in each_file(store, find_files(paths)):
            failed += _add(file, read, as_json=as_json)
    _told(lambda: keep_meanings(context.obj, store))
    if failed:
        raise ManualError(" | ".join(dict.fromkeys(failed)))


def _add(file: Path, read: Callable[[Path], Added], *, as_json: bool) -> list[str]:
    """Read one file in; returns why that could not be done."""
    try:
        added = read(file)
    except KnowledgeError as error:
        return [str(error)]
    except UnicodeEncodeError:
        return [f"{file}: its name is not UTF-8; rename it"]
    emit(asdict(added), as_json=as_json, human=partial(added_line, added))
    return []


def list_manuals(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
    """List the manuals.

    Example: watchkeeper kb list --json
    """
    for document in _told(open_store(context.obj).documents):
        emit(asdict(document), as_json=as_json, human=partial(_document_line, document))


def search_manuals(
    context: typer.Context,
    query: str = _QUERY,
    limit: int = _LIMIT,
    documents: list[str] | None = _IN,
    as_json: bool = JSON_OPTION,
) -> None:
    """Find passages; nothing is printed where the manuals do not hold an answer.

    Example: watchkeeper kb search 循环变频故障
    """
    if not query.strip():
        raise ManualError("the query is empty; write a question, an alarm or a fault code")
    store = open_store(context.obj)
    known = {document.id for document in _told(store.documents)}
    for document in documents or ():
        if document.upper() not in known:
            raise ManualError(f"{document}: no such manual; `watchkeeper kb list` shows those there are")
    meaning = MeaningOfBox(context.obj).get()
    hits = _told(lambda: search(store, query, limit=limit, documents=documents or None, meaning=meaning))
    for hit in hits:
        emit(asdict(hit), as_json=as_json, human=partial(_hit_lines, hit))
    if not hits and not as_json:
        typer.echo("not in the manuals", err=True)


def show_manual(
    context: typer.Context, document: str = _ID, section: str | None = _SECTION, as_json: bool = JSON_OPTION
) -> None:
    """Show the sections of a manual, or the text of one, or of one numbered item in it.

    Example: watchkeeper kb show M1 6.2
    """
    store = open_store(context.obj)
    pieces = _told(lambda: _pieces(store, document.upper(), section.removeprefix("§") if section else None))
    first = {piece.section_order: piece for piece in reversed(pieces)}
    for piece in pieces:
        if section is not None or first[piece.section_order] is piece:
            emit(asdict(piece), as_json=as_json, human=partial(_piece_lines, piece, whole=section is not None))


def remove_manual(context: typer.Context, document: str = _ID, as_json: bool = JSON_OPTION) -> None:
    """Take a manual out; its id is not given again.

    Example: watchkeeper kb remove M2
    """
    store: KnowledgeStore = open_store(context.obj)
    _told(lambda: store.remove(document))
    emit({"removed": document.upper()}, as_json=as_json, human=lambda: f"{document.upper()} removed")


def _pieces(store: KnowledgeStore, document: str, section: str | None) -> list[StoredPassage]:
    """The pieces of a section; where none has that name and it ends in `（二）`, that item of the section before it."""
    try:
        return store.sections(document, section)
    except KnowledgeError:
        name, label = split_place(section or "")
        if not label:
            raise
        pieces = store.sections(document, name)
        items = [
            replace(piece, section=f"{name}{label}", text=item.text)
            for piece in pieces
            for item in items_of(piece.text)
            if same_label(item.label, label)
        ]
        if not items:
            raise KnowledgeError(f"{document} {name} has no item {label}; `kb show {document} {name}`") from None
        return items


def _told(ask: Callable[[], T]) -> T:
    with _as_input_error():
        return ask()


@contextmanager
def _as_input_error() -> Iterator[None]:
    try:
        yield
    except KnowledgeError as error:
        raise ManualError(str(error)) from None


def _document_line(document: Document) -> str:
    pages = f"{document.pages} pages, " if document.pages else ""
    holds = f"{pages}{document.passages} passages, {document.limits} limits"
    return f"{document.id}  {document.title} ({document.language}, {holds})  {document.path}"


def _hit_lines(hit: Hit) -> str:
    place = f"{hit.document} {hit.section or 'p.' + str(hit.page or 1)}"
    preview = " ".join(hit.text.split())[:_PREVIEW_CHARS]
    return f"{place}  {hit.heading}  ({hit.score:.2f})\n    {preview}"


def _piece_lines(piece: StoredPassage, *, whole: bool) -> str:
    page = f"  p.{piece.page}" if piece.page else ""
    line = f"{piece.document} {piece.section}  {'' if piece.heading == piece.section else piece.heading}{page}".rstrip()
    return f"{line}\n\n{piece.text}\n" if whole else line
