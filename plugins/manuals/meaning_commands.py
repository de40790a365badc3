"""`watchkeeper kb about` and `kb embed`: which machines a manual is about, and the vectors of what it means."""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.api import Env, ManualError, emit
from agent.console import JSON_OPTION
from knowledge.errors import KnowledgeError
from knowledge.machines import about_machines, machines_of
from knowledge.store import KnowledgeStore
from knowledge.vectors import pending_passages
from plugins.manuals.meanings import MeaningOfBox
from plugins.manuals.tools import open_store

__all__ = ["embed_manuals", "keep_meanings", "say_machines"]

_ID = typer.Argument(metavar="ID", help="M1, M2 … as `watchkeeper kb list` shows them.")
_MACHINES = typer.Argument(None, metavar="[MACHINE...]", help="Names as people say them; none shows those there are.")
_NONE = typer.Option(False, "--none", help="The manual is about no machine in particular.")


def say_machines(
    context: typer.Context,
    document: str = _ID,
    machines: list[str] | None = _MACHINES,
    none: bool = _NONE,
    as_json: bool = JSON_OPTION,
) -> None:
    """Say which machines a manual is about; a question that names one is then answered from its manuals only.

    Example: watchkeeper kb about M3 VFD-P1 VFD-P2
    """
    store = open_store(context.obj)
    try:
        if machines or none:
            about_machines(store, document, machines or [])
        known = machines_of(store, document)
    except KnowledgeError as error:
        raise ManualError(str(error)) from None
    shown = ", ".join(known) or "no machine in particular"
    emit({"id": document.upper(), "machines": known}, as_json=as_json, human=lambda: f"{document.upper()}  {shown}")


def embed_manuals(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
    """Bring the vectors of the manuals' meaning and their index up to date; it may be stopped and goes on later.

    Example: watchkeeper kb embed
    """
    env: Env = context.obj
    store = open_store(env)
    try:
        made = keep_meanings(env, store)
    except KnowledgeError as error:
        raise ManualError(str(error)) from None
    if made is None:
        raise ManualError("the sentence encoder is not here; run `watchkeeper weights pull embed`")
    emit({"embedded": made}, as_json=as_json, human=lambda: f"{made} passages embedded; the index is up to date")


def keep_meanings(env: Env, store: KnowledgeStore) -> int | None:
    """As `MeaningOfBox.bring_up_to_date`, with a bar on stderr where a person watches; nothing where nothing is to do.

    :raises KnowledgeError: the store or the index cannot be written.
    """
    meaning = MeaningOfBox(env)
    if not store.path.exists() or meaning.is_up_to_date(store):
        return 0
    if not sys.stderr.isatty():
        return meaning.bring_up_to_date(store)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("embedding", total=pending_passages(store))
        return meaning.bring_up_to_date(store, lambda count: progress.advance(task, count))
