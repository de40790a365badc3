"""`watchkeeper kb watch FOLDER`: manuals that are put into a folder are read, changed ones again, removed ones go."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import typer

from agent.api import Env, ManualError, emit
from agent.console import JSON_OPTION, complain
from knowledge.errors import KnowledgeError
from knowledge.ingest import Added
from knowledge.store import KnowledgeStore
from knowledge.watching import FolderWatch
from plugins.manuals.meaning_commands import keep_meanings
from plugins.manuals.reading_in import added_line, adder, each_file
from plugins.manuals.tools import open_store

__all__ = ["watch_folder"]

_FOLDER = typer.Argument(metavar="FOLDER", help="The folder that manuals are put into.")
_ONCE = typer.Option(False, "--once", help="Bring the store up to date with the folder, and end.")


def watch_folder(
    context: typer.Context, folder: Path = _FOLDER, once: bool = _ONCE, as_json: bool = JSON_OPTION
) -> None:
    """Keep the store as a folder is: read what is new or changed, take out what was removed. Ctrl-C ends it.

    A file that cannot be read is said once, and tried again when it changes. A folder that is gone or empty all at
    once takes nothing out.

    Example: watchkeeper kb watch /srv/manuals
    """
    env: Env = context.obj
    if not folder.is_dir():
        raise ManualError(f"{folder}: no such folder; make it, or give another")
    store = open_store(env)
    with _until_signal() as stopped:
        keeper = _Keeper(env, folder, store, adder(context), stopped, settle=not once, as_json=as_json)
        if once:
            problems = keeper.round()
            if problems:
                raise ManualError(" | ".join(problems))
            return
        said: list[str] = []
        while not stopped.is_set():
            problems = keeper.round()
            complain(*(problem for problem in problems if problem not in said))
            said = problems
            stopped.wait(env.settings.knowledge.watch_seconds)


class _Keeper:
    """Brings the store up to date with a folder, a look at a time."""

    def __init__(
        self,
        env: Env,
        folder: Path,
        store: KnowledgeStore,
        add: Callable[[Path], Added],
        stopped: threading.Event,
        *,
        settle: bool,
        as_json: bool,
    ) -> None:
        self._env = env
        self._store, self._add, self._stopped, self._as_json = store, add, stopped, as_json
        self._watch = FolderWatch(folder, _paths(store).keys(), settle=settle)

    def round(self) -> list[str]:
        """One look and what follows from it; returns what went wrong."""
        try:
            changes = self._watch.look()
        except KnowledgeError as error:
            return [str(error)]
        problems: list[str] = []
        try:
            for file in each_file(self._store, changes.ready):
                problems += self._read(file)
        except KnowledgeError as error:
            for file in changes.ready:
                self._watch.again(file)
            return [str(error)]
        for path in changes.gone:
            problems += self._remove(path)
        if changes.ready or changes.gone:
            problems += self._keep_meanings()
        return problems

    def _keep_meanings(self) -> list[str]:
        try:
            keep_meanings(self._env, self._store)
        except KnowledgeError as error:
            return [str(error)]
        return []

    def _read(self, file: Path) -> list[str]:
        if self._stopped.is_set():
            return []
        try:
            added = self._add(file)
        except KnowledgeError as error:
            if str(self._store.path) in str(error):  # the store is to blame, not the file
                self._watch.again(file)
            return [str(error)]
        except UnicodeEncodeError:
            return [f"{file}: its name is not UTF-8; rename it"]
        if added.change != "unchanged":
            emit(asdict(added), as_json=self._as_json, human=partial(added_line, added))
        return []

    def _remove(self, path: Path) -> list[str]:
        """Take out what is not in the folder any more; a file that was only renamed has its new name by now."""
        try:
            known = _paths(self._store)
            if path in known:
                self._store.remove(known[path])
                body = {"id": known[path], "change": "removed", "path": str(path)}
                emit(body, as_json=self._as_json, human=f"{known[path]}  removed  {path}")
        except KnowledgeError as error:
            self._watch.again(path)
            return [str(error)]
        return []


def _paths(store: KnowledgeStore) -> dict[Path, str]:
    """Where the manuals of the store were read from; none where there is no store yet."""
    return {Path(document.path): document.id for document in store.documents()} if store.path.exists() else {}


@contextmanager
def _until_signal() -> Iterator[threading.Event]:
    """Ctrl-C and a service manager's stop end a watch between two files, never inside one."""
    stop = threading.Event()
    old = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
