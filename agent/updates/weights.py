"""Weights out of an update: into the weight store, by its own pull, with the staged files as its only source.

Order: read the entry that the update brings (or take the catalogue's), hold it against the staged files, let it count,
pull, verify, ask for health. The entry counts before the pull: from then on the store takes what lies there as the
version before, which goes on answering until all of the new one is in place, also after a kill in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from agent.errors import ModelError, PullError, UpdateError, WeightsError
from agent.updates.catalogue import (
    ENTRY_FILE,
    BadEntry,
    forget_entry,
    keep_entry,
    read_entry,
    updated_catalogue,
    with_entry,
)
from agent.updates.items import Item
from agent.updates.receivers import NotHealthy
from agent.weights.catalogue import Catalogue, Entry, load_catalogue
from agent.weights.progress import Reporter
from agent.weights.pull import pull
from agent.weights.slots import rejection
from agent.weights.store import WeightStore

__all__ = ["Health", "WeightsReceiver"]

Health = Callable[[WeightStore, Entry], str]
"""What is wrong with weights that verify, when they are tried; empty where nothing is. May raise ModelError."""


class WeightsReceiver:
    """Items of the kind `weights`."""

    def __init__(
        self,
        store: WeightStore,
        folder: Path,
        box_key: Path,
        health: Health,
        reporter: Reporter,
        *,
        base: Catalogue | None = None,
    ) -> None:
        """
        :param folder: of updates.
        :param box_key: as the store has it.
        :param base: in place of the packaged catalogue.
        """
        self._store = store
        self._base = base or load_catalogue()
        self._folder = folder
        self._box_key = box_key
        self._health = health
        self._reporter = reporter

    def version(self, name: str) -> str:
        """The beginning of the digest of its first file; weights carry no version of their own."""
        store = self._current()
        entry = _entry_of(store, name)
        return entry.files[0].sha256[:12] if entry and store.status(name).present else ""

    def has(self, name: str) -> bool:
        store = self._current()
        return _entry_of(store, name) is not None and store.status(name).present

    def uses(self, item: Item) -> bool:
        store = self._current()
        entry = _entry_of(store, item.name)
        if entry is None or rejection(store.folder / item.name, entry):
            return False
        states = {status.path.name: status.state for status in store.status(item.name).files}
        digests = {file.name: file.sha256 for file in entry.files}
        data = [target for target in item.targets if target.name != ENTRY_FILE]
        return all(digests.get(t.name) == t.sha256 and states.get(t.name) == "present" for t in data)

    def room_bytes(self, item: Item) -> int:
        """The store copies what is staged, and keeps the version before."""
        return item.bytes

    def put_in_use(self, item: Item, files: Mapping[str, Path]) -> None:
        entry = self._entry(item, files)
        had = self.has(item.name)
        if ENTRY_FILE in files:
            keep_entry(self._folder, files[ENTRY_FILE], item.name, self._base)
        store = self._store_with(with_entry(self._base, entry), next(iter(files.values())).parent)
        try:
            pull(store, [item.name], self._reporter)
            problem = self._problem(store, entry)
        except (PullError, WeightsError) as error:
            raise UpdateError(f"{item.label}: {error}; the version before answers until then") from None
        if problem:
            self._go_back(store, item, problem, had=had)

    def _problem(self, store: WeightStore, entry: Entry) -> str:
        with closing(store.verified(entry.name)) as found:
            if found.previous:
                return found.previous
        try:
            return self._health(store, entry)
        except ModelError as error:
            return str(error)

    def _go_back(self, store: WeightStore, item: Item, problem: str, *, had: bool) -> None:
        """The version before answers; where there was none, the next rung does."""
        try:
            store.reject(item.name, problem)
            kept = "the version before answers"
        except WeightsError:
            kept = "there is no version before to go back to" if had else "it was not here before, so nothing is lost"
            if not had:
                forget_entry(self._folder, item.name)
        raise NotHealthy(f"{problem}; {kept}")

    def _entry(self, item: Item, files: Mapping[str, Path]) -> Entry:
        """What the store will go by.

        :raises UpdateError: the update brings no entry and none is known, or it does not fit the files.
        """
        try:
            brought = read_entry(files[ENTRY_FILE], item.name) if ENTRY_FILE in files else None
        except (BadEntry, OSError) as error:
            raise UpdateError(f"{item.label}: {error}; have the release made again") from None
        entry = brought or _entry_of(self._current(), item.name)
        if entry is None:
            raise UpdateError(f"{item.label}: this box knows no such weights; have the release made with its entry")
        signed = {target.name: target.sha256 for target in item.targets if target.name != ENTRY_FILE}
        wanted = {file.name: file.sha256 for file in entry.files}
        required = {file.name for file in entry.required}
        if not required <= signed.keys() or any(wanted.get(name) != sha256 for name, sha256 in signed.items()):
            raise UpdateError(f"{item.label}: its files are not those of its catalogue entry; have it made again")
        return entry

    def _current(self) -> WeightStore:
        """The store as it is after earlier updates."""
        return self._store_with(updated_catalogue(self._folder, self._base))

    def _store_with(self, catalogue: Catalogue, staged: Path | None = None) -> WeightStore:
        """
        :param staged: where alone files may come from.
        """
        settings = self._store.settings
        if staged is not None:
            settings = settings.model_copy(update={"sources": ("file",), "usb_folders": (staged,)})
        return WeightStore(self._store.folder, settings, catalogue=catalogue, box_key=self._box_key)


def _entry_of(store: WeightStore, name: str) -> Entry | None:
    return next((entry for entry in store.catalogue.entries if entry.name == name), None)
