"""Fetch weights: make sure of room, ask one source after the other, verify, and only then put in place.

Order for each entry: wait for another pull of it, read what is there, check the disk, then file by file. A pull that is
killed goes on where it was. What is here and right is left alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.errors import PullError
from agent.settings import WeightsSettings
from agent.weights.catalogue import Entry, WeightFile
from agent.weights.digest import Checked
from agent.weights.folders import Folders
from agent.weights.hub import Hub
from agent.weights.mend import Mended, mend
from agent.weights.notes import Pin, now
from agent.weights.partial import Partial, SourceFailed
from agent.weights.progress import Reporter, megabytes
from agent.weights.registry import Registry
from agent.weights.slots import drop_previous, keep_as_previous, previous_path
from agent.weights.sources import Source
from agent.weights.store import WeightStore

__all__ = ["PulledFile", "pull"]

_LOCK_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class PulledFile:
    """One file after a pull."""

    entry: str
    role: str
    path: Path
    bytes: int
    source: str
    """`here` where it was present and right already, `earlier pull` where only the rename was left to do."""
    seconds: float
    mended_chunks: int = 0
    """Chunks that were fetched alone to repair it; 0 where it came whole."""


def pull(store: WeightStore, names: Sequence[str], reporter: Reporter, *, optional: bool = False) -> list[PulledFile]:
    """Make entries present and verified.

    :param names: catalogue names; duplicates count once.
    :param optional: also the files that only stand for others.
    :returns: every file of the entries, in the catalogue's order.
    :raises PullError: no such entry, no room, or no source could give a file; says which and why.
    """
    entries = [store.catalogue.entry(name) for name in dict.fromkeys(names)]
    wanted = {entry.name: entry.files if optional else entry.required for entry in entries}
    with _Sources(store, [file for files in wanted.values() for file in files]) as sources:
        return [done for entry in entries for done in _pull_entry(store, entry, wanted[entry.name], sources, reporter)]


def _pull_entry(
    store: WeightStore, entry: Entry, files: Sequence[WeightFile], sources: _Sources, reporter: Reporter
) -> list[PulledFile]:
    with _locked(store.folder / entry.name, entry, store.settings, reporter):
        begun = time.monotonic()
        checked = {file: store.check_one(entry, file) for file in files}
        lacking = [file for file, found in checked.items() if found is None or found.problem]
        for file, found in checked.items():
            if found is None:
                continue
            if found.problem:
                aside = "" if found.fault in ("unreadable", "earlier version") else f"; set aside as {file.name}.bad"
                reporter.note(f"{entry.name}: {file.name} {found.problem}{aside}")
            else:
                sources.unneeded(file)
        _ensure_room(store, entry, lacking)
        _keep_earlier(store, entry, checked, reporter)
        pulled = []
        for file, found in checked.items():
            if found is None or found.problem:
                pulled.append(_pull_file(store, entry, file, sources, reporter))
            else:
                pulled.append(_pulled(store, entry, file, found.bytes, "here", begun))
        if not store.settings.previous_slot or shutil.disk_usage(store.folder).free < store.settings.spare_bytes:
            drop_previous(store.folder / entry.name)
        return pulled


def _keep_earlier(
    store: WeightStore, entry: Entry, checked: Mapping[WeightFile, Checked | None], reporter: Reporter
) -> None:
    """A sound earlier version goes on answering until all of the new one is here, and stays as the one before."""
    earlier = [file for file, found in checked.items() if found and found.fault == "earlier version"]
    sound = [file for file, found in checked.items() if found and (not found.problem or file in earlier)]
    kept = all(_is_previous(store, store.path(entry, file)) for file in earlier)  # by a pull that was stopped
    if kept or not set(entry.required) <= set(sound):
        return
    if not keep_as_previous(store.folder / entry.name, [store.path(entry, file) for file in sound]):
        reporter.note(f"{entry.name}: this disk knows no links, so the version before is not kept")


def _is_previous(store: WeightStore, path: Path) -> bool:
    """The second slot holds this file already."""
    here, before = store.manifest(path), store.manifest(previous_path(path))
    return here is not None and before is not None and here.sha256 == before.sha256


def _pull_file(store: WeightStore, entry: Entry, file: WeightFile, sources: _Sources, reporter: Reporter) -> PulledFile:
    begun = time.monotonic()
    mended = _mended(store, entry, file, sources, reporter)
    if mended is not None:
        named = ", ".join(mended.sources) or "here"
        return _pulled(store, entry, file, store.path(entry, file).stat().st_size, named, begun, mended.chunks)
    reasons: list[str] = []
    with Partial(store.path(entry, file), file, store.settings) as part:
        reporter.started(f"{entry.name}/{file.name}", file.size, part.size)
        if file.sha256 and not part.problem():  # an earlier pull was stopped between the last byte and the rename
            store.remember(part.target, part.finish(), part.digests())
            store.forget_bad(entry, file)
            return _pulled(store, entry, file, part.size, "earlier pull", begun)
        for source in sources.for_file(file):
            try:
                digest = _take(source, entry, file, part, reporter)
                store.remember(part.target, digest, part.digests())
            except SourceFailed as reason:
                reasons.append(f"{source.name}: {reason}")
                reporter.note(f"{entry.name}/{file.name}: {reasons[-1]}")
                continue
            _record(store, entry, file, digest, part.size, source.name, reporter)
            return _pulled(store, entry, file, part.size, source.name, begun)
    told = "; ".join(reasons) or f"the settings allow only {', '.join(store.settings.sources) or 'nothing'}"
    raise PullError(f"{entry.name}: no source could give {file.name}: {told}")


def _mended(store: WeightStore, entry: Entry, file: WeightFile, sources: _Sources, reporter: Reporter) -> Mended | None:
    """Repaired from what is here; None where it has to be fetched whole."""
    try:
        return mend(store, entry, file, list(sources.for_file(file)), reporter)
    except SourceFailed as reason:
        reporter.note(f"{entry.name}/{file.name}: {reason}; it is fetched whole")
    except OSError as error:
        reporter.note(f"{entry.name}/{file.name}: cannot be repaired in place: {error.strerror or error}")
    return None


def _pulled(
    store: WeightStore, entry: Entry, file: WeightFile, size: int, source: str, begun: float, mended: int = 0
) -> PulledFile:
    return PulledFile(entry.name, file.role, store.path(entry, file), size, source, time.monotonic() - begun, mended)


def _take(source: Source, entry: Entry, file: WeightFile, part: Partial, reporter: Reporter) -> str:
    """Let one source write the rest, then verify and put in place; the digest."""
    resumed = part.size
    source.take(entry, file, part, reporter.moved)
    if resumed and part.problem():  # what was there before may be what is wrong
        part.discard()
        source.take(entry, file, part, reporter.moved)
    problem = part.problem()
    if problem:
        part.discard()
        raise SourceFailed(f"gave a file that {problem}")
    reporter.moved(part.size)
    return part.finish()


def _record(
    store: WeightStore, entry: Entry, file: WeightFile, digest: str, size: int, source: str, reporter: Reporter
) -> None:
    """Pin an open digest, and forget the bad file that this one replaces."""
    if not file.sha256:
        store.write_pin(entry, file, Pin(digest, size, now(), source))
        reporter.note(f"{entry.name}: {file.name} is now pinned to SHA-256 {digest}, as {source} gave it")
    store.forget_bad(entry, file)


def _ensure_room(store: WeightStore, entry: Entry, files: Sequence[WeightFile]) -> None:
    """Refuse before the first byte where the disk cannot hold it all."""
    if not files:
        return
    started = sum(_size_of(Path(f"{store.path(entry, file)}.part")) for file in files)
    staged = store.settings.max_archive_bytes if any(file.pypi for file in files) else 0
    largest = max(file.size for file in files)
    wanted = sum(file.size for file in files) - started + min(staged, largest) + store.settings.spare_bytes
    free = shutil.disk_usage(store.folder).free
    if free < wanted:
        raise PullError(
            f"{entry.name}: {megabytes(wanted - free)} of disk are missing in {store.folder}: {megabytes(wanted)} are "
            f"needed with {megabytes(store.settings.spare_bytes)} to spare, {megabytes(free)} are free; make room or "
            "set weights.folder"
        )


def _size_of(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


@contextlib.contextmanager
def _locked(folder: Path, entry: Entry, settings: WeightsSettings, reporter: Reporter) -> Iterator[None]:
    """One pull of an entry at a time; the lock goes with the process that holds it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise PullError(
            f"{folder}: cannot be written: {error.strerror}; set weights.folder to another folder"
        ) from None
    try:
        deadline, told = time.monotonic() + settings.lock_seconds, False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PullError(
                        f"{entry.name}: another pull has held it for {settings.lock_seconds:.0f} s; stop that one"
                    ) from None
                if not told:
                    reporter.note(f"{entry.name}: another pull of it is running; waiting")
                told = True
                time.sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


class _Sources:
    """The sources in the order of the settings, each made when it is first asked."""

    def __init__(self, store: WeightStore, wanted: Sequence[WeightFile]) -> None:
        self._store = store
        self._wanted = wanted
        self._made: dict[str, Source] = {}

    def for_file(self, file: WeightFile) -> Iterator[Source]:
        """Those that can be asked for a file."""
        for name in self._store.settings.sources:
            source = self._made.get(name) or self._made.setdefault(name, self._make(name))
            if source.offers(file):
                yield source

    def unneeded(self, file: WeightFile) -> None:
        """A file that was wanted is here already."""
        self._wanted = [other for other in self._wanted if other is not file]

    def _make(self, name: str) -> Source:
        settings = self._store.settings
        match name:
            case "file":
                return Folders(settings)
            case "pypi":
                return Registry(self._store.folder, settings, self._wanted)
            case "hf":
                return Hub("hf", settings)
            case _:
                return Hub("modelscope", settings)

    def __enter__(self) -> _Sources:
        return self

    def __exit__(self, *_: object) -> None:
        for source in self._made.values():
            source.close()
